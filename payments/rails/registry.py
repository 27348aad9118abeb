"""What a rail is: a way for money to travel. One file each beside this one; this module finds them."""

import pkgutil
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer
from flowlet.core.registry import Registry
from payments import rails


@dataclass(frozen=True, slots=True)
class RailOrder:
    """
    What a rail is asked to carry: the payment's public id, the ledger accounts of both sides, the amount.

    `hold_id` names the hold (its key) that has kept the amount aside, if one has: the rail captures it.
    """

    payment: str
    kind: str
    payer_account_id: int
    payee_account_id: int
    amount: Money
    text: str
    hold_id: int | None = None


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


@dataclass(frozen=True, slots=True)
class Call:
    """
    What a vendor is asked to do or was asked: amount, our reference, and since when it may be found there.

    `target` is the vendor's token to collect from, or for a refund the vendor's id of what was collected.
    `vendor_reference` is the vendor's id of the object, '' while no answer brought it.
    """

    our_reference: str
    amount: Money
    target: str
    since: datetime
    vendor_reference: str = ""


class OutsideRail(Protocol):
    """
    A way into our books and back, through a vendor. No method may be called inside a transaction.

    Each says in our five words what is so; none raises what the vendor or the network did. `get` and `get_refund`
    ask after an object by the vendor's id where we have it, else by our reference.

    `returnable`: what was collected may be taken back later; a REFUSED after DONE then means that it was.
    `refundable`: it can be given back the way it came.
    """

    title: str
    vendor: str
    returnable: bool
    refundable: bool

    def check(self, amount: Money) -> None:
        """Raise the `AppError` that says why this amount cannot travel here."""
        ...

    def check_target(self, *, partner_id: int, customer_id: int, target: str) -> None:
        """Raise the `AppError` that says why this customer's money cannot be collected from there."""
        ...

    def collect(self, call: Call) -> Answer[None]:
        """Take the money."""
        ...

    def get(self, call: Call) -> Answer[None]:
        """Say what became of it."""
        ...

    def refund(self, call: Call) -> Answer[None]:
        """Give money back."""
        ...

    def get_refund(self, call: Call) -> Answer[None]:
        """Say what became of that."""
        ...


class PayoutRail(Protocol):
    """
    A way out of our books to a bank account, through a vendor; rules as for `OutsideRail`.

    In a `Call` for it `target` is the bank account.
    """

    title: str
    vendor: str

    def check(self, amount: Money) -> None:
        """Raise the `AppError` that says why this amount cannot travel here."""
        ...

    def send(self, call: Call) -> Answer[None]:
        """Send the money."""
        ...

    def get(self, call: Call) -> Answer[None]:
        """Say what became of it; REFUSED also when a bank sent it back after it had been paid."""
        ...


RAILS: Registry[Rail] = Registry("payments.rails")
OUTSIDE_RAILS: Registry[OutsideRail] = Registry("payments.outside_rails")
PAYOUT_RAILS: Registry[PayoutRail] = Registry("payments.payout_rails")


def load() -> None:
    """Import every module of this package, so that each rail registers itself."""
    for found in pkgutil.iter_modules(rails.__path__):
        import_module(f"{rails.__name__}.{found.name}")


def title_of(rail: str) -> str:
    """Return a rail's name for people."""
    if rail in RAILS:
        return RAILS.get(rail).title
    if rail in PAYOUT_RAILS:
        return PAYOUT_RAILS.get(rail).title
    return OUTSIDE_RAILS.get(rail).title if rail in OUTSIDE_RAILS else rail
