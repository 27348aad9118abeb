"""What repeats in a customer's card payments and what stands out: pure sums, nothing from fraud or compliance."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

LOOK_BACK_DAYS = 400
_GAPS = (("WEEKLY", 6, 8), ("BIWEEKLY", 13, 15), ("MONTHLY", 26, 35), ("QUARTERLY", 85, 97))
_TIMES_MIN, _SPREAD_PERCENT = 3, 10
_UNUSUAL_TIMES, _UNUSUAL_DAYS, _UNUSUAL_MIN = 3, 90, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid to one merchant on a day: minor units > 0, by `count` payments."""

    date: date
    merchant: str
    category: str
    amount_minor: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A payment that comes back; `next_date` is when it is due by its latest gap."""

    merchant: str
    every: str
    amount_minor: int
    times: int
    latest_date: date
    next_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A payment far above what is usual in its category for this customer."""

    merchant: str
    category: str
    date: date
    amount_minor: int
    usual_minor: int


def recurring_of(paid: Sequence[Paid], *, today: date) -> list[Recurring]:
    """
    Return merchants paid at least three times in even gaps with amounts within a tenth, soonest due first.

    `paid` is in order of dates; what has been missed for longer than its widest gap is over and left out.
    """
    by_merchant: dict[str, list[Paid]] = defaultdict(list)
    for one in paid:
        by_merchant[one.merchant].append(one)
    found = [_recurring(rows, today) for rows in by_merchant.values()]
    return sorted((one for one in found if one), key=lambda one: (one.next_date, one.merchant))


def _recurring(rows: Sequence[Paid], today: date) -> Recurring | None:
    single = [row for row in rows if row.count == 1]
    latest = single[-_TIMES_MIN:]
    if len(latest) < _TIMES_MIN:
        return None
    gaps = [(later.date - earlier.date).days for earlier, later in pairwise(latest)]
    middle = latest[-1].amount_minor
    even = all(abs(row.amount_minor - middle) * 100 <= middle * _SPREAD_PERCENT for row in latest)
    for every, low, high in _GAPS:
        over = (today - latest[-1].date).days > high
        if even and not over and all(low <= gap <= high for gap in gaps):
            return Recurring(
                merchant=latest[-1].merchant,
                every=every,
                amount_minor=middle,
                times=len(single),
                latest_date=latest[-1].date,
                next_date=latest[-1].date + timedelta(days=gaps[-1]),
            )
    return None


def unusual_of(paid: Sequence[Paid], *, first: date) -> list[Unusual]:
    """
    Return payments from `first` on that are over three times the median of their category in the 90 days before.

    Only where there were at least five; largest first.
    """
    found = []
    for one in paid:
        if one.date < first or one.count != 1:
            continue
        start = one.date - timedelta(days=_UNUSUAL_DAYS)
        usual = [
            row.amount_minor // row.count
            for row in paid
            if row.category == one.category and start <= row.date < one.date
        ]
        if len(usual) >= _UNUSUAL_MIN and one.amount_minor > _UNUSUAL_TIMES * median(usual):
            found.append(
                Unusual(
                    merchant=one.merchant,
                    category=one.category.lower(),
                    date=one.date,
                    amount_minor=one.amount_minor,
                    usual_minor=int(median(usual)),
                )
            )
    return sorted(found, key=lambda one: (-one.amount_minor, one.date, one.merchant))
