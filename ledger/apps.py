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
        """
        Load what registers itself: the steps of a close, the places that anchors are written to.

        And say which columns of the tables that the guards write are left to the application, and what it may not see.
        """
        for name in ("operations.revaluation", "operations.closing_steps", "queries.closings"):
            import_module(f"ledger.{name}")
        import_module("ledger.anchoring.stores").load()
        rights.GUARDED["ledger_balance"] = ("status", "floor")
        for table in (
            *("ledger_holdstate", "ledger_currency", "ledger_texterasure"),
            *("ledger_sealedtransaction", "ledger_sealedholdevent", "ledger_daytotal"),
            *("ledger_periodclosing", "ledger_periodtotal", "ledger_periodbalance"),
        ):
            rights.GUARDED[table] = ()
        rights.HIDDEN.update(("ledger_keypad", "ledger_signer"))
