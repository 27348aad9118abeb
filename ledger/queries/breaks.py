"""Breaks as lists and figures need them, and what of them stops the close of a period."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db import connection
from django.db.models import Count, Q, QuerySet

from flowlet.core.money import Money
from ledger.choices_bank import BankLineStatus
from ledger.choices_matching import AGES, LIVE_STATES, BreakState
from ledger.models.matching import Break
from ledger.models.reconciliation import BankLine

_SHOWN = 20
_SUSPENSE = """
SELECT a.public_id, c.name, a.name, a.currency, sum(p.amount)::bigint
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
JOIN ledger_chartaccount c ON c.id = a.chart_account_id
WHERE c.code IN ('SUSPENSE', 'UNALLOCATED_RECEIPTS') AND p.effective_date <= %s
GROUP BY a.id, a.public_id, c.name, a.name, a.currency HAVING sum(p.amount) <> 0 ORDER BY a.id
"""


def list_live_breaks() -> QuerySet[Break]:
    """Return the breaks that are neither resolved nor written off, first due first."""
    return Break.objects.filter(state__in=LIVE_STATES).order_by("due_at", "pk")


def open_points(last: date) -> Sequence[str]:
    """Return what of bank lines, breaks and suspense stands in the way of a close up to that day, in words."""
    points = []
    waiting = BankLine.objects.filter(
        status=BankLineStatus.OPEN, booking_date__lte=last, statement__accepted_at__isnull=False
    ).count()
    if waiting:
        points.append(f"{waiting:,} bank lines were not matched yet. Run the matching.")
    unexplained = Break.objects.filter(state=BreakState.OPEN, since__lte=last).order_by("since", "pk")
    points += [
        f"Break {one.public_id} over {Money(one.amount_minor, one.currency).format()} since "
        f"{one.since:%-d %b %Y} is not explained."
        for one in unexplained[:_SHOWN]
    ]
    if (more := unexplained.count() - _SHOWN) > 0:
        points.append(f"{more:,} more breaks are not explained.")
    with connection.cursor() as cursor:
        cursor.execute(_SUSPENSE, [last])
        points += [
            f"{name or heading} still holds {Money(abs(minor), currency).format()} ({public_id})."
            for public_id, heading, name, currency, minor in cursor.fetchall()
        ]
    return points


def count_by_age(today: date) -> Mapping[str, int]:
    """Return how many live breaks there are of each age, by the words for it, in one query."""
    counts = {title: Count("pk", filter=_aged(today, least, most)) for least, most, title in AGES}
    found = Break.objects.filter(state__in=LIVE_STATES).aggregate(
        **{f"age{at}": count for at, count in enumerate(counts.values())}
    )
    return {title: found[f"age{at}"] for at, title in enumerate(counts)}


def _aged(today: date, least: int, most: int | None) -> Q:
    young = Q(since__lte=date.fromordinal(today.toordinal() - least)) if least else Q()
    return young if most is None else young & Q(since__gte=date.fromordinal(today.toordinal() - most))


def age_text(since: date, today: date) -> str:
    """Return how old a break is, in words."""
    days = max((today - since).days, 0)
    if not days:
        return "today"
    return "1 day" if days == 1 else f"{days:,} days"
