"""Cards as a Django application."""

from importlib import import_module

from django.apps import AppConfig


class CardsConfig(AppConfig):
    """Issuing, controls, authorisations and clearings."""

    name = "cards"
    verbose_name = "Cards"

    def ready(self) -> None:
        """Declare events and register processors."""
        for name in ("cards.events", "cards.processors.builtin"):
            import_module(name)
