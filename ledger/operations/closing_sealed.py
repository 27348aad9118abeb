"""The step of a close that leaves nothing of it unsealed: what the books say is then vouched for outside the database."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.anchoring.stores import configured
from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.operations.anchoring import anchor
from ledger.queries.seals import get_unsealed, is_anchored_until


def open_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    """Say what of the period or before is not sealed or not anchored; what other months book meanwhile does not matter."""
    unsealed = get_unsealed(until=last).transactions
    if unsealed:
        return [f"{unsealed:,} transactions up to {last} are not sealed yet."]
    # Where no place is configured the anchor in the database is all there can be.
    if not is_anchored_until(last, outside=bool(configured())):
        return [f"What was sealed up to {last} is not anchored outside the database yet."]
    return []


def seal_and_anchor(now: datetime) -> str:
    """Seal what is committed and anchor it; may be repeated."""
    made = anchor(now=now)
    return "Nothing was booked yet." if made is None else f"Anchored block {made.pk:,}."


CLOSING_STEPS.register("sealed")(
    ClosingStep(
        order=60, title="Everything is sealed and anchored", check=open_points, prepare=seal_and_anchor
    )
)
