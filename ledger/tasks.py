"""Celery entry points of the ledger."""

import logging
from datetime import UTC, datetime, time, timedelta

from celery import shared_task
from django.conf import settings

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.operations import (
    anchoring,
    checking,
    deals,
    exports,
    holds,
    periods,
    queue,
    sealing,
    shards,
    statements,
)
from ledger.operations.partitions import make_months
from ledger.queries.partitions import estimated_postings, is_partitioned
from ledger.queries.periods import list_closing

_AT_ONCE, _ACCOUNTS_AT_ONCE = 50, 500
_log = logging.getLogger(__name__)
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


@shared_task(name="ledger.issue_statements")
def issue_statements(**_: object) -> int:
    """Issue the official statements of months that are over; safe to run twice, a day has one statement."""
    done, after = 0, -1
    with acting(Actor("SYSTEM", "job:ledger.issue_statements")):
        while after:
            issued, after = statements.issue_month_ends(
                now=now(), limit=_ACCOUNTS_AT_ONCE, after=max(after, 0)
            )
            done += issued
    return done


@shared_task(name="ledger.run_exports", time_limit=4 * 3600)
def run_exports(**_: object) -> int:
    """Make the exports that wait; safe to run twice, each is claimed, and files that are finished stay."""
    done = 0
    with acting(Actor("SYSTEM", "job:ledger.run_exports")):
        while exports.run_export(clock=now):
            done += 1
    return done


@shared_task(name="ledger.expire_exports")
def expire_exports(**_: object) -> int:
    """Delete the files of exports that were kept long enough; safe to run twice, an expired one is final."""
    done, latest = 0, _AT_ONCE
    with acting(Actor("SYSTEM", "job:ledger.expire_exports")):
        while latest == _AT_ONCE:
            latest = exports.expire_exports(now=now(), limit=_AT_ONCE)
            done += latest
    return done


@shared_task(name="ledger.realise_results")
def realise_results(**_: object) -> int:
    """Book what currency deals earned or lost; safe to run twice, each posting is worked out once."""
    with acting(Actor("SYSTEM", "job:ledger.realise_results")):
        return sum(done.postings for done in deals.realise_results(now=now()))


@shared_task(name="ledger.make_periods")
def make_periods(**_: object) -> int:
    """Make the months of the books that are due; safe to run twice, a month is made once."""
    with acting(Actor("SYSTEM", "job:ledger.make_periods")):
        return periods.make_periods(now=now())


@shared_task(name="ledger.continue_closes")
def continue_closes(**_: object) -> int:
    """Go on with the close that has begun, if there is one, and return what stands against it; safe to run twice."""
    with acting(Actor("SYSTEM", "job:ledger.continue_closes")):
        return sum(len(periods.continue_close(period_id=period.pk, now=now())) for period in list_closing())


@shared_task(name="ledger.post_queued")
def post_queued(**_: object) -> int:
    """Post what waits in the queue; safe to run twice, the ledger knows each draft's key."""
    done, latest = 0, queue.AT_ONCE
    with acting(Actor("SYSTEM", "job:ledger.post_queued")):
        while latest == queue.AT_ONCE:
            latest = queue.post_queued(now=now())
            done += latest
    return done


@shared_task(name="ledger.open_shards")
def open_shards(**_: object) -> int:
    """Open the shards of busy accounts that the setting asks for."""
    with acting(Actor("SYSTEM", "job:ledger.open_shards")):
        return shards.open_missing(now=now())


@shared_task(name="ledger.make_partitions")
def make_partitions(**_: object) -> str:
    """Make the months ahead where postings are parted; safe to run twice."""
    if is_partitioned():
        return f"{make_months()} months made"
    count = estimated_postings()
    if count <= settings.LEDGER_PARTITION_ABOVE:
        return "not parted"
    _log.warning("about %s postings: it is time for manage.py partition_ledger", f"{count:,}")
    return f"not parted, about {count:,} postings: run partition_ledger"


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
