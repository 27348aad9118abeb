"""The ledger as a Django application."""

from importlib import import_module

from django.apps import AppConfig

from flowlet.audit import rights


class LedgerConfig(AppConfig):
    """Accounts and money: double entry that the database itself keeps true. Knows no products."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Load the readers of bank files and our receivers; say what the application may write where guards do."""
        from ledger.reconciliation import formats  # needs loaded models

        formats.load()
        for name in (
            *("receivers", "reconciliation.closing", "tasks_bank"),
            *("reconciliation.following", "operations.break_approvals", "tasks_matching"),
        ):
            import_module(f"ledger.{name}")
        rights.GUARDED["ledger_balance"] = ("status", "floor")
        rights.GUARDED["ledger_holdstate"] = ()
        rights.GUARDED["ledger_currency"] = ()
