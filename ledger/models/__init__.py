"""Django looks for models here; import each from the module that holds it."""

from ledger.models import (
    accounts,
    currencies,
    holds,
    journals,
    periods,
    queue,
    seals,
    statements,
    transactions,
)

__all__ = [
    "accounts",
    "currencies",
    "holds",
    "journals",
    "periods",
    "queue",
    "seals",
    "statements",
    "transactions",
]
