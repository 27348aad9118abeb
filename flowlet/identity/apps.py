"""Identity as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IdentityConfig(AppConfig):
    """Users, partners, API clients, customers, roles, restrictions."""

    name = "flowlet.identity"
    label = "identity"
    verbose_name = "People and partners"

    def ready(self) -> None:
        """Keep the roles equal to the table in `roles.py` whenever migrations have run."""
        from flowlet.identity.roles import sync_roles  # needs loaded models

        post_migrate.connect(sync_roles, dispatch_uid="flowlet.identity.sync_roles")
