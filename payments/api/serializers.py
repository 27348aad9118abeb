"""Bodies, query strings and answers of payments."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from flowlet.gateway.fields import AmountField, CurrencyField, IdField, TextField, WordField
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from payments.choices import (
    STATUS_OF_WIRE,
    WALLET_KINDS,
    WIRE_STATUS,
    PaymentKind,
    PaymentStatus,
    RefundStatus,
    StepState,
)
from payments.models import Payment, PaymentAttempt, Refund
from wallets.api.serializers import FailureOut

_ISO = {
    PaymentStatus.REQUIRES_ACTION: "PDNG",
    PaymentStatus.HELD: "PDNG",
    PaymentStatus.PROCESSING: "ACSP",
    PaymentStatus.OUTCOME_UNKNOWN: "PDNG",
    PaymentStatus.COMPLETED: "ACSC",
    PaymentStatus.REFUSED: "RJCT",
    PaymentStatus.FAILED: "RJCT",
    PaymentStatus.CANCELED: "CANC",
    PaymentStatus.RETURNED: "ACSC",
}
_ENDED_BADLY = (
    PaymentStatus.REFUSED,
    PaymentStatus.FAILED,
    PaymentStatus.CANCELED,
    PaymentStatus.RETURNED,
)
_RISKS = ("NORMAL", "ELEVATED", "HIGHEST")
_RISK_TEXT = (
    "Sandbox only: the verdict of the fraud check to try out. `elevated` holds the payment for review, `highest` "
    "declines it. Live mode takes no notice of it."
)


class StatusField(WordField):
    """A payment's status as partners read it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(codes=PaymentStatus.values, **kwargs)
        self.words = {word: str(status) for word, status in STATUS_OF_WIRE.items()}
        self.choices = list(self.words)


class PaymentIn(StrictSerializer):
    """A payment from one wallet to another."""

    payer_wallet = IdField(prefix="wal", help_text="Where the money comes from.")
    payee_wallet = IdField(prefix="wal", help_text="Where the money goes.")
    amount = AmountField(help_text="Minor units: 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD.")
    currency = CurrencyField(help_text="That of both wallets.")
    type = WordField(
        codes=[str(kind) for kind in WALLET_KINDS],
        required=False,
        help_text="Checked against payer and payee; without it, what they make.",
    )
    description = TextField(required=False, max_length=140, help_text="Both sides see it.")
    sandbox_risk = WordField(codes=_RISKS, required=False, help_text=_RISK_TEXT)


class PayoutIn(StrictSerializer):
    """A payout from a wallet to a bank account."""

    wallet = IdField(prefix="wal", help_text="Where the money comes from.")
    bank_account = IdField(
        prefix="ba",
        help_text="Where it goes: the customer's own, or from a business any customer's of yours.",
    )
    amount = AmountField(help_text="Minor units: 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD.")
    currency = CurrencyField(help_text="That of both.")
    description = TextField(required=False, max_length=140, help_text="The payer sees it.")
    sandbox_risk = WordField(codes=_RISKS, required=False, help_text=_RISK_TEXT)


class PaymentQuery(ListQuery):
    """Filters of the list of payments."""

    status = StatusField(required=False)
    type = WordField(codes=PaymentKind.values, required=False)
    wallet = IdField(prefix="wal", required=False, help_text="On either side.")
    currency = CurrencyField(required=False)


class PaymentOut(serializers.Serializer[Any]):
    """A payment."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["payment"])
    type = serializers.ChoiceField(choices=[code.lower() for code in PaymentKind.values])
    rail = serializers.CharField()
    status = serializers.ChoiceField(choices=list(STATUS_OF_WIRE))
    iso_status = serializers.ChoiceField(
        choices=sorted(set(_ISO.values())), help_text="ISO 20022 status code."
    )
    payer_wallet = serializers.CharField(allow_null=True, help_text="Null for a top-up.")
    payee_wallet = serializers.CharField(allow_null=True, help_text="Null for a payout.")
    bank_account = serializers.CharField(allow_null=True, help_text="Where a payout goes.")
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    refunded = serializers.IntegerField(help_text="What was given back, in minor units.")
    refunding = serializers.IntegerField(help_text="What is on its way back, in minor units.")
    description = serializers.CharField(allow_null=True)
    failure = FailureOut(allow_null=True)
    transaction = serializers.CharField(allow_null=True, help_text="The ledger transaction.")
    returned_transaction = serializers.CharField(
        allow_null=True, help_text="The one that brought a payout back which a bank had returned."
    )
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)


def render(payment: Payment) -> dict[str, Any]:
    """Return a payment."""
    ended_badly = payment.status in _ENDED_BADLY
    return {
        "id": payment.public_id,
        "object": "payment",
        "type": payment.kind.lower(),
        "rail": payment.rail,
        "status": WIRE_STATUS[PaymentStatus(payment.status)],
        "iso_status": _ISO[PaymentStatus(payment.status)],
        "payer_wallet": payment.payer_wallet.public_id if payment.payer_wallet else None,
        "payee_wallet": payment.payee_wallet.public_id if payment.payee_wallet else None,
        "bank_account": payment.bank_account.public_id if payment.bank_account else None,
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "refunded": payment.refunded_minor,
        "refunding": payment.refunding_minor,
        "description": payment.description or None,
        "failure": {"code": payment.refusal_code, "detail": payment.refusal_detail} if ended_badly else None,
        "transaction": payment.transaction.public_id if payment.transaction else None,
        "returned_transaction": payment.returned.public_id if payment.returned else None,
        "created_at": payment.created_at,
        "completed_at": payment.completed_at,
    }


class TopUpIn(StrictSerializer):
    """A top-up of a wallet by card or from a linked bank account."""

    wallet = IdField(prefix="wal", help_text="Where the money goes.")
    payment_method = TextField(
        required=False,
        max_length=255,
        help_text="The card processor's token of the card, such as `pm_card_visa`; never a card number.",
    )
    bank_account = IdField(
        prefix="lac",
        required=False,
        help_text="A linked bank account of the customer, in place of `payment_method`; USD only.",
    )
    amount = AmountField(help_text="Minor units: 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD.")
    currency = CurrencyField(help_text="That of the wallet.")
    description = TextField(required=False, max_length=140, help_text="The customer sees it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Take one source.

        :raises ValidationError: if there is none, or two
        """
        if ("payment_method" in attrs) == ("bank_account" in attrs):
            fault = "Give either payment_method or bank_account."
            raise ValidationError({"payment_method": [ErrorDetail(fault, "one_source")]})
        return attrs


class RefundIn(StrictSerializer):
    """A refund of part or all of a top-up."""

    amount = AmountField(required=False, help_text="Minor units; without it, all that is left.")
    reason = TextField(required=False, max_length=140, help_text="For your own books.")


class RefundOut(serializers.Serializer[Any]):
    """A refund."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["refund"])
    payment = serializers.CharField()
    status = serializers.ChoiceField(choices=[code.lower() for code in RefundStatus.values])
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    remaining_refundable = serializers.IntegerField(help_text="What can still be given back of the payment.")
    transaction = serializers.CharField(help_text="The ledger transaction that took the money.")
    returned_transaction = serializers.CharField(
        allow_null=True, help_text="The one that gave it back when the refund failed."
    )
    created_at = serializers.DateTimeField()


def render_refund(refund: Refund) -> dict[str, Any]:
    """Return a refund."""
    return {
        "id": refund.public_id,
        "object": "refund",
        "payment": refund.payment.public_id,
        "status": refund.status.lower(),
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason or None,
        "remaining_refundable": refund.payment.refundable.minor,
        "transaction": refund.transaction.public_id,
        "returned_transaction": refund.returned.public_id if refund.returned else None,
        "created_at": refund.created_at,
    }


class AttemptQuery(ListQuery):
    """Page of a list of attempts, which no request makes by itself."""

    idempotency_key = None  # type: ignore[assignment]  # how DRF drops a field


class AttemptOut(serializers.Serializer[Any]):
    """One try to carry a payment over a rail."""

    object = serializers.ChoiceField(choices=["payment_attempt"])
    number = serializers.IntegerField()
    reference = serializers.CharField(help_text="Ours; the vendor knows it too.")
    vendor_reference = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=[code.lower() for code in StepState.values])
    vendor_code = serializers.CharField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    next_check_at = serializers.DateTimeField(allow_null=True)


def render_attempt(attempt: PaymentAttempt) -> dict[str, Any]:
    """Return an attempt."""
    return {
        "object": "payment_attempt",
        "number": attempt.number,
        "reference": attempt.our_reference,
        "vendor_reference": attempt.vendor_reference or None,
        "state": attempt.state.lower(),
        "vendor_code": attempt.vendor_code or None,
        "sent_at": attempt.sent_at,
        "answered_at": attempt.answered_at,
        "next_check_at": attempt.next_check_at,
    }
