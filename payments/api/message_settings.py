"""What a partner wants written to its customers, and from which amount on their payers need a code."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.currencies import EXPONENTS
from flowlet.gateway.fields import AMOUNT_MAX
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.serializers import StrictSerializer
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.notifications.settings import MessageSettings, change_settings, get_settings

_EXAMPLE = {"payment_messages": True, "code_from": {"EUR": 100_000, "USD": 120_000}}


class StrictBoolean(serializers.BooleanField):
    """true or false, nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """
        Return the value as it came.

        :raises ValidationError: for any other type
        """
        if not isinstance(data, bool):
            raise ValidationError([ErrorDetail("This must be true or false.", "not_a_boolean")])
        return data


class AmountsField(serializers.DictField):
    """Amounts in minor units by currency."""

    child = serializers.IntegerField(min_value=0, max_value=AMOUNT_MAX)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        """
        Return the amounts.

        :raises ValidationError: for an unknown currency, or what is no whole number from 0 on
        """
        if not isinstance(data, dict):
            raise ValidationError([ErrorDetail("This must be a JSON object.", "not_an_object")])
        faults = {}
        for currency, minor in data.items():
            if currency not in EXPONENTS:
                fault = "This is not an ISO 4217 currency code."
                faults[str(currency)[:10]] = [ErrorDetail(fault, "unknown_currency")]
            elif type(minor) is not int or not 0 <= minor <= AMOUNT_MAX:
                fault = "Give the amount in minor units, as a JSON integer from 0 on."
                faults[currency] = [ErrorDetail(fault, "not_an_integer")]
        if faults:
            raise ValidationError(faults)
        return dict(data)


class SettingsIn(StrictSerializer):
    """All settings; what is left out is off."""

    payment_messages = StrictBoolean(help_text="Write to payer and payee when a payment is completed.")
    code_from = AmountsField(
        help_text="By currency, the amount in minor units from which on a payer needs a code; {} for never."
    )


class SettingsOut(serializers.Serializer[Any]):
    """All settings."""

    object = serializers.ChoiceField(choices=["message_settings"])
    payment_messages = serializers.BooleanField()
    code_from = serializers.DictField(child=serializers.IntegerField())


def _render(found: MessageSettings) -> dict[str, Any]:
    return {
        "object": "message_settings",
        "payment_messages": found.payment_messages,
        "code_from": dict(found.code_from),
    }


class MessageSettingsView(ApiView):
    """The partner's settings."""

    scopes = {"GET": "settings:read", "PUT": "settings:write"}

    @document(
        summary="Show the settings of messages and codes",
        answer=SettingsOut,
        answer_example={"object": "message_settings", **_EXAMPLE},
    )
    def get(self, request: ApiRequest) -> Response:
        """Return the settings."""
        return Response(_render(get_settings(request.principal.partner_id)))

    @document(
        summary="Change the settings of messages and codes",
        description="Replaces all of them.",
        request=SettingsIn,
        answer=SettingsOut,
        example=_EXAMPLE,
        answer_example={"object": "message_settings", **_EXAMPLE},
    )
    def put(self, request: ApiRequest) -> Response:
        """Replace the settings."""
        values = self.validated(SettingsIn)
        found = change_settings(partner_id=request.principal.partner_id, now=now(), **values)
        return Response(_render(found))
