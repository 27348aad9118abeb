"""
Drafts that a machine may make for a person: who makes them, from what, and where they go once a person has read them.

Nothing is sent or decided by a draft. It is made from plain values that the person sees before they are handed over,
and kept only when the person saves it as his own words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftMovement:
    """One movement of money; `amount` reads as `1,250.00 EUR`, `side` is IN or OUT, `counterparty` '' where unknown."""

    at: datetime
    side: str
    kind: str
    amount: str
    counterparty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFacts:
    """
    All that a draft is made from; whatever is not here is not known to whoever makes it.

    `reference` and `subject` name the case and the customer; `names` are others who must not be named outside.
    `findings` are (title, sentence) of what was noticed, `totals` sentences such as `In: 9,000.00 EUR`.
    """

    reference: str
    subject: str
    opened_at: datetime
    findings: Sequence[tuple[str, str]] = ()
    movements: Sequence[DraftMovement] = ()
    totals: Sequence[str] = ()
    names: Sequence[str] = ()
    first_at: datetime | None = None
    latest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to start from, and whether a model or a template wrote it; `reason` says in a code why no model did."""

    text: str
    source: Literal["model", "template"]
    reason: str = ""


# Filled by whoever can write; the key is the kind of draft, such as `case_summary`. May call a vendor: never inside a
# transaction.
DRAFTERS: Registry[Callable[[DraftFacts], Draft]] = Registry("backoffice.drafters")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSource:
    """
    Where a kind of draft belongs: filled by the room that owns the object.

    `facts` and `href` take the object's public id, `facts` raises NotFound if there is none. `save` keeps the text a
    person has read and edited as a note of his own: (object id, text, person, now).
    """

    title: str
    permission: str
    facts: Callable[[str], DraftFacts]
    save: Callable[[str, str, Person, datetime], object]
    href: Callable[[str], str]


# Keyed like DRAFTERS.
DRAFT_SOURCES: Registry[DraftSource] = Registry("backoffice.draft_sources")
