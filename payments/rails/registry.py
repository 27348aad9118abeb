"""What a rail is: a way for money to travel. One file each beside this one; this module finds them."""

import pkgutil
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol

from flowlet.core.money import Money
from flowlet.core.registry import Registry
from payments import rails


@dataclass(frozen=True, slots=True)
class RailOrder:
    """What a rail is asked to carry: the payment's public id, the ledger accounts of both sides, the amount."""

    payment: str
    kind: str
    payer_account_id: int
    payee_account_id: int
    amount: Money
    text: str


@dataclass(frozen=True, slots=True)
class RailAnswer:
    """What came of it: the ledger transaction (its key) that moved the money."""

    transaction_id: int


class Rail(Protocol):
    """
    A way for money to travel.

    `instant` says that `send` moves the money before it returns, inside the caller's transaction.
    """

    title: str
    instant: bool

    def send(self, order: RailOrder, *, now: datetime) -> RailAnswer:
        """Carry the order, or raise the `AppError` that says why not; then nothing has moved."""
        ...


RAILS: Registry[Rail] = Registry("payments.rails")


def load() -> None:
    """Import every module of this package, so that each rail registers itself."""
    for found in pkgutil.iter_modules(rails.__path__):
        import_module(f"{rails.__name__}.{found.name}")
