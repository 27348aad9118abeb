"""Bodies, query strings and answers of holds."""

import re
from typing import Any

from rest_framework import serializers

from flowlet.gateway.fields import AmountField, CountField, CurrencyField, InstantField, TextField, WordField
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from ledger.choices import HoldDirection, HoldStatus
from ledger.models.holds import Hold
from wallets.operations.holds import LIFE_MAX, SOURCE, Capture, reference_of

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,59}", re.ASCII)


class ReferenceField(TextField):
    """An id of the partner's own, in letters and digits: it is kept for good, so it must say nothing of a person."""

    default_error_messages = {"invalid_reference": "Use letters, digits and . _ : / # - only."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the id.

        :raises ValidationError: if it holds something else
        """
        text = super().to_internal_value(data)
        if not _REFERENCE.fullmatch(text):
            self.fail("invalid_reference")
        return text


class HoldQuery(ListQuery):
    """How the list of holds may be narrowed."""

    status = WordField(codes=HoldStatus.values, required=False)


class HoldIn(StrictSerializer):
    """Money to be set aside."""

    amount = AmountField(help_text="Minor units.")
    currency = CurrencyField()
    expires_at = InstantField(required=False, help_text="When it ends by itself. Default in 7 days.")
    expires_in = CountField(
        minimum=60,
        maximum=int(LIFE_MAX.total_seconds()),
        required=False,
        help_text="The same in seconds from now; give one of the two.",
    )
    reference = ReferenceField(
        required=False,
        max_length=60,
        help_text="Your own id for it. A hold is kept for good: nothing personal.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Return the values.

        :raises ValidationError: if both ends are given
        """
        if "expires_at" in attrs and "expires_in" in attrs:
            raise serializers.ValidationError({"expires_in": ["Give expires_at or expires_in, not both."]})
        return attrs


class HoldChangeIn(StrictSerializer):
    """By how much a hold grows or shrinks."""

    amount = AmountField(help_text="Minor units of the hold's currency.")


class CaptureIn(StrictSerializer):
    """What is taken of a hold."""

    amount = AmountField(
        required=False, help_text="Minor units of the hold's currency. Default all that is open."
    )
    final = serializers.BooleanField(
        default=True, help_text="Whether the rest is given back. Send false if more captures follow."
    )
    description = TextField(required=False, max_length=140, help_text="Shown to the customer.")


class HoldOut(serializers.Serializer[Any]):
    """Money set aside, in minor units."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["hold"])
    direction = serializers.ChoiceField(
        choices=[code.lower() for code in HoldDirection.values],
        help_text="Out: set aside to leave. In: announced, not there yet.",
    )
    amount = serializers.IntegerField(help_text="What was asked for at first.")
    open = serializers.IntegerField(help_text="What is held now.")
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=[code.lower() for code in HoldStatus.values])
    cause = serializers.CharField(help_text="What it is held for; your own `reference` of a hold you placed.")
    placed_by_you = serializers.BooleanField(
        help_text="Whether you placed it over the API, and so may change, capture and release it."
    )
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class CaptureOut(serializers.Serializer[Any]):
    """Money taken off a hold, and what the hold is now."""

    object = serializers.ChoiceField(choices=["hold_capture"])
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    transaction = serializers.CharField(help_text="The ledger transaction.")
    hold = HoldOut()


def render_hold(hold: Hold) -> dict[str, Any]:
    """Return a hold with its state."""
    own = hold.source == SOURCE
    return {
        "id": hold.public_id,
        "object": "hold",
        "direction": hold.direction.lower(),
        "amount": hold.amount_minor,
        "open": hold.state.open_minor,
        "currency": hold.currency,
        "status": hold.state.status.lower(),
        "cause": reference_of(hold) if own else hold.source_key,
        "placed_by_you": own,
        "expires_at": hold.expires_at,
        "created_at": hold.placed_at,
    }


def render_capture(capture: Capture, hold: Hold) -> dict[str, Any]:
    """Return what was taken, with the hold as it is now."""
    return {
        "object": "hold_capture",
        "amount": capture.amount.minor,
        "currency": capture.amount.currency,
        "transaction": capture.transaction,
        "hold": render_hold(hold),
    }
