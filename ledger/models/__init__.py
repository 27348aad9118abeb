"""Django looks for models here; import each from the module that holds it."""

from ledger.models import accounts, currencies, holds, queue, statements, transactions

__all__ = ["accounts", "currencies", "holds", "queue", "statements", "transactions"]
