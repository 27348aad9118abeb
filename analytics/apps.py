"""Analytics as a Django application."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Day facts, dashboards, reports, insights, metrics."""

    name = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        """Listen to events; Django's admin app imports the pages."""
        from analytics import receivers  # noqa: F401 - registers the receiver; needs loaded models
