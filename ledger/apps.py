"""The ledger as a Django application."""

from django.apps import AppConfig

from flowlet.audit import rights


class LedgerConfig(AppConfig):
    """Accounts and money: double entry that the database itself keeps true. Knows no products."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Say which columns of the tables that the guards write are left to the application."""
        rights.GUARDED["ledger_balance"] = ("status", "floor")
        rights.GUARDED["ledger_holdstate"] = ()
        rights.GUARDED["ledger_currency"] = ()
