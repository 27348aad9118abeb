"""What a customer spent and received: read from facts, so that it adds up to the statements of his wallets."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from django.db.models import CharField, F, Min, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from analytics.facts.spending_day import SpendingDay
from analytics.models import DirtySlice
from flowlet.backoffice.cells import words
from flowlet.identity.models import Customer
from wallets.models import Wallet

Group = Literal["counterparty", "kind", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingGroup:
    """One group: signed `amount_minor` (money in > 0), entries, and its share of what was spent, in percent."""

    key: str
    label: str
    amount_minor: int
    spent_minor: int
    received_minor: int
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """
    A customer's money of one currency in a span of booking dates, minor units.

    spent and received have no sign; own moves between his wallets count in neither and sum to `own_minor`.
    received - spent + own = the change of the balances of his wallets. `pending_minor` is held now.
    """

    spent_minor: int
    received_minor: int
    own_minor: int
    net_minor: int
    pending_minor: int
    groups: list[SpendingGroup]
    as_of: datetime


def get_spending(
    *, customer: Customer, currency: str, first: date, last: date, group: Group, now: datetime
) -> Spending:
    """Return what the customer spent and received from `first` to `last`, both included; four queries."""
    rows = SpendingDay.objects.filter(customer=customer, currency=currency, date__range=(first, last))
    sums = {
        name: int(total) for name, total in rows.values_list("direction").annotate(total=Sum("amount_minor"))
    }
    spent, received, own = -sums.get("OUT", 0), sums.get("IN", 0), sums.get("OWN", 0)
    held = Wallet.objects.filter(customer=customer, currency=currency).aggregate(
        held=Sum("account__balance__held")
    )
    marks = DirtySlice.objects.filter(fact="spending_day", partner_id=customer.partner_id)
    behind = marks.aggregate(at=Min("marked_at"))["at"]
    return Spending(
        spent_minor=spent,
        received_minor=received,
        own_minor=own,
        net_minor=received - spent + own,
        pending_minor=int(held["held"] or 0),
        groups=_groups(rows, group, spent),
        as_of=min(behind, now) if behind else now,
    )


def _groups(rows: "QuerySet[SpendingDay]", group: Group, spent: int) -> list[SpendingGroup]:
    found: dict[str, dict[str, int]] = {}
    key = {
        "counterparty": F("other"),
        "kind": F("kind"),
        "month": Substr(Cast("date", CharField()), 1, 7),
    }[group]
    listed = rows.exclude(direction="OWN").annotate(key=key).values_list("key", "kind", "direction")
    for name, kind, direction, minor, count in listed.annotate(minor=Sum("amount_minor"), n=Sum("count")):
        own = found.setdefault(name or f"kind:{kind.lower()}", {"IN": 0, "OUT": 0, "n": 0})
        own[direction] += int(minor)
        own["n"] += int(count)
    labels = dict(Customer.objects.filter(public_id__in=found).values_list("public_id", "name"))
    groups = [
        SpendingGroup(
            key=name.lower() if group == "kind" else name,
            label=labels.get(name) or words(name.removeprefix("kind:")) if group != "month" else name,
            amount_minor=one["IN"] + one["OUT"],
            spent_minor=-one["OUT"],
            received_minor=one["IN"],
            count=one["n"],
            share=round(-one["OUT"] * 100 / spent, 1) if spent else 0.0,
        )
        for name, one in found.items()
    ]
    if group == "month":
        return sorted(groups, key=lambda one: one.key)
    return sorted(groups, key=lambda one: (-one.spent_minor, -one.received_minor, one.key))
