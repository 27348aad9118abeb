"""A processor's payouts from three sides: our books, the processor's own lines, and the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from ledger.models.matching import MatchLeg
from ledger.models.reconciliation import BankLine, ProcessorLine

PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """
    One payout, minor units; money to our bank is above zero. None: that side does not know it yet.

    `gross_minor - fee_minor = net_minor` is the sum of what the processor says is in it, `sent_minor` its own line of
    the payout, `booked_minor` what of our postings the bank's line was matched with, `bank_minor` that line.
    """

    processor: str
    payout: str
    currency: str
    at: datetime
    count: int
    gross_minor: int
    fee_minor: int
    net_minor: int
    sent_minor: int | None
    bank_minor: int | None
    bank_line: BankLine | None
    booked_minor: int | None

    @property
    def agrees(self) -> bool:
        """Tell whether all sides name one amount."""
        return self.net_minor == self.sent_minor == self.bank_minor == self.booked_minor


def list_payouts() -> QuerySet[ProcessorLine, Any]:
    """Return the payouts that the processors' lines name, newest first, with their sums."""
    inside = ~Q(kind=PAYOUT)
    return (
        ProcessorLine.objects.exclude(payout="")
        .values("processor", "payout", "currency")
        .annotate(
            at=Max("available_at"),
            count=Count("pk", filter=inside),
            gross=Sum("amount_minor", filter=inside, default=0),
            fee=Sum("fee_minor", filter=inside, default=0),
            net=Sum("net_minor", filter=inside, default=0),
        )
        .order_by("-at", "payout")
    )


def views_of(payouts: Sequence[Any]) -> list[PayoutView]:
    """Return these payouts from all three sides, in three queries."""
    names = [row["payout"] for row in payouts]
    sent = dict(
        ProcessorLine.objects.filter(kind=PAYOUT, payout__in=names)
        .values_list("payout")
        .annotate(out=-Sum("net_minor"))
        .order_by()
    )
    lines = _lines(names)
    legs = MatchLeg.objects.filter(
        line__in=list(lines.values()), match__undone_at__isnull=True, posting__isnull=False
    )
    booked = dict(legs.values_list("line_id").annotate(taken=Sum(F("amount_minor"))).order_by())
    found = []
    for row in payouts:
        line = lines.get(row["payout"])
        found.append(
            PayoutView(
                processor=row["processor"],
                payout=row["payout"],
                currency=row["currency"],
                at=row["at"],
                count=row["count"],
                gross_minor=row["gross"],
                fee_minor=row["fee"],
                net_minor=row["net"],
                sent_minor=sent.get(row["payout"]),
                bank_minor=line.amount_minor if line else None,
                bank_line=line,
                booked_minor=booked.get(line.pk) if line else None,
            )
        )
    return found


def _lines(payouts: Sequence[str]) -> dict[str, BankLine]:
    """Return the bank's line of each payout: it carries the payout's id as its batch or end-to-end id."""
    rows = BankLine.objects.filter(Q(batch_id__in=payouts) | Q(end_to_end_id__in=payouts)).order_by("-pk")
    found: dict[str, BankLine] = {}
    for line in rows:
        for name in (line.batch_id, line.end_to_end_id):
            if name:
                found[name] = line
    return found
