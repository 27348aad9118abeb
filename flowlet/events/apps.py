"""Events as a Django application."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Outbox, event log; later webhooks."""

    name = "flowlet.events"
    label = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        """Listen to identity, which lies below and cannot publish by itself."""
        from flowlet.events import identity_feed  # noqa: F401 - fills identity's hooks
