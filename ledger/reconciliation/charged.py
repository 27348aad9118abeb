"""Whose money a processor takes back: rooms above know which account a payment's money went to."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """
    Where the money of a payment went: `account_id` is the ledger account, None where it waits on suspense.

    `context` is kept with the booking (ids only), `text` is shown to the customer.
    """

    account_id: int | None
    text: str
    context: Mapping[str, str | int]


# Keyed by the processor (`stripe`); given its names of payments, returns what is known of them.
CHARGED: Registry[Callable[[Collection[str]], Mapping[str, Charged]]] = Registry("ledger.charged")
