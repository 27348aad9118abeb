"""The ledger as a Django application."""

from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Accounts and money: double entry that the database itself keeps true. Knows no products."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Load what registers itself: the steps of a close."""
        for name in ("operations.revaluation",):
            import_module(f"ledger.{name}")
