"""What might belong to a line, for a person to decide: with a score and the reasons. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from ledger.reconciliation.passes.base import Found, Item, Line, Window
from ledger.reconciliation.passes.subset import CANDIDATES_MAX, only_sum

SHOWN = 5
# A bank's own fee is small: up to 2 % of the amount, or this many minor units.
_FEE_SHARE, _FEE_MINOR = 50, 2_500
_NAME_ALIKE = 0.8
_NEAR_DAYS = 3

REASONS: Mapping[str, str] = {
    "reference": "same reference",
    "amount": "same amount",
    "fee": "amount differs by what may be a fee",
    "other_amount": "amount differs",
    "counterparty": "same account of the counterparty",
    "name": "similar name",
    "date": "dates close together",
    "sum": "amounts add up",
    "parts": "the bank lists these parts",
    "batch": "same batch",
    "person": "chosen by a person",
}
_POINTS = {
    "reference": 50,
    "amount": 30,
    "fee": 12,
    "counterparty": 25,
    "name": 10,
    "date": 8,
}
_ENOUGH = 30


def suggest(line: Line, items: Iterable[Item], window: Window, *, shown: int = SHOWN) -> list[Found]:
    """
    Return what may belong to the line, best first: single items, and sums of items with the counterparty.

    Nothing here is booked by itself. Scores run from 30 to 99; each reason is a key of `REASONS`.
    """
    near = [item for item in items if window.holds(line, item) or line.references & item.references]
    found = [one for item in near if (one := _judge(line, item)) is not None]
    found += _sums(line, near)
    return sorted(found, key=lambda one: (-one.score, one.items))[:shown]


def _judge(line: Line, item: Item) -> Found | None:
    if (line.amount > 0) is not (item.amount > 0):
        return None
    reasons = list(_reasons(line, item))
    score = sum(_POINTS.get(reason, 0) for reason in reasons)
    if score < _ENOUGH or not {"reference", "amount", "fee"}.intersection(reasons):
        return None
    return Found("suggestion", (line.id,), (item.id,), min(score, 99), tuple(reasons))


def _reasons(line: Line, item: Item) -> Iterable[str]:
    if line.references & item.references:
        yield "reference"
    gap = abs(line.amount - item.amount)
    if not gap:
        yield "amount"
    elif gap <= max(abs(item.amount) // _FEE_SHARE, min(_FEE_MINOR, abs(item.amount) // 2)):
        yield "fee"
    else:
        yield "other_amount"
    if line.iban and line.iban == item.iban:
        yield "counterparty"
    if _alike(line.name, item.name):
        yield "name"
    if abs((line.day - item.day).days) <= _NEAR_DAYS:
        yield "date"


def _alike(one: str, other: str) -> bool:
    if not one or not other:
        return False
    left, right = (" ".join(sorted(text.casefold().split())) for text in (one, other))
    return SequenceMatcher(None, left, right).ratio() >= _NAME_ALIKE


def _sums(line: Line, near: Sequence[Item]) -> Iterable[Found]:
    """Offer the sums that add up: of the counterparty's items, else of the days closest to the line."""
    same_side = [item for item in near if (item.amount > 0) is (line.amount > 0)]
    theirs = [item for item in same_side if line.iban and item.iban == line.iban]
    closest = sorted(same_side, key=lambda item: (abs((line.day - item.day).days), item.id))
    for group, score, reasons in (
        (theirs, 75, ("sum", "counterparty")),
        (closest, 45, ("sum", "date")),
    ):
        tried = group[:CANDIDATES_MAX]
        chosen = only_sum([item.amount for item in tried], line.amount)
        if chosen is not None and len(chosen) > 1:
            yield Found("suggestion", (line.id,), tuple(tried[at].id for at in chosen), score, reasons)
            return
