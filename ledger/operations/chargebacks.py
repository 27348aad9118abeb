"""
Chargebacks: what a processor took back for a disputed payment, and what came back when the dispute was won.

Booked from the processor's own lines, against the settlement clearing. The fee of a dispute is a fee like any other
(`processor_fees`). Source: Stripe's documentation, "Reporting categories": `dispute`, `dispute_reversal`; read 2026-11-24.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from flowlet.audit import trail
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.models.reconciliation import ProcessorLine
from ledger.models.transactions import LedgerTransaction
from ledger.operations.accounts import house_account
from ledger.operations.owing import post_forced
from ledger.operations.posting import Draft, Leg, Posted, post
from ledger.queries.matching import PROCESSOR_SOURCE
from ledger.queries.periods import value_date
from ledger.reconciliation.charged import CHARGED, Charged

DISPUTES = ("dispute", "dispute_reversal")
_KEY = ":dispute"
_AT_ONCE = 200
_UNKNOWN = Charged(account_id=None, text="Disputed card payment", context={})


def book_chargebacks(*, now: datetime) -> int:
    """
    Book the disputes among processors' lines that are not booked yet, some hundred at once; return how many.

    What was taken back leaves the account that the payment's money went to; what that cannot pay, its customer owes. What
    comes back is credited to it, or waits on suspense if it takes nothing. A payment that nobody knows is booked against
    suspense. Each line is a transaction of its own and booked once.
    """
    booked = LedgerTransaction.objects.filter(
        source=PROCESSOR_SOURCE, source_key=Concat(OuterRef("public_id"), Value(_KEY))
    )
    waiting = ProcessorLine.objects.filter(kind__in=DISPUTES).exclude(amount_minor=0).filter(~Exists(booked))
    lines = list(waiting.order_by("created_at", "pk")[:_AT_ONCE])
    known = {
        processor: CHARGED.get(processor)({line.intent for line in lines if line.processor == processor})
        for processor in {line.processor for line in lines}
        if processor in CHARGED
    }
    for line in lines:
        _book(line, known.get(line.processor, {}).get(line.intent, _UNKNOWN), now)
    return len(lines)


@transaction.atomic
def _book(line: ProcessorLine, charged: Charged, now: datetime) -> None:
    suspense = house_account(chart_code="SUSPENSE", currency=line.currency, now=now).pk
    draft = _draft(line, charged, charged.account_id or suspense, now)
    if line.amount_minor < 0:
        posted = post_forced(draft=draft, now=now)
    else:
        posted = _give(draft, _draft(line, charged, suspense, now), now)
    trail.record(
        action=f"processor_line.{line.kind}",
        object_type="processor_line",
        object_id=line.public_id,
        changes={"transaction": [None, posted.public_id]},
    )


def _give(draft: Draft, instead: Draft, now: datetime) -> Posted:
    """Credit the account; if it takes nothing now, suspense: the money has come, whatever happened to the account."""
    try:
        with transaction.atomic():
            return post(draft=draft, now=now)
    except AppError:
        return post(draft=instead, now=now)


def _draft(line: ProcessorLine, charged: Charged, account_id: int, now: datetime) -> Draft:
    amount = Money(line.amount_minor, line.currency)
    clearing = house_account(chart_code="SETTLEMENT_CLEARING", currency=line.currency, now=now)
    return Draft(
        kind="CHARGEBACK" if line.amount_minor < 0 else "CHARGEBACK_REVERSED",
        source=PROCESSOR_SOURCE,
        source_key=f"{line.public_id}{_KEY}",
        effective_date=value_date(line.created_at.date()),
        legs=(Leg(clearing.pk, amount), Leg(account_id, -amount)),
        text=charged.text,
        context={**charged.context, "processor_line": line.public_id},
    )
