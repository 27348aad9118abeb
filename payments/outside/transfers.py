"""Reading the vendor's list of what happened to bank transfers, from where we stopped; also what came weeks later."""

from datetime import datetime

from django.db.models.functions import Greatest

from flowlet.audit import trail
from flowlet.core.outcomes import Outcome
from flowlet.integrations.models import VendorCursor
from payments.errors import LateResult, VendorSilent
from payments.models import PaymentAttempt
from payments.outside.working import refresh_attempt
from payments.rails.plaid_transfer import PlaidTransferRail
from payments.rails.registry import OUTSIDE_RAILS

RAIL = "plaid_transfer"
_CURSOR = "plaid.transfer_events"
_PAGES_MAX = 50


def read_events(*, now: datetime) -> int:
    """
    Bring every transfer up to date that something happened to since the last time; return how many events there were.

    Safe to run twice and side by side: settling ignores what it knows, and the place in the list only goes forward.

    :raises VendorSilent: if the vendor cannot be asked now; what was read before stays read
    """
    rail = OUTSIDE_RAILS.get(RAIL)
    if not isinstance(rail, PlaidTransferRail):
        raise TypeError(f"{RAIL} is no rail of bank transfers")
    VendorCursor.objects.get_or_create(name=_CURSOR)
    count = 0
    for _ in range(_PAGES_MAX):
        read = _read_page(rail, now)
        if not read:
            break
        count += read
    return count


def _read_page(rail: PlaidTransferRail, now: datetime) -> int:
    after = VendorCursor.objects.get(name=_CURSOR).position
    answer = rail.events(after=after)
    if answer.outcome is not Outcome.DONE or answer.value is None:
        raise VendorSilent(reference=_CURSOR)
    for transfer in dict.fromkeys(row[1] for row in answer.value):
        _refresh(rail, transfer, now)
    if answer.value:
        latest = answer.value[-1][0]
        VendorCursor.objects.filter(name=_CURSOR).update(position=Greatest("position", latest))
    return len(answer.value)


def _refresh(rail: PlaidTransferRail, transfer: str, now: datetime) -> None:
    known = PaymentAttempt.objects.filter(payment__rail=RAIL, vendor_reference=transfer)
    # An answer that got lost left us without the vendor's id; the vendor has ours.
    reference = known.values_list("our_reference", flat=True).first() or rail.reference_of(transfer)
    try:
        if reference:
            refresh_attempt(our_reference=reference, vendor_reference=transfer, now=now)
    except LateResult as late:
        # One transfer that went another way than we had settled must not stop the list; a person finds it here.
        trail.record(
            action="payment.late_result",
            object_type="payment",
            object_id=reference.partition("-")[0],
            outcome="FAILED",
            reason_code=str(late.fields.get("said", "")).upper(),
        )
