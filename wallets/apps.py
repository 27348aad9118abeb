"""Wallets as a Django application."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from flowlet.audit import rights


class WalletsConfig(AppConfig):
    """What customers own: wallets over ledger accounts, their bank accounts, money in and money out."""

    name = "wallets"
    label = "wallets"
    verbose_name = "Wallets"

    def ready(self) -> None:
        """Register the events of this room and the formats of statements, and keep the first limits in the database."""
        from ledger.statements import formats  # needs loaded models
        from wallets import (
            events,  # noqa: F401 - declares the event types
            limits,
            reconciling,  # noqa: F401 - tells reconciliation what deposits are
            statement_subjects,  # noqa: F401 - names wallets for the ledger's statements
        )

        import_module("wallets.receivers")  # needs loaded models
        formats.load()
        # The terms of a quote are fixed: only how it ends is written later.
        rights.FIXED["wallets_quote"] = ("status", "used_at")
        # Counts of what was moved only change, and a monitor's line only ends.
        rights.FIXED["wallets_limituse"] = ("amount_minor",)
        rights.FIXED["wallets_balancemonitor"] = ("ended_at",)
        rights.FIXED["wallets_incomingreference"] = ("state", "retired_at", "retired_by")
        post_migrate.connect(limits.after_migrate, sender=self, dispatch_uid="wallets.limits")
