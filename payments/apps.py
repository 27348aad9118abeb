"""Payments as a Django application."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Instructions to move money, and their life."""

    name = "payments"
    label = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Register the events of this room, its rails, and what vendors tell it."""
        from payments import (  # noqa: F401 - declare event types, handlers and receivers
            events,
            messages,
            reconciling,
            vendor_events,
        )
        from payments.rails import registry  # needs loaded models

        registry.load()
