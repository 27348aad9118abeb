"""Analytics as a Django application."""

from importlib import import_module

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Day facts, dashboards, reports, insights, metrics."""

    name = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        """Listen to events; Django's admin app imports the pages."""
        import_module("analytics.receivers")  # needs loaded models
