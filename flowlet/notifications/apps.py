"""Notifications as a Django application."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages to people, and one-time codes."""

    name = "flowlet.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Listen to the carriers' delivery reports."""
        from flowlet.core.messages import DELIVERY_RECEIVERS
        from flowlet.notifications.operations import receive_report  # needs loaded models

        DELIVERY_RECEIVERS.register("notifications")(receive_report)
