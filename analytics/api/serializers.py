"""Query string and answer of spending."""

from dataclasses import asdict
from typing import Any, ClassVar

from rest_framework import serializers

from analytics.insights import Spending, SpendingSums
from flowlet.gateway.fields import CurrencyField, DayField, WordField
from flowlet.gateway.serializers import StrictSerializer
from flowlet.identity.models import Customer

GROUPS = ("CATEGORY", "MERCHANT", "COUNTERPARTY", "KIND", "WEEK", "MONTH")


class SpendingQuery(StrictSerializer):
    """Which days, which currency, and how to group."""

    reads_query: ClassVar[bool] = True
    currency = CurrencyField()
    group = WordField(codes=GROUPS, default="CATEGORY")
    compare = WordField(codes=("PREVIOUS",), required=False, help_text="Beside as many days before.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with the one whose name is no Python name."""
        return {
            **super().get_fields(),
            "from": DayField(help_text="First booking date."),
            "to": DayField(help_text="Last booking date, included."),
        }


class SpendingGroupOut(serializers.Serializer[Any]):
    """One group of entries."""

    key = serializers.CharField(
        help_text="A category, a merchant's name, a customer's id, a kind of entry, a week's Monday, or a month."
    )
    label = serializers.CharField()  # type: ignore[assignment] # the declared fields leave the class
    amount_minor = serializers.IntegerField(help_text="Received less spent.")
    spent_minor = serializers.IntegerField()
    received_minor = serializers.IntegerField()
    count = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all that was spent, in percent.")
    change_minor = serializers.IntegerField(
        allow_null=True, help_text="Spent more than in the days before; null if not compared."
    )


class SpendingSumsOut(serializers.Serializer[Any]):
    """The sums of the days before."""

    spent_minor = serializers.IntegerField()
    received_minor = serializers.IntegerField()
    own_minor = serializers.IntegerField()
    net_minor = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with the one whose name is no Python name."""
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}


class RecurringOut(serializers.Serializer[Any]):
    """A card payment that comes back: at least three times, in even gaps, within a tenth."""

    merchant = serializers.CharField()
    every = serializers.ChoiceField(choices=["weekly", "biweekly", "monthly", "quarterly"])
    amount_minor = serializers.IntegerField(help_text="The latest one.")
    times = serializers.IntegerField()
    latest_date = serializers.DateField()
    next_date = serializers.DateField()


class UnusualOut(serializers.Serializer[Any]):
    """A card payment over three times what is usual in its category for this customer."""

    merchant = serializers.CharField()
    category = serializers.CharField()
    date = serializers.DateField()
    amount_minor = serializers.IntegerField()
    usual_minor = serializers.IntegerField(help_text="The median of the 90 days before.")


class SpendingOut(serializers.Serializer[Any]):
    """What a customer spent and received; received - spent + own is the change of the wallets' balances."""

    object = serializers.ChoiceField(choices=["spending"])
    customer = serializers.CharField()
    currency = serializers.CharField()
    spent_minor = serializers.IntegerField()
    received_minor = serializers.IntegerField()
    own_minor = serializers.IntegerField(help_text="Moves between the customer's own wallets.")
    net_minor = serializers.IntegerField()
    pending_minor = serializers.IntegerField(help_text="Held now.")
    previous = SpendingSumsOut(allow_null=True)
    groups = SpendingGroupOut(many=True)
    recurring = RecurringOut(many=True)
    unusual = UnusualOut(many=True)
    as_of = serializers.DateTimeField(help_text="Entries booked by then are in it.")


def render_spending(customer: Customer, currency: str, found: Spending) -> dict[str, Any]:
    """Return the answer."""
    return {
        "object": "spending",
        "customer": customer.public_id,
        "currency": currency,
        **_sums(found.sums),
        "pending_minor": found.pending_minor,
        "previous": _sums(found.previous, dated=True) if found.previous else None,
        "groups": [asdict(one) for one in found.groups],
        "recurring": [{**asdict(one), "every": one.every.lower()} for one in found.recurring],
        "unusual": [asdict(one) for one in found.unusual],
        "as_of": found.as_of,
    }


def _sums(sums: SpendingSums, *, dated: bool = False) -> dict[str, Any]:
    return {
        **({"from": sums.first, "to": sums.last} if dated else {}),
        "spent_minor": sums.spent_minor,
        "received_minor": sums.received_minor,
        "own_minor": sums.own_minor,
        "net_minor": sums.net_minor,
    }
