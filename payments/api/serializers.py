"""Bodies, query strings and answers of payments."""

from typing import Any

from rest_framework import serializers

from flowlet.gateway.fields import AmountField, CurrencyField, IdField, TextField, WordField
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from payments.choices import PaymentKind, PaymentStatus
from payments.models import Payment

_ISO = {PaymentStatus.COMPLETED: "ACSC", PaymentStatus.REFUSED: "RJCT"}


class PaymentIn(StrictSerializer):
    """A payment from one wallet to another."""

    payer_wallet = IdField(prefix="wal", help_text="Where the money comes from.")
    payee_wallet = IdField(prefix="wal", help_text="Where the money goes.")
    amount = AmountField(help_text="Minor units: 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD.")
    currency = CurrencyField(help_text="That of both wallets.")
    description = TextField(required=False, max_length=140, help_text="Both sides see it.")


class PaymentQuery(ListQuery):
    """Filters of the list of payments."""

    status = WordField(codes=PaymentStatus.values, required=False)
    wallet = IdField(prefix="wal", required=False, help_text="On either side.")
    currency = CurrencyField(required=False)


class FailureOut(serializers.Serializer[Any]):
    """Why no money moved."""

    code = serializers.CharField()
    detail = serializers.CharField()


class PaymentOut(serializers.Serializer[Any]):
    """A payment."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["payment"])
    kind = serializers.ChoiceField(choices=[code.lower() for code in PaymentKind.values])
    rail = serializers.CharField()
    status = serializers.ChoiceField(choices=[code.lower() for code in PaymentStatus.values])
    iso_status = serializers.ChoiceField(choices=sorted(_ISO.values()), help_text="ISO 20022 status code.")
    payer_wallet = serializers.CharField()
    payee_wallet = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    failure = FailureOut(allow_null=True)
    transaction = serializers.CharField(allow_null=True, help_text="The ledger transaction.")
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)


def render(payment: Payment) -> dict[str, Any]:
    """Return a payment."""
    refused = payment.status == PaymentStatus.REFUSED
    return {
        "id": payment.public_id,
        "object": "payment",
        "kind": payment.kind.lower(),
        "rail": payment.rail,
        "status": payment.status.lower(),
        "iso_status": _ISO[PaymentStatus(payment.status)],
        "payer_wallet": payment.payer_wallet.public_id,
        "payee_wallet": payment.payee_wallet.public_id,
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "description": payment.description or None,
        "failure": {"code": payment.refusal_code, "detail": payment.refusal_detail} if refused else None,
        "transaction": payment.transaction.public_id if payment.transaction else None,
        "created_at": payment.created_at,
        "completed_at": payment.completed_at,
    }
