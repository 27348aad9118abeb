"""Celery entry points of the ledger."""

from datetime import UTC, datetime, time, timedelta

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.operations import anchoring, checking, holds, sealing

_AT_ONCE = 50
_VERIFY_S = 6 * 3_600
_SUNDAY = 7


@shared_task(name="ledger.expire_holds")
def expire_holds(**_: object) -> int:
    """Give back what is held beyond its time; safe to run twice, an expired hold is final."""
    # Few in one transaction: the balances it touches stay locked until it commits.
    done, latest = 0, _AT_ONCE
    with acting(Actor("SYSTEM", "job:ledger.expire_holds")):
        while latest == _AT_ONCE:
            latest = holds.expire_holds(now=now(), limit=_AT_ONCE)
            done += latest
    return done


@shared_task(name="ledger.seal")
def seal(**_: object) -> int:
    """Seal what was booked; safe to run twice, a row is sealed once."""
    return sealing.seal()


@shared_task(name="ledger.anchor")
def anchor(**_: object) -> str:
    """Sign the latest block and write it outside; safe to run twice, a block has one anchor."""
    with acting(Actor("SYSTEM", "job:ledger.anchor")):
        latest = anchoring.anchor(now=now())
    return "nothing booked yet" if latest is None else f"block {latest.pk}"


@shared_task(name="ledger.verify_nightly", time_limit=_VERIFY_S)
def verify_nightly(**_: object) -> str:
    """Check the ledger since yesterday, on Sundays all of it; only reads."""
    at = now()
    midnight = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    since = None if midnight.isoweekday() == _SUNDAY else midnight - timedelta(days=1)
    with acting(Actor("SYSTEM", "job:ledger.verify_nightly")):
        return checking.check_now(since=since, now=at)


@shared_task(name=checking.CHECK_TASK, time_limit=_VERIFY_S)
def verify(*, check_id: int, **_: object) -> str:
    """Do a check that somebody asked for; one that ended is left as it is."""
    return checking.run_check(check_id=check_id, now=now())
