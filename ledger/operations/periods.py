"""Closing the books: periods made ahead, a close in resumable steps, and opening the latest one again by two people."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import transaction
from django.urls import reverse

from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.errors import AppError, NotFound
from flowlet.core.locks import lock
from flowlet.events import outbox
from ledger.choices import PeriodStatus
from ledger.closing import ClosingStep, steps_in_order
from ledger.errors import PeriodOutOfOrder, PeriodStatusConflict
from ledger.events import PERIOD_CLOSED, PERIOD_REOPENED
from ledger.models.periods import Period, PeriodClosing, PeriodStep
from ledger.models.transactions import Posting
from ledger.operations.refusals import refusals
from ledger.queries.periods import open_points

REOPEN = "ledger.reopen_period"
MONTHS_AHEAD = 3


@transaction.atomic
def make_periods(*, now: datetime, ahead: int = MONTHS_AHEAD) -> int:
    """
    Make the periods up to so many months after the present one and return how many were made; safe to repeat.

    The first is the month of the earliest value date that was ever posted, or the present month.
    """
    latest = Period.objects.order_by("-last_date").first()
    first = latest.last_date + timedelta(days=1) if latest else _earliest(now.date()).replace(day=1)
    until = _months_later(now.date().replace(day=1), ahead)
    made = 0
    while first <= until:
        last = first.replace(day=monthrange(first.year, first.month)[1])
        with refusals():
            Period.objects.create(first_date=first, last_date=last, changed_at=now, changed_by=_actor())
        first, made = last + timedelta(days=1), made + 1
    return made


@transaction.atomic
def begin_close(*, period_id: int, soft: bool = False, now: datetime) -> Period:
    """
    Stop ordinary postings into a period; a job then does the steps of its close, unless the close is to stay soft.

    Waits for postings under way; it takes milliseconds. What may still be posted are the steps' own entries and
    journals that two people agree on.

    :param soft: stay so until `close_for_good`
    :raises NotFound: if there is no such period
    :raises PeriodStatusConflict: if it is not open
    :raises PeriodOutOfOrder: if an earlier one is not closed, or the month is not over
    """
    period = _locked(period_id, PeriodStatus.OPEN)
    if period.last_date >= now.date():
        raise PeriodOutOfOrder
    period.soft = soft
    return _turn(period, PeriodStatus.CLOSING, now)


@transaction.atomic
def close_for_good(*, period_id: int, now: datetime) -> Period:
    """
    Let a job do the steps of a close that was soft so far.

    :raises NotFound: if there is no such period
    :raises PeriodStatusConflict: if it is not being closed
    """
    period = _locked(period_id, PeriodStatus.CLOSING)
    period.soft, period.changed_at, period.changed_by = False, now, _actor()
    with refusals():
        period.save(update_fields=["soft", "changed_at", "changed_by"])
    _record(period, "close_for_good", {"soft": [True, False]})
    return period


@transaction.atomic
def stop_close(*, period_id: int, now: datetime) -> Period:
    """
    Open a period whose close has begun but not ended; the next attempt does all steps again.

    :raises NotFound: if there is no such period
    :raises PeriodStatusConflict: if it is not being closed
    """
    period = _locked(period_id, PeriodStatus.CLOSING)
    period.soft = False
    return _turn(period, PeriodStatus.OPEN, now)


def continue_close(*, period_id: int, now: datetime) -> tuple[str, ...]:
    """
    Do the steps that this attempt has not done yet, each in its own transaction, then close the period for good.

    Returns what stands against the next step, in words; nothing when the period is closed. Safe to repeat, also after
    it broke off anywhere.

    :raises NotFound: if there is no such period
    :raises PeriodStatusConflict: if it is not being closed
    """
    for name, step in steps_in_order():
        prepared = step.prepare(now) if step.prepare else ""
        points = _do_step(period_id, name, step, prepared=prepared, now=now)
        if points:
            return points
    points = _finish(period_id, now)
    if not points:
        # The closing itself is vouched for at once as well.
        for _, step in steps_in_order():
            if step.prepare:
                step.prepare(now)
    return points


def ask_reopen(*, period_id: int, maker_id: int, reason_code: str, note: str, now: datetime) -> Approval:
    """
    Ask a second person to let the latest closed period be opened again.

    :raises NotFound: if there is no such period
    :raises PeriodStatusConflict: if it is not closed
    :raises PeriodOutOfOrder: if a later one is closed or being closed
    :raises ApprovalPending: if somebody asked before
    """
    period = _get(period_id)
    _check_reopen(period)
    return request_approval(
        action=REOPEN,
        object_type="ledger_period",
        object_id=period.public_id,
        payload={"opens": str(period)},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


def _reopen(approval: Approval, now: datetime) -> None:
    period = _locked(_by_public_id(approval.object_id).pk, PeriodStatus.CLOSED)
    _check_reopen(period)
    _turn(period, PeriodStatus.OPEN, now, reopen_approval=approval)
    outbox.publish(
        type=PERIOD_REOPENED,
        object_type="ledger_period",
        object_id=period.public_id,
        partner_id=None,
        data={"id": period.public_id, "first": str(period.first_date), "last": str(period.last_date)},
        at=now,
    )


def _evidence(object_id: str) -> Mapping[str, object]:
    period = _by_public_id(object_id)
    closing = PeriodClosing.objects.filter(period=period, version=period.version).first()
    return {
        "period": str(period),
        "status": period.status,
        "version": period.version,
        "digest": bytes(closing.digest).hex() if closing else "",
    }


APPROVALS.register(REOPEN)(
    ApprovalKind(
        title="Open a closed period again",
        permission="ledger.approve_reopen",
        maker_permission="ledger.reopen_period",
        evidence=_evidence,
        execute=_reopen,
        object_href=lambda object_id: reverse("admin:ledger_period_change", args=[object_id]),
        hours=72,
    )
)


class _Stands(Exception):
    def __init__(self, points: tuple[str, ...]) -> None:
        super().__init__()
        self.points = points


def _must_be_done(points: tuple[str, ...]) -> None:
    if points:
        raise _Stands(points)


@transaction.atomic
def _do_step(
    period_id: int, name: str, step: ClosingStep, *, prepared: str, now: datetime
) -> tuple[str, ...]:
    """Do one step unless it is done, and return what stands against it; then nothing of it is kept."""
    period = _locked(period_id, PeriodStatus.CLOSING)
    if PeriodStep.objects.filter(period=period, attempt=period.attempt, name=name).exists():
        return ()
    try:
        with transaction.atomic():
            result = step.run(period.first_date, period.last_date, now) if step.run else prepared
            _must_be_done(tuple(open_points(period, step, now)))
    except _Stands as found:
        return found.points
    except AppError as refusal:
        return (refusal.detail,)
    PeriodStep.objects.create(
        period=period, attempt=period.attempt, name=name, result=result[:300], actor=_actor(), done_at=now
    )
    return ()


@transaction.atomic
def _finish(period_id: int, now: datetime) -> tuple[str, ...]:
    period = _locked(period_id, PeriodStatus.CLOSING)
    if period.soft:
        return ("It is closed softly, until somebody closes it for good.",)
    # Journals of two people may have come since a step was done: ask each again before the books are shut.
    points = tuple(point for _, step in steps_in_order() for point in open_points(period, step, now))
    if points:
        return points
    period.status, period.changed_at = PeriodStatus.CLOSED, now
    with refusals():
        period.save(update_fields=["status", "changed_at"])
    closing = PeriodClosing.objects.filter(period=period).latest("version")
    digest = bytes(closing.digest).hex()
    # In the trail too, whose rows are signed by themselves.
    _record(period, "close", {"version": [closing.version - 1, closing.version], "digest": [None, digest]})
    outbox.publish(
        type=PERIOD_CLOSED,
        object_type="ledger_period",
        object_id=period.public_id,
        partner_id=None,
        data={
            "id": period.public_id,
            "first": str(period.first_date),
            "last": str(period.last_date),
            "version": closing.version,
            "digest": digest,
        },
        at=now,
    )
    return ()


def _turn(
    period: Period,
    status: PeriodStatus,
    now: datetime,
    *,
    reopen_approval: Approval | None = None,
) -> Period:
    before = period.status
    period.status, period.changed_at, period.changed_by = status, now, _actor()
    fields = ["status", "soft", "changed_at", "changed_by"]
    if reopen_approval is not None:
        period.reopen_approval = reopen_approval
        fields.append("reopen_approval")
    with refusals():
        period.save(update_fields=fields)
    # The database has counted the attempt.
    period.refresh_from_db()
    verb = "begin_close" if status == PeriodStatus.CLOSING else "reopen" if reopen_approval else "stop_close"
    _record(
        period, verb, {"status": [before, str(status)], **({"soft": [False, True]} if period.soft else {})}
    )
    return period


def _record(period: Period, verb: str, changes: Mapping[str, list[object]]) -> None:
    trail.record(
        action=f"ledger_period.{verb}",
        object_type="ledger_period",
        object_id=period.public_id,
        changes=dict(changes),
    )


def _check_reopen(period: Period) -> None:
    if period.status != PeriodStatus.CLOSED:
        raise PeriodStatusConflict(status=period.status)
    later = Period.objects.filter(first_date__gt=period.last_date).exclude(status=PeriodStatus.OPEN)
    if later.exists():
        raise PeriodOutOfOrder


def _locked(period_id: int, status: PeriodStatus) -> Period:
    try:
        period = lock(Period.objects.filter(pk=period_id)).get()
    except Period.DoesNotExist:
        raise NotFound from None
    if period.status != status:
        raise PeriodStatusConflict(status=period.status)
    return period


def _get(period_id: int) -> Period:
    try:
        return Period.objects.get(pk=period_id)
    except Period.DoesNotExist:
        raise NotFound from None


def _by_public_id(public_id: str) -> Period:
    try:
        return Period.objects.get(public_id=public_id)
    except Period.DoesNotExist:
        raise NotFound from None


def _actor() -> str:
    return trail.current_actor().text


def _earliest(today: date) -> date:
    first = Posting.objects.order_by("effective_date").values_list("effective_date", flat=True).first()
    return min(first or today, today)


def _months_later(month: date, months: int) -> date:
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)
