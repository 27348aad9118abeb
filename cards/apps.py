"""Cards as a Django application."""

from django.apps import AppConfig


class CardsConfig(AppConfig):
    """Issuing, controls, authorisations and clearings."""

    name = "cards"
    verbose_name = "Cards"
