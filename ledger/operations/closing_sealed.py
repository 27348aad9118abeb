"""The step of a close that leaves nothing unsealed: what a closed period says is then vouched for outside the database."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.anchoring.stores import configured
from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.models.seals import Anchor
from ledger.operations.anchoring import anchor
from ledger.queries.seals import find_latest_block, get_unsealed


def open_points(_first: date, _last: date, _now: datetime) -> Sequence[str]:
    """Say what is not sealed or not anchored; what is sealed holds every day up to now."""
    unsealed, block = get_unsealed(), find_latest_block()
    points = []
    if unsealed.transactions or unsealed.hold_events:
        points.append(
            f"{unsealed.transactions:,} transactions and {unsealed.hold_events:,} hold events are not sealed yet."
        )
    # Where no place is configured the anchor in the database is all there can be.
    kept = {"copies__isnull": False} if configured() else {}
    if block is not None and not Anchor.objects.filter(pk__gte=block.n, **kept).exists():
        points.append(f"Block {block.n:,} is not anchored outside the database yet.")
    return points


def seal_and_anchor(_first: date, _last: date, now: datetime) -> str:
    """Seal what is committed and anchor it; may be repeated."""
    made = anchor(now=now)
    return "Nothing was booked yet." if made is None else f"Anchored block {made.pk:,}."


CLOSING_STEPS.register("sealed")(
    ClosingStep(order=60, title="Everything is sealed and anchored", check=open_points, run=seal_and_anchor)
)
