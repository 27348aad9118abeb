"""The payment resource of the API."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.money import Money
from flowlet.gateway.api.events import EventOut, visible_to
from flowlet.gateway.api.events import render as render_event
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.rendering import Answer
from flowlet.gateway.serializers import ListQuery
from flowlet.gateway.views import ApiRequest, ApiView
from payments import operations, queries
from payments.api.serializers import (
    AttemptOut,
    AttemptQuery,
    PaymentIn,
    PaymentOut,
    PaymentQuery,
    PayoutIn,
    RefundIn,
    RefundOut,
    TopUpIn,
    render,
    render_attempt,
    render_refund,
)
from payments.choices import PaymentStatus
from payments.deciding import cancel_payment
from payments.errors import PaymentDeclined
from payments.models import Payment
from payments.outside.payouts import create_payout
from payments.outside.refunds import refund_payment
from payments.outside.top_ups import create_top_up
from wallets.errors import refusal_of

_EXAMPLE = {
    "payer_wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "payee_wallet": "wal_01K8Z5M3W4Q2B8H6JD5YTR3KAE",
    "amount": 2500,
    "currency": "EUR",
    "description": "Rent November",
}
_ANSWER = {
    "id": "pay_01K8Z5NB7C1F9GQ4M2XSJ6W8TZ",
    "object": "payment",
    "type": "p2p",
    "rail": "internal",
    "status": "completed",
    "iso_status": "ACSC",
    **_EXAMPLE,
    "bank_account": None,
    "refunded": 0,
    "refunding": 0,
    "failure": None,
    "transaction": "txn_01K8Z5NB7D3V5YHP0R8ECWKA2M",
    "returned_transaction": None,
    "created_at": "2026-11-02T09:30:00Z",
    "completed_at": "2026-11-02T09:30:00Z",
}


_TOP_UP = {
    "wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "payment_method": "pm_card_visa",
    "amount": 5000,
    "currency": "EUR",
}
_TOP_UP_ANSWER = {
    **_ANSWER,
    "id": "pay_01K8Z5Q2M8V0X3T6RC9HJ4DNWE",
    "type": "top_up",
    "rail": "stripe_card",
    "status": "processing",
    "iso_status": "ACSP",
    "payer_wallet": None,
    "payee_wallet": _TOP_UP["wallet"],
    "amount": 5000,
    "description": None,
    "transaction": None,
    "completed_at": None,
}
_PAYOUT = {
    "wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "bank_account": "ba_01K8Z5M9D0F6S2YH8QKX3C7VNT",
    "amount": 5000,
    "currency": "EUR",
}
_PAYOUT_ANSWER = {
    **_TOP_UP_ANSWER,
    "id": "pay_01K8Z5S4B6N1W9E3JGZ0A7RMCX",
    "type": "payout",
    "rail": "stripe_payout",
    "payer_wallet": _PAYOUT["wallet"],
    "payee_wallet": None,
    "bank_account": _PAYOUT["bank_account"],
}
_REFUND_ANSWER = {
    "id": "rfd_01K8Z5R7C2A5B8E1FG4HJ6KMNP",
    "object": "refund",
    "payment": _TOP_UP_ANSWER["id"],
    "status": "pending",
    "amount": 2000,
    "currency": "EUR",
    "reason": "Ordered twice",
    "remaining_refundable": 3000,
    "transaction": "txn_01K8Z5R7C3D6F9HK2NQ5TW8XYZ",
    "returned_transaction": None,
    "created_at": "2026-11-02T09:45:00Z",
}


class PaymentsView(ApiView):
    """The partner's payments."""

    scopes = {"GET": "payments:read", "POST": "payments:write"}
    idempotent = frozenset({"POST"})
    list_query = PaymentQuery
    costs = {"GET": 2}

    @document(summary="List payments", answer=list_of(PaymentOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query = self.query()
        rows = queries.list_payments(
            partner_id=request.principal.partner_id,
            status=query.get("status"),
            kind=query.get("type"),
            wallet=query.get("wallet"),
            currency=query.get("currency"),
        )
        return self.page(request, rows, render)

    @document(
        summary="Make a payment",
        description=(
            "From one wallet to another of yours, at once. If it may not happen, the answer is a 422 whose `object` "
            "names the payment that keeps the refusal; a new try needs a new key. A payment that is `under_review` has "
            "its money set aside until somebody has looked; one that `requires_action` waits for its payer."
        ),
        request=PaymentIn,
        answer=PaymentOut,
        status=201,
        example=_EXAMPLE,
        answer_example=_ANSWER,
    )
    def post(self, request: ApiRequest) -> Response | Answer:
        """Pay."""
        values = self.validated(PaymentIn)
        payment = operations.create_payment(
            partner_id=request.principal.partner_id,
            payer_wallet_id=values["payer_wallet"],
            payee_wallet_id=values["payee_wallet"],
            amount=Money(values["amount"], values["currency"]),
            kind=values.get("type"),
            description=values.get("description", ""),
            idempotency_key=request.idempotency_key or None,
            sandbox_risk=values.get("sandbox_risk", "").lower(),
            now=now(),
        )
        return _answer(self, payment)


_OWN = {PaymentDeclined.code: PaymentDeclined}


def _answer(view: ApiView, payment: Payment) -> Response | Answer:
    if payment.status == PaymentStatus.REFUSED:
        error = refusal_of(code=payment.refusal_code, detail=payment.refusal_detail, also=_OWN)
        return view.refusal(error, object_id=payment.public_id)
    where = {"Location": f"/api/v1/payments/{payment.public_id}"}
    return Response(render(payment), status=201, headers=where)


class PaymentView(ApiView):
    """One payment."""

    scopes = {"GET": "payments:read"}

    @document(summary="Show a payment", answer=PaymentOut, answer_example=_ANSWER)
    def get(self, request: ApiRequest, payment_id: str) -> Response:
        """Return the payment."""
        payment = queries.get_payment(partner_id=request.principal.partner_id, public_id=payment_id)
        return Response(render(payment))


class TopUpsView(ApiView):
    """Top-ups by card or bank account; they are payments, and read as such."""

    scopes = {"POST": "payments:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Top up a wallet by card or bank account",
        description=(
            "Answers with a payment that is `processing`. A card is charged within seconds; dollars from a linked bank "
            "account come when the bank has settled, after a day or two, and can still be `returned` weeks later. How it "
            "ended is told by the events `payment.completed`, `payment.failed` and `payment.returned`, and by the "
            "payment itself. `outcome_unknown` means that the processor has not said; do not try again, we find out."
        ),
        request=TopUpIn,
        answer=PaymentOut,
        status=201,
        example=_TOP_UP,
        answer_example=_TOP_UP_ANSWER,
    )
    def post(self, request: ApiRequest) -> Response | Answer:
        """Begin to collect."""
        values = self.validated(TopUpIn)
        bank_account = values.get("bank_account", "")
        payment = create_top_up(
            partner_id=request.principal.partner_id,
            wallet_id=values["wallet"],
            payment_method=bank_account or values["payment_method"],
            rail="plaid_transfer" if bank_account else "stripe_card",
            amount=Money(values["amount"], values["currency"]),
            description=values.get("description", ""),
            idempotency_key=request.idempotency_key or None,
            now=now(),
        )
        return _answer(self, payment)


class PayoutsView(ApiView):
    """Payouts to bank accounts; they are payments, and read as such."""

    scopes = {"POST": "payments:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Pay out to a bank account",
        description=(
            "Answers with a payment that is `processing`: its money is set aside, and sent within seconds. "
            "`payment.completed` and `payment.failed` tell the end; a bank may still send money back days later, which "
            "`payment.returned` tells. `outcome_unknown` means that nobody has said yet: do not pay again, the money "
            "stays set aside until we know."
        ),
        request=PayoutIn,
        answer=PaymentOut,
        status=201,
        example=_PAYOUT,
        answer_example=_PAYOUT_ANSWER,
    )
    def post(self, request: ApiRequest) -> Response | Answer:
        """Begin to pay out."""
        values = self.validated(PayoutIn)
        payment = create_payout(
            partner_id=request.principal.partner_id,
            wallet_id=values["wallet"],
            bank_account_id=values["bank_account"],
            amount=Money(values["amount"], values["currency"]),
            description=values.get("description", ""),
            idempotency_key=request.idempotency_key or None,
            sandbox_risk=values.get("sandbox_risk", "").lower(),
            now=now(),
        )
        return _answer(self, payment)


class CancelView(ApiView):
    """Taking a payment back."""

    scopes = {"POST": "payments:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Cancel a payment",
        description=(
            "While it is `under_review` or `requires_action`; what has gone on is a 409 that names the state. Canceling "
            "again answers the same."
        ),
        answer=PaymentOut,
        answer_example={**_ANSWER, "status": "canceled", "iso_status": "CANC"},
    )
    def post(self, request: ApiRequest, payment_id: str) -> Response:
        """Cancel."""
        partner_id = request.principal.partner_id
        cancel_payment(partner_id=partner_id, payment_id=payment_id, now=now())
        return Response(render(queries.get_payment(partner_id=partner_id, public_id=payment_id)))


class RefundsView(ApiView):
    """What was given back of a payment."""

    scopes = {"GET": "payments:read", "POST": "payments:write"}
    idempotent = frozenset({"POST"})
    list_query = ListQuery

    @document(summary="List the refunds of a payment", answer=list_of(RefundOut))
    def get(self, request: ApiRequest, payment_id: str) -> Response:
        """Return one page, newest first."""
        rows = queries.list_refunds(partner_id=request.principal.partner_id, payment_id=payment_id)
        return self.page(request, rows, render_refund)

    @document(
        summary="Refund a top-up",
        description=(
            "The money leaves the wallet at once and goes back to the card. All refunds together never exceed the "
            "top-up: what is too much is a 422 that says how much is left."
        ),
        request=RefundIn,
        answer=RefundOut,
        status=201,
        example={"amount": 2000, "reason": "Ordered twice"},
        answer_example=_REFUND_ANSWER,
    )
    def post(self, request: ApiRequest, payment_id: str) -> Response:
        """Begin to give back."""
        values = self.validated(RefundIn)
        refund = refund_payment(
            partner_id=request.principal.partner_id,
            payment_id=payment_id,
            amount_minor=values.get("amount"),
            reason=values.get("reason", ""),
            idempotency_key=request.idempotency_key or None,
            now=now(),
        )
        where = {"Location": f"/api/v1/payments/{payment_id}/refunds"}
        return Response(render_refund(refund), status=201, headers=where)


class AttemptsView(ApiView):
    """The calls that were made to carry a payment."""

    scopes = {"GET": "payments:read"}
    list_query = AttemptQuery

    @document(summary="List the attempts of a payment", answer=list_of(AttemptOut))
    def get(self, request: ApiRequest, payment_id: str) -> Response:
        """Return one page, newest first; empty for a payment inside our books."""
        rows = queries.list_attempts(partner_id=request.principal.partner_id, payment_id=payment_id)
        return self.page(request, rows, render_attempt, order=("-created_at", "-our_reference"))


class PaymentEventsView(ApiView):
    """What happened to a payment."""

    scopes = {"GET": "payments:read"}
    list_query = AttemptQuery

    @document(summary="List the events of a payment", answer=list_of(EventOut))
    def get(self, request: ApiRequest, payment_id: str) -> Response:
        """Return one page, oldest first."""
        partner_id = request.principal.partner_id
        payment = queries.get_payment(partner_id=partner_id, public_id=payment_id)
        rows = visible_to(partner_id).filter(object_id=payment.public_id)
        return self.page(request, rows, render_event, order=("sequence",))
