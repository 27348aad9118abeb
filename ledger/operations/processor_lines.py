"""What moved our balance at a payment processor, kept beside the bank's lines so that the three can be compared."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError
from flowlet.core.outcomes import Outcome
from flowlet.integrations.stripe.client import Movement, list_movements, list_paid_out
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

    Safe to repeat: a line is stored once, under the processor's own id. What a payout by Stripe's schedule holds is asked
    for once, when the payout is seen; its lines, which were there before it, then name it.

    :raises ProcessorSilent: if Stripe does not answer, or there are more movements than are read at once
    """
    answer = list_movements(since=since, until=until)
    if answer.outcome is not Outcome.DONE or answer.value is None:
        raise ProcessorSilent(reason=answer.code)
    new = record_processor_lines(_line(movement) for movement in answer.value)
    for payout in _payouts_to_open(answer.value):
        inside = list_paid_out(payout=payout)
        if inside.outcome is not Outcome.DONE or inside.value is None:
            raise ProcessorSilent(reason=inside.code)
        # What is older than the time that was asked for is stored here.
        new += record_processor_lines(_line(movement) for movement in inside.value)
        _name_payout(payout, [movement.id for movement in inside.value])
    return new


def _payouts_to_open(movements: Iterable[Movement]) -> list[str]:
    """Return the payouts by schedule of which no other line is known yet, oldest first."""
    scheduled = [one for one in movements if one.kind == _PAYOUT and one.automatic]
    names = [one.source for one in sorted(scheduled, key=lambda one: one.created_at)]
    lines = ProcessorLine.objects.filter(processor=_STRIPE, payout__in=names).exclude(kind=_PAYOUT)
    known = set(lines.values_list("payout", flat=True))
    return [name for name in names if name not in known]


@transaction.atomic
def _name_payout(payout: str, references: Sequence[str]) -> None:
    lines = ProcessorLine.objects.filter(processor=_STRIPE, reference__in=references, payout="")
    named = lines.update(payout=payout)
    trail.record(
        action="processor_line.pay_out",
        object_type="processor",
        object_id=_STRIPE,
        changes={"payout": [None, payout], "lines": [None, named]},
    )


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
        # A payout names itself; what it holds is told only by payouts that Stripe starts on its own, and asked for then.
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
