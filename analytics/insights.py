"""What a customer spent and received: read from facts, so that it adds up to the statements of his wallets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.db.models import CharField, F, Min, QuerySet, Sum
from django.db.models.functions import Cast, Substr, TruncWeek

from analytics.facts.spending_day import SpendingDay
from analytics.models import DirtySlice
from analytics.patterns import LOOK_BACK_DAYS, Paid, Recurring, Unusual, recurring_of, unusual_of
from flowlet.backoffice.cells import words
from flowlet.identity.models import Customer
from wallets.models import Wallet

Group = Literal["category", "merchant", "counterparty", "kind", "week", "month"]
_KEYS: dict[str, Any] = {
    "category": F("category"),
    "merchant": F("merchant"),
    "counterparty": F("other"),
    "kind": F("kind"),
    "week": Cast(TruncWeek("date"), CharField()),
    "month": Substr(Cast("date", CharField()), 1, 7),
}
_TIMES = ("week", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingSums:
    """Sums of one span in minor units; spent and received have no sign, `own_minor` lies between own wallets."""

    first: date
    last: date
    spent_minor: int
    received_minor: int
    own_minor: int

    @property
    def net_minor(self) -> int:
        """Return the change of the balances of the customer's wallets."""
        return self.received_minor - self.spent_minor + self.own_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingGroup:
    """
    One group: signed `amount_minor` (money in > 0), entries, its share of what was spent, in percent.

    `change_minor` is what more was spent than in the span before; None where nothing was compared.
    """

    key: str
    label: str
    amount_minor: int
    spent_minor: int
    received_minor: int
    count: int
    share: float
    change_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """
    A customer's money of one currency in a span of booking dates.

    `pending_minor` is held now; `previous` are the sums of as many days before the span. Refunds of cards lessen what
    was spent. Recurring and unusual payments are judged at the end of the span.
    """

    sums: SpendingSums
    pending_minor: int
    previous: SpendingSums | None
    groups: list[SpendingGroup]
    recurring: list[Recurring]
    unusual: list[Unusual]
    as_of: datetime


def get_spending(
    *,
    customer: Customer,
    currency: str,
    first: date,
    last: date,
    group: Group,
    compare: bool = False,
    now: datetime,
) -> Spending:
    """Return what the customer spent and received from `first` to `last`, both included; at most eight queries."""
    rows = SpendingDay.objects.filter(customer=customer, currency=currency)
    sums = _sums(rows, first, last)
    span = last - first + timedelta(days=1)
    before = (first - span, first - timedelta(days=1)) if compare else None
    held = Wallet.objects.filter(customer=customer, currency=currency).aggregate(
        held=Sum("account__balance__held")
    )
    marks = DirtySlice.objects.filter(fact="spending_day", partner_id=customer.partner_id)
    behind = marks.aggregate(at=Min("marked_at"))["at"]
    paid = _paid(rows, last)
    return Spending(
        sums=sums,
        pending_minor=int(held["held"] or 0),
        previous=_sums(rows, *before) if before else None,
        groups=_groups(rows, group, sums, before),
        recurring=recurring_of(paid, today=last),
        unusual=unusual_of(paid, first=first),
        as_of=min(behind, now) if behind else now,
    )


def _sums(rows: "QuerySet[SpendingDay]", first: date, last: date) -> SpendingSums:
    listed = rows.filter(date__range=(first, last)).values_list("direction")
    found = {name: int(total) for name, total in listed.annotate(total=Sum("amount_minor"))}
    return SpendingSums(
        first=first,
        last=last,
        spent_minor=-found.get("OUT", 0),
        received_minor=found.get("IN", 0),
        own_minor=found.get("OWN", 0),
    )


def _paid(rows: "QuerySet[SpendingDay]", last: date) -> list[Paid]:
    """Return card payments, one per merchant and day, oldest first."""
    span = (last - timedelta(days=LOOK_BACK_DAYS), last)
    bought = rows.filter(date__range=span, kind="CARD_CLEARING").exclude(merchant="")
    return [
        Paid(date=day, merchant=merchant, category=category, amount_minor=-minor, count=count)
        for day, merchant, category, minor, count in bought.order_by("date", "merchant", "pk").values_list(
            "date", "merchant", "category", "amount_minor", "count"
        )
    ]


def _found(rows: "QuerySet[SpendingDay]", group: Group, first: date, last: date) -> dict[str, dict[str, int]]:
    listed = rows.filter(date__range=(first, last)).exclude(direction="OWN").annotate(key=_KEYS[group])
    found: dict[str, dict[str, int]] = {}
    for name, kind, direction, minor, count in listed.values_list("key", "kind", "direction").annotate(
        minor=Sum("amount_minor"), n=Sum("count")
    ):
        own = found.setdefault(str(name)[:80] or f"kind:{kind.lower()}", {"IN": 0, "OUT": 0, "n": 0})
        own[direction] += int(minor)
        own["n"] += int(count)
    return found


def _groups(
    rows: "QuerySet[SpendingDay]", group: Group, sums: SpendingSums, before: tuple[date, date] | None
) -> list[SpendingGroup]:
    found = _found(rows, group, sums.first, sums.last)
    # Weeks and months have no like in the span before.
    earlier = _found(rows, group, *before) if before and group not in _TIMES else None
    names = _names(group, found)
    groups = [
        SpendingGroup(
            key=name.lower() if group in ("kind", "category") else name,
            label=names.get(name, name),
            amount_minor=one["IN"] + one["OUT"],
            spent_minor=-one["OUT"],
            received_minor=one["IN"],
            count=one["n"],
            share=round(-one["OUT"] * 100 / sums.spent_minor, 1) if sums.spent_minor > 0 else 0.0,
            change_minor=earlier.get(name, {"OUT": 0})["OUT"] - one["OUT"] if earlier is not None else None,
        )
        for name, one in found.items()
    ]
    if group in _TIMES:
        return sorted(groups, key=lambda one: one.key)
    return sorted(groups, key=lambda one: (-one.spent_minor, -one.received_minor, one.key))


def _names(group: Group, found: dict[str, dict[str, int]]) -> dict[str, str]:
    """Return each group in words."""
    if group in _TIMES or group == "merchant":
        return {name: words(name.removeprefix("kind:")) for name in found if name.startswith("kind:")}
    named = {name: words(name.removeprefix("kind:")) for name in found}
    if group == "counterparty":
        named.update(Customer.objects.filter(public_id__in=found).values_list("public_id", "name"))
    return named
