"""Analytics as a Django application."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Day facts, dashboards, reports, insights, metrics."""

    name = "analytics"
    verbose_name = "Analytics"
