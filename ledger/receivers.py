"""What the ledger does when something happened in it that is to be followed up in a worker."""

from datetime import datetime

from celery import current_app
from django.db import transaction

from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS
from ledger.events import BANK_STATEMENT_ACCEPTED
from ledger.reconciliation.accepted import FOLLOW_TASK


@RECEIVERS.register("ledger.bank_statements")
def follow_statement(event: Event, _now: datetime) -> None:
    """Let a worker do what follows an accepted statement; a repetition does it again, which changes nothing."""
    if event.type == BANK_STATEMENT_ACCEPTED:
        statement = event.object_id
        transaction.on_commit(
            lambda: current_app.send_task(FOLLOW_TASK, kwargs={"statement_public_id": statement})
        )
