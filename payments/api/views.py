"""The payment resource of the API."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.rendering import Answer
from flowlet.gateway.views import ApiRequest, ApiView
from payments import operations, queries
from payments.api.serializers import PaymentIn, PaymentOut, PaymentQuery, render
from payments.choices import PaymentStatus
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
    "kind": "p2p",
    "rail": "internal",
    "status": "completed",
    "iso_status": "ACSC",
    **_EXAMPLE,
    "failure": None,
    "transaction": "txn_01K8Z5NB7D3V5YHP0R8ECWKA2M",
    "created_at": "2026-11-02T09:30:00Z",
    "completed_at": "2026-11-02T09:30:00Z",
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
            wallet=query.get("wallet"),
            currency=query.get("currency"),
        )
        return self.page(request, rows, render)

    @document(
        summary="Make a payment",
        description=(
            "From one wallet to another of yours, at once. If it may not happen, the answer is a 422 whose `object` "
            "names the payment that keeps the refusal; a new try needs a new key."
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
            description=values.get("description", ""),
            idempotency_key=request.idempotency_key or None,
            now=now(),
        )
        if payment.status == PaymentStatus.REFUSED:
            error = refusal_of(code=payment.refusal_code, detail=payment.refusal_detail)
            return self.refusal(error, object_id=payment.public_id)
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
