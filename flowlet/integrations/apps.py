"""Integrations as a Django application."""

from django.apps import AppConfig
from django.conf import settings


class IntegrationsConfig(AppConfig):
    """Vendors: calls out, webhooks in."""

    name = "flowlet.integrations"
    label = "integrations"
    verbose_name = "Vendors"

    def ready(self) -> None:
        """
        Refuse a live start that would talk to a simulator or without keys; fill the registries.

        :raises ImproperlyConfigured: naming each fault of the vendors' settings
        """
        from flowlet.integrations import registered  # noqa: F401 - fills the webhook registry
        from flowlet.integrations.vendors import check_live

        if settings.FLOWLET_MODE == "live":
            check_live()
