"""What the card resources take and give; `rendering` fills the answers."""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cards.choices import (
    AuthorizationState,
    CardKind,
    CardStatus,
    Channel,
    CloseReason,
    Outcome,
)
from flowlet.core import clock
from flowlet.core.ids import is_id
from flowlet.gateway.fields import (
    AMOUNT_MAX,
    AmountField,
    CountField,
    CountryField,
    CurrencyField,
    IdField,
    InstantField,
    StringField,
    TextField,
    WordField,
)
from flowlet.gateway.serializers import ListQuery, StrictSerializer

_AGE_MAX, _AHEAD_MAX = timedelta(days=400), timedelta(days=1)
SHOWN_STATUSES = ["inactive", "active", "frozen", "expired", "closed"]


@extend_schema_field({"type": "string", "pattern": "^[0-9]{4}$", "examples": ["5942"]})
class MccField(TextField):
    """A merchant category code, four digits (ISO 18245); any code is legal input."""

    default_error_messages = {"invalid_mcc": "This must be four digits."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the code.

        :raises ValidationError: if it is not four digits
        """
        text = super().to_internal_value(data)
        if len(text) != 4 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - ISO 18245
            self.fail("invalid_mcc")
        return text


@extend_schema_field({"type": "string", "pattern": "^(crd|tok)_[0-9A-HJKMNP-TV-Z]{26}$"})
class CardKeyField(StringField):
    """A card by its id or by the processor's token; never by its number."""

    default_error_messages = {"invalid_id": "Give the card's id (crd_…) or the processor's token (tok_…)."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the id or token.

        :raises ValidationError: if it is neither
        """
        text = self.text(data)
        if not (is_id(text, "crd") or is_id(text, "tok")):
            self.fail("invalid_id")
        return text


class NetworkTimeField(InstantField):
    """When the network says it happened: at most 400 days ago, and not more than a day ahead."""

    default_error_messages = {"out_of_range": "This time is too far from now."}

    def to_internal_value(self, data: Any) -> datetime:
        """
        Return the instant in UTC.

        :raises ValidationError: if it is written otherwise, or too far from now
        """
        at, present = super().to_internal_value(data), clock.now()
        if not present - _AGE_MAX <= at <= present + _AHEAD_MAX:
            self.fail("out_of_range")
        return at


class CardIn(StrictSerializer):
    """A card to be issued on a wallet."""

    wallet = IdField(prefix="wal")
    kind = WordField(codes=CardKind.values)
    name = TextField(
        required=False, max_length=26, help_text="What stands on the card; default: the customer."
    )


class CardQuery(ListQuery):
    """Filters of the list of cards."""

    wallet = IdField(prefix="wal", required=False)
    customer = IdField(prefix="cus", required=False)
    status = WordField(codes=CardStatus.values, required=False)


class CardOut(serializers.Serializer[Any]):
    """A card, without its number."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["card"])
    customer = serializers.CharField()
    wallet = serializers.CharField()
    kind = serializers.ChoiceField(choices=[code.lower() for code in CardKind.values])
    status = serializers.ChoiceField(choices=SHOWN_STATUSES)
    close_reason = serializers.CharField(allow_null=True)
    bin = serializers.CharField()
    last_four = serializers.CharField()
    expires_on = serializers.DateField()
    currency = serializers.CharField()
    token = serializers.CharField()
    name_on_card = serializers.CharField()
    created_at = serializers.DateTimeField()


class CardFreezeIn(StrictSerializer):
    """Why a card is stopped or let go; for your own records and ours."""

    reason = TextField(required=False, max_length=40)
    note = TextField(required=False, max_length=500)


class CardCloseIn(StrictSerializer):
    """Why a card is closed for good."""

    reason = WordField(codes=[code for code in CloseReason.values if code != "ISSUER"])


class CardLimitsIn(StrictSerializer):
    """Limits and lists of a card as a whole: what is left out is no limit and no list. 0 lets nothing through."""

    per_transaction = CountField(minimum=0, maximum=AMOUNT_MAX, required=False, allow_null=True)
    day = CountField(minimum=0, maximum=AMOUNT_MAX, required=False, allow_null=True)
    month = CountField(minimum=0, maximum=AMOUNT_MAX, required=False, allow_null=True)
    allowed_mccs = serializers.ListField(child=MccField(), required=False, allow_null=True, max_length=500)
    blocked_mccs = serializers.ListField(child=MccField(), required=False, max_length=500)
    allowed_countries = serializers.ListField(
        child=CountryField(), required=False, allow_null=True, max_length=260
    )
    blocked_countries = serializers.ListField(child=CountryField(), required=False, max_length=260)


class CardLimitOut(serializers.Serializer[Any]):
    """One limit with what is used and left of it, in minor units; null is no limit."""

    name = serializers.ChoiceField(choices=["per_transaction", "day", "month"])
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True)


class CardLimitsOut(serializers.Serializer[Any]):
    """What a card may be used for, and what is left now."""

    object = serializers.ChoiceField(choices=["card_limits"])
    card = serializers.CharField()
    version = serializers.IntegerField()
    currency = serializers.CharField()
    limits = CardLimitOut(many=True)
    allowed_mccs = serializers.ListField(child=serializers.CharField(), allow_null=True)
    blocked_mccs = serializers.ListField(child=serializers.CharField())
    allowed_countries = serializers.ListField(child=serializers.CharField(), allow_null=True)
    blocked_countries = serializers.ListField(child=serializers.CharField())


class MerchantIn(StrictSerializer):
    """Who asks."""

    name = TextField(max_length=80)
    id = TextField(required=False, max_length=40)
    mcc = MccField(max_length=4)
    country = CountryField()


class CardAuthorizationIn(StrictSerializer):
    """What the network asks. `amount` 0 verifies the account."""

    card = CardKeyField(help_text="The card's id or the processor's token.")
    network_reference = TextField(max_length=80)
    amount = CountField(minimum=0, maximum=AMOUNT_MAX, help_text="In the card's currency, minor units.")
    currency = CurrencyField()
    merchant_amount = CountField(minimum=0, maximum=AMOUNT_MAX, required=False)
    merchant_currency = CurrencyField(required=False)
    merchant = MerchantIn()
    channel = WordField(codes=Channel.values, default="ECOMMERCE")
    network_time = NetworkTimeField(required=False, help_text="Default: now.")
    allow_partial = serializers.BooleanField(default=False)


class ReverseIn(StrictSerializer):
    """A reversal; without an amount all that is authorised."""

    reference = TextField(max_length=80)
    amount = AmountField(required=False)


class ClearingIn(StrictSerializer):
    """A clearing or refund; `network_reference` names the authorisation, if there is one."""

    card = CardKeyField(help_text="The card's id or the processor's token.")
    kind = WordField(codes=["CLEAR", "REFUND"], default="CLEAR")
    reference = TextField(max_length=80, help_text="The acquirer's reference number.")
    network_reference = TextField(required=False, max_length=80)
    amount = AmountField()
    currency = CurrencyField()
    final = serializers.BooleanField(default=True)
    merchant_name = TextField(required=False, max_length=80)
    network_time = NetworkTimeField(required=False, help_text="Default: now.")


class AuthorizationQuery(ListQuery):
    """Filters of the list of authorisations."""

    card = IdField(prefix="crd", required=False)
    state = WordField(codes=AuthorizationState.values, required=False)


class TransactionQuery(ListQuery):
    """Filters of the list of card transactions."""

    card = IdField(prefix="crd", required=False)


class MerchantOut(serializers.Serializer[Any]):
    """Who asked."""

    name = serializers.CharField()
    mcc = serializers.CharField()
    country = serializers.CharField()


class DeclineOut(serializers.Serializer[Any]):
    """Why it was declined, and what may be told to the cardholder."""

    code = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    cardholder_text = serializers.CharField()


class CardAuthorizationOut(serializers.Serializer[Any]):
    """An authorisation and the answer to it."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["card_authorization"])
    card = serializers.CharField()
    network_reference = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[code.lower() for code in Outcome.values])
    network_code = serializers.CharField()
    decline = DeclineOut(allow_null=True)
    state = serializers.ChoiceField(choices=[code.lower() for code in AuthorizationState.values])
    requested = serializers.IntegerField()
    approved = serializers.IntegerField()
    authorized = serializers.IntegerField()
    cleared = serializers.IntegerField()
    refunded = serializers.IntegerField()
    currency = serializers.CharField()
    merchant = MerchantOut()
    channel = serializers.ChoiceField(choices=[code.lower() for code in Channel.values])
    network_time = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


@extend_schema_field({"type": ["integer", "string"]})
class SeenField(serializers.JSONField):
    """A number or a word, or nothing."""


class CardCheckOut(serializers.Serializer[Any]):
    """One check of a decision: what it saw, the limit it compares with, what is left."""

    name = serializers.CharField()
    passed = serializers.BooleanField()
    value = SeenField(allow_null=True)
    limit = SeenField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)


class CardDecisionOut(serializers.Serializer[Any]):
    """Every check behind an answer."""

    object = serializers.ChoiceField(choices=["card_decision"])
    authorization = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[code.lower() for code in Outcome.values])
    network_code = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    checks = CardCheckOut(many=True)
    limits_version = serializers.IntegerField(allow_null=True)
    latency_us = serializers.IntegerField()
    decided_at = serializers.DateTimeField()


class CardTransactionOut(serializers.Serializer[Any]):
    """A clearing or refund as it was booked."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["card_transaction"])
    card = serializers.CharField()
    authorization = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=["clearing", "refund"])
    reference = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    merchant = serializers.CharField(allow_null=True)
    transaction = serializers.CharField()
    booked_at = serializers.DateTimeField()
