"""Reads of facts for pages: never a scan of what they were made from."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from django.db.models import Min, Q, Sum

from analytics.facts.base import DayFact
from analytics.models import DirtySlice


def per_day(
    model: type[DayFact], *, by: str, sums: str, first: date, last: date, where: Q | None = None
) -> dict[str, dict[date, int]]:
    """Return a column's sum per value of `by` and day; days without rows are left out."""
    rows = model._default_manager.filter(where or Q(), date__range=(first, last))  # noqa: SLF001 - Django's documented model API
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for key, day, total in rows.values_list(by, "date").annotate(total=Sum(sums)).order_by(by, "date"):
        found[str(key)][day] = int(total)
    return dict(found)


def series_of(found: dict[date, int], days: Sequence[date]) -> list[int]:
    """Return a number for each day, zero where there is none."""
    return [found.get(day, 0) for day in days]


def running_series(before: int, found: dict[date, int], days: Sequence[date]) -> list[int]:
    """Return the balance at each day's end, from what there was before and each day's change."""
    total, values = before, []
    for day in days:
        total += found.get(day, 0)
        values.append(total)
    return values


def behind_since(fact: str = "") -> object:
    """Return since when the oldest mark waits, or None when all facts are up to date."""
    rows = DirtySlice.objects.filter(fact=fact) if fact else DirtySlice.objects.all()
    return rows.aggregate(at=Min("marked_at"))["at"]
