"""Celery entry points around bank files and processors."""

from datetime import timedelta
from pathlib import Path

from celery import shared_task
from django.conf import settings

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.models.reconciliation import BankStatement
from ledger.operations.bank_inbox import accept_waiting, stage_dropped
from ledger.operations.processor_lines import import_stripe
from ledger.reconciliation.accepted import FOLLOW_TASK, tell_accepted

_AT_ONCE = 50
_PROCESSOR_SPAN = timedelta(days=3)


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
        if settings.FLOWLET_BANK_INBOX:
            stage_dropped(folder=Path(settings.FLOWLET_BANK_INBOX), now=now())
        return accept_waiting(clock=now, limit=_AT_ONCE)


@shared_task(name="ledger.read_processor_lines")
def read_processor_lines(**_: object) -> int:
    """Fetch what moved our balance at Stripe in the latest days; return how many lines are new."""
    with acting(Actor("SYSTEM", "job:ledger.read_processor_lines")):
        return import_stripe(since=now() - _PROCESSOR_SPAN, until=now())
