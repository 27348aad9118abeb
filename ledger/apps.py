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
        Load what registers itself: steps of a close, places of anchors, readers of bank files, our receivers.

        And say which columns of the tables that the guards write are left to the application, and what it may not see.
        """
        from ledger.reconciliation import formats  # needs loaded models

        formats.load()
        for name in (
            *(
                "operations.revaluation",
                "operations.closing_steps",
                "operations.closing_sealed",
                "checks",
            ),
            *("receivers", "reconciliation.closing", "tasks_bank"),
            *("reconciliation.following", "operations.break_approvals", "tasks_matching"),
        ):
            import_module(f"ledger.{name}")
        import_module("ledger.anchoring.stores").load()
        rights.GUARDED["ledger_balance"] = ("status", "floor")
        for table in (
            *("ledger_holdstate", "ledger_currency", "ledger_texterasure"),
            *("ledger_sealedtransaction", "ledger_sealedholdevent", "ledger_daytotal"),
            *("ledger_periodclosing", "ledger_periodtotal", "ledger_periodbalance"),
        ):
            rights.GUARDED[table] = ()
        rights.FIXED["ledger_processorline"] = ("payout",)
        rights.HIDDEN.update(("ledger_keypad", "ledger_signer"))
