"""The gateway as a Django application."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """What every API request passes, and the resources of identity and events."""

    name = "flowlet.gateway"
    label = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        """Register the system check that refuses a route nobody classified."""
        from flowlet.gateway import checks  # noqa: F401 - registers itself
