"""The audit trail as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from flowlet.audit import rights


class AuditConfig(AppConfig):
    """Append-only record of every write, reveal, export, log-in and refusal."""

    name = "flowlet.audit"
    label = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        """Give the application's role its rights whenever tables may have changed."""
        # Sent for each application when all are migrated; once is enough.
        post_migrate.connect(rights.grant_rights, sender=self, dispatch_uid="audit.rights")
