"""What rooms above know of their own postings: who stands behind them, and what a processor calls them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from flowlet.core import crypto
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """
    What is known of one cause of postings.

    `iban` is of the counterparty, as `iban_key` makes it; `references` are further names of it at banks and
    processors; `title` and `href` lead a person to it.
    """

    iban: str = ""
    name: str = ""
    references: tuple[str, ...] = ()
    title: str = ""
    href: str = ""


# Keyed by the source of ledger transactions (`deposit`); given source keys, returns what it knows of them.
ITEM_FACTS: Registry[Callable[[Collection[str]], Mapping[str, ItemFacts]]] = Registry("ledger.item_facts")


def iban_key(iban: str) -> str:
    """Return a text by which two occurrences of one IBAN are found equal without keeping it; '' for none."""
    return crypto.blind_index("iban", None, iban).hex() if iban else ""
