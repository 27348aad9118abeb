"""Query string and answer of spending."""

from typing import Any, ClassVar

from rest_framework import serializers

from flowlet.gateway.fields import CurrencyField, DayField, WordField
from flowlet.gateway.serializers import StrictSerializer

GROUPS = ("COUNTERPARTY", "KIND", "MONTH")


class SpendingQuery(StrictSerializer):
    """Which days, which currency, and how to group."""

    reads_query: ClassVar[bool] = True
    currency = CurrencyField()
    group = WordField(codes=GROUPS, default="COUNTERPARTY")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with the one whose name is no Python name."""
        return {
            **super().get_fields(),
            "from": DayField(help_text="First booking date."),
            "to": DayField(help_text="Last booking date, included."),
        }


class SpendingGroupOut(serializers.Serializer[Any]):
    """One group of entries."""

    key = serializers.CharField(help_text="A customer's id, a kind of entry, or a month.")
    label = serializers.CharField()  # type: ignore[assignment] # the declared fields leave the class
    amount_minor = serializers.IntegerField(help_text="Received less spent.")
    spent_minor = serializers.IntegerField()
    received_minor = serializers.IntegerField()
    count = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all that was spent, in percent.")


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
    groups = SpendingGroupOut(many=True)
    as_of = serializers.DateTimeField(help_text="Entries booked by then are in it.")
