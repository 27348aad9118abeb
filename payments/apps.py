"""Payments as a Django application."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Instructions to move money, and their life."""

    name = "payments"
    label = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Register the events of this room and its rails."""
        from payments import events  # noqa: F401 - declares the event types
        from payments.rails import registry  # needs loaded models

        registry.load()
