"""The audit trail as a Django application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Append-only record of every write, reveal, export, log-in and refusal."""

    name = "flowlet.audit"
    label = "audit"
    verbose_name = "Audit trail"
