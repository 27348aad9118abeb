"""Runs of the proof: asked for by a person or the clock, done by a worker, kept with what they found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from celery import current_app
from django.core.cache import cache
from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core import clock
from flowlet.core.errors import Conflict
from flowlet.events import outbox
from ledger.anchoring.stores import configured
from ledger.choices import CheckScope, CheckStatus
from ledger.events import SEAL_BROKEN
from ledger.models.seals import Block, LedgerCheck
from ledger.queries.chain import Span, Step, read_outside, silent, verify_chain
from ledger.queries.verification import Answer, Report, verify

CHECK_TASK = "ledger.verify"
_FINDINGS_KEPT = 200
# No run takes longer: what still stands as running then died with its worker.
_LIFE = timedelta(hours=12)
_STEP_S = 3_600


class CheckRunning(Conflict):
    """The ledger is being verified already."""

    code = "check_running"
    title = "A check is running"
    message = "The ledger is being checked already. Its result will stand here when it is done."


def prove(
    *,
    since: datetime | None = None,
    now: datetime,
    chain: bool = True,
    progress: Callable[[Answer], None] = lambda _answer: None,
    step: Step = silent,
) -> Report:
    """
    Check the ledger: everything, or rows from `since` on and one in 97 of the older ones, another one each day.

    `chain` adds signatures, blocks, totals, words and anchors; a partial check is one of the chain. Changes nothing.
    """
    outside = read_outside(configured(), step=step) if chain else []
    span = Span(since, turn=now.astimezone(UTC).toordinal())
    return verify(
        progress=progress,
        **({} if since is None else {"checks": ()}),
        more=lambda: verify_chain(span=span, outside=outside, step=step) if chain else (),
    )


def check_now(*, since: datetime | None, now: datetime) -> str:
    """
    Check the ledger and return the outcome; `since` as for `prove`.

    :raises CheckRunning: if one waits or runs
    """
    with transaction.atomic():
        check = _ask_for(since=since, now=now)
    return run_check(check_id=check.pk, now=now)


@transaction.atomic
def request_check(*, since: datetime | None, now: datetime) -> LedgerCheck:
    """
    Ask for a check, which a worker does; `since` empty: of everything.

    :raises CheckRunning: if one waits or runs
    """
    check = _ask_for(since=since, now=now)
    transaction.on_commit(lambda: current_app.send_task(CHECK_TASK, kwargs={"check_id": check.pk}))
    return check


def _ask_for(*, since: datetime | None, now: datetime) -> LedgerCheck:
    lost = LedgerCheck.objects.filter(
        status__in=(CheckStatus.WAITING, CheckStatus.RUNNING), asked_at__lt=now - _LIFE
    )
    lost.update(status=CheckStatus.FAILED, finished_at=now)
    actor = trail.current_actor()
    try:
        with transaction.atomic():
            check = LedgerCheck.objects.create(
                scope=CheckScope.ALL if since is None else CheckScope.PARTIAL,
                since=since,
                asked_by=actor.text,
                asked_at=now,
            )
    except IntegrityError:
        raise CheckRunning from None
    trail.record(
        action="ledger.verify",
        object_type="ledger_check",
        object_id=check.public_id,
        changes={"scope": [None, check.scope]},
    )
    return check


def run_check(*, check_id: int, now: datetime) -> str:
    """
    Do a check that was asked for and keep what it found; return its status. Faults are told to the house.

    Safe to run twice: it only reads, and one that ended is left as it is.
    """
    open_states = (CheckStatus.WAITING, CheckStatus.RUNNING)
    rows = LedgerCheck.objects.filter(pk=check_id, status__in=open_states)
    if not rows.update(status=CheckStatus.RUNNING, started_at=now):
        return LedgerCheck.objects.get(pk=check_id).status
    check = LedgerCheck.objects.get(pk=check_id)
    latest = Block.objects.order_by("-n").values_list("n", flat=True).first() or 0

    def step(title: str, done: int, total: int) -> None:
        cache.set(_step_key(check_id), f"{title}: {done:,} of {total:,}", _STEP_S)

    try:
        report = prove(
            since=check.since,
            now=now,
            step=step,
            progress=lambda answer: step(answer.check.title, answer.rows, answer.rows),
        )
    except Exception:
        rows.update(status=CheckStatus.FAILED, finished_at=clock.now())
        raise
    return _keep(check, report, latest)


@transaction.atomic
def _keep(check: LedgerCheck, report: Report, block: int) -> str:
    status, ended = (
        CheckStatus.CLEAN if report.clean else CheckStatus.FAULTS,
        max(clock.now(), check.asked_at),
    )
    kept = LedgerCheck.objects.filter(pk=check.pk, status=CheckStatus.RUNNING).update(
        status=status,
        finished_at=ended,
        rows=sum(answer.rows for answer in report.answers),
        faults=report.faults,
        findings=[[f.check, f.row, f.field, f.text] for f in report.findings[:_FINDINGS_KEPT]],
        block=block,
    )
    if kept and not report.clean:
        _tell(check, report, block, ended)
    return str(status)


def _tell(check: LedgerCheck, report: Report, block: int, at: datetime) -> None:
    # Which rows they are stands on the page of the proof, for those who may see it.
    outbox.publish(
        type=SEAL_BROKEN,
        object_type="ledger_check",
        object_id=check.public_id,
        partner_id=None,
        data={
            "id": check.public_id,
            "scope": check.scope,
            "faults": report.faults,
            "checks": [answer.check.name for answer in report.answers if answer.faults],
            "block": block,
        },
        at=at,
    )


def step_of(check_id: int) -> str:
    """Return how far a running check is, in words; '' if nobody knows."""
    return str(cache.get(_step_key(check_id)) or "")


def _step_key(check_id: int) -> str:
    return f"ledger-check-{check_id}"
