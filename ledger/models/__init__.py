"""Django looks for models here; import each from the module that holds it."""

from ledger.models import (
    accounts,
    currencies,
    holds,
    journals,
    matching,
    periods,
    queue,
    reconciliation,
    seals,
    statements,
    transactions,
)

__all__ = [
    "accounts",
    "currencies",
    "holds",
    "journals",
    "matching",
    "periods",
    "queue",
    "reconciliation",
    "seals",
    "statements",
    "transactions",
]
