"""The ledger as a Django application."""

from django.apps import AppConfig

from flowlet.audit import rights


class LedgerConfig(AppConfig):
    """Accounts and money: double entry that the database itself keeps true. Knows no products."""

    name = "ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """
        Load the places that anchors are written to.

        Say which columns of the tables that the guards write are left to the application, and what it may not see.
        """
        from ledger.anchoring import stores  # needs settings

        stores.load()
        rights.GUARDED["ledger_balance"] = ("status", "floor")
        for table in (
            *("ledger_holdstate", "ledger_currency", "ledger_texterasure"),
            *("ledger_sealedtransaction", "ledger_sealedholdevent", "ledger_daytotal"),
        ):
            rights.GUARDED[table] = ()
        rights.HIDDEN.update(("ledger_keypad", "ledger_signer"))
