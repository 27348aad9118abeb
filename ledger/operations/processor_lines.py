"""What moved our balance at a payment processor, kept beside the bank's lines so that the three can be compared."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError
from flowlet.core.outcomes import Outcome
from flowlet.integrations.stripe.client import Movement, list_movements
from ledger.models.reconciliation import ProcessorLine

_STRIPE, _PAYOUT = "stripe", "payout"


class ProcessorSilent(AppError):
    """The processor did not hand out its list; nothing was stored."""

    code = "processor_silent"
    http_status = 503
    title = "Processor did not answer"
    message = "The processor did not hand out its movements ({reason})."
    next_action = "try_later"
    next_text = "Try again later, with fewer days if there are too many movements."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason or "no answer")


def import_stripe(*, since: datetime, until: datetime) -> int:
    """
    Fetch what changed our balance at Stripe in [since, until) and return how many lines are new.

    Safe to repeat: a line is stored once, under the processor's own id.

    :raises ProcessorSilent: if Stripe does not answer, or there are more movements than are read at once
    """
    answer = list_movements(since=since, until=until)
    if answer.outcome is not Outcome.DONE or answer.value is None:
        raise ProcessorSilent(reason=answer.code)
    return record_processor_lines(_line(movement) for movement in answer.value)


def _line(movement: Movement) -> ProcessorLine:
    return ProcessorLine(
        processor=_STRIPE,
        reference=movement.id,
        kind=movement.kind[:40],
        amount_minor=movement.amount.minor,
        fee_minor=movement.fee.minor,
        net_minor=movement.net.minor,
        currency=movement.amount.currency,
        source=movement.source,
        intent=movement.intent,
        # A payout names itself; which movements it holds is told only by payouts that Stripe starts on its own.
        payout=movement.source if movement.kind == _PAYOUT else "",
        created_at=movement.created_at,
        available_at=movement.available_at,
    )


@transaction.atomic
def record_processor_lines(lines: Iterable[ProcessorLine]) -> int:
    """Store lines that are not there yet, and return how many that were."""
    rows = list(lines)
    before = ProcessorLine.objects.count()
    ProcessorLine.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    new = ProcessorLine.objects.count() - before
    if new:
        trail.record(
            action="processor_line.import",
            object_type="processor",
            object_id=rows[0].processor,
            changes={"lines": [None, new]},
        )
    return new
