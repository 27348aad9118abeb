"""The demo as a Django application: commands only, no tables."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Three invented partners and ninety days of their customers' money, for the sandbox."""

    name = "flowlet.demo"
    label = "demo"
    verbose_name = "Demo"
