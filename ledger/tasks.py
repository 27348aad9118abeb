"""Celery entry points of the ledger."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.models.reconciliation import BankStatement
from ledger.operations import holds, queue, shards
from ledger.operations.breaks import age_breaks
from ledger.operations.matching import match_lines
from ledger.operations.partitions import make_months
from ledger.operations.processor_fees import book_processor_fees
from ledger.operations.reconciliation import accept_file
from ledger.operations.safeguarding import prove_safeguarding
from ledger.queries.partitions import estimated_postings, is_partitioned
from ledger.queries.reconciliation import list_unfinished_files
from ledger.reconciliation.accepted import FOLLOW_TASK, tell_accepted

_AT_ONCE = 50
_log = logging.getLogger(__name__)


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


@shared_task(name=FOLLOW_TASK)
def follow_bank_statement(*, statement_public_id: str, **_: object) -> None:
    """Let everybody see an accepted statement; they do nothing twice."""
    with acting(Actor("SYSTEM", f"job:{FOLLOW_TASK}")):
        statement = BankStatement.objects.get(public_id=statement_public_id, accepted_at__isnull=False)
        tell_accepted(statement_id=statement.pk, now=now())


@shared_task(name="ledger.accept_bank_files")
def accept_bank_files(**_: object) -> int:
    """Read the files that wait, and go on with those a worker left half-way; return how many were looked at."""
    with acting(Actor("SYSTEM", "job:ledger.accept_bank_files")):
        waiting = list(list_unfinished_files().values_list("pk", flat=True)[:_AT_ONCE])
        for file_id in waiting:
            accept_file(file_id=file_id, now=now())
    return len(waiting)


@shared_task(name="ledger.match_lines")
def match_bank_lines(**_: object) -> int:
    """Book what processors kept, then match what is open: postings may have come since; nothing is matched twice."""
    with acting(Actor("SYSTEM", "job:ledger.match_lines")):
        book_processor_fees(now=now())
        return match_lines(now=now()).matches


@shared_task(name="ledger.age_breaks")
def raise_breaks(**_: object) -> int:
    """Raise a break for each posting that a bank should have shown by now; one that is there is kept."""
    with acting(Actor("SYSTEM", "job:ledger.age_breaks")):
        return age_breaks(now=now())


@shared_task(name="ledger.prove_safeguarding")
def prove_client_money(**_: object) -> int:
    """Prove that what customers were owed yesterday lay at banks; the same standing makes no second proof."""
    with acting(Actor("SYSTEM", "job:ledger.prove_safeguarding")):
        at = now()
        return len(prove_safeguarding(day=(at - timedelta(days=1)).date(), now=at))


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
