"""What a processor keeps for itself: booked from its own lines, so that a payout's postings make its net amount."""

from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef

from flowlet.core.money import Money
from ledger.models.reconciliation import ProcessorLine
from ledger.models.transactions import LedgerTransaction
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg, post_many
from ledger.queries.matching import PROCESSOR_SOURCE
from ledger.queries.periods import value_date

_AT_ONCE = 200


@transaction.atomic
def book_processor_fees(*, now: datetime) -> int:
    """Book the fees of processors' lines that are not booked yet, some hundred at once; return how many."""
    booked = LedgerTransaction.objects.filter(source=PROCESSOR_SOURCE, source_key=OuterRef("public_id"))
    rows = ProcessorLine.objects.exclude(fee_minor=0).filter(~Exists(booked)).order_by("pk")
    drafts = [_draft(line, now) for line in islice(rows.iterator(), _AT_ONCE)]
    post_many(drafts=drafts, now=now)
    return len(drafts)


def _draft(line: ProcessorLine, now: datetime) -> Draft:
    fee = Money(line.fee_minor, line.currency)
    cost = house_account(chart_code="PROCESSING_COST", currency=line.currency, now=now)
    clearing = house_account(chart_code="SETTLEMENT_CLEARING", currency=line.currency, now=now)
    return Draft(
        kind="PROCESSOR_FEE",
        source=PROCESSOR_SOURCE,
        source_key=line.public_id,
        # The processor's line may come when its month is closed.
        effective_date=value_date(line.created_at.date()),
        legs=(Leg(cost.pk, fee), Leg(clearing.pk, -fee)),
        context={"processor_line": line.public_id},
    )
