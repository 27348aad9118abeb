"""Fraud as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FraudConfig(AppConfig):
    """Features, rules, models, decisions."""

    name = "fraud"
    verbose_name = "Fraud"

    def ready(self) -> None:
        """Fill the registries of features and rules, and keep their first versions in the database."""
        from fraud import installing

        post_migrate.connect(installing.after_migrate, sender=self, dispatch_uid="fraud.install")
