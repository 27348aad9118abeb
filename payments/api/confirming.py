"""Confirming a payment by the code that its payer got."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.gateway.fields import TextField
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.rendering import Answer
from flowlet.gateway.serializers import StrictSerializer
from flowlet.gateway.views import ApiRequest, ApiView
from payments import queries, step_up
from payments.api.serializers import PaymentOut, render
from payments.choices import PaymentStatus
from wallets.errors import refusal_of


class ConfirmIn(StrictSerializer):
    """The payer's code."""

    code = TextField(min_length=4, max_length=10, help_text="As the payer typed it.")


class CodeOut(serializers.Serializer[Any]):
    """A code on its way to the payer."""

    object = serializers.ChoiceField(choices=["code"])
    payment = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ConfirmView(ApiView):
    """The payer's yes."""

    scopes = {"POST": "payments:write"}
    transactional = False  # it waits for whoever checks codes

    @document(
        summary="Confirm a payment",
        description=(
            "For a payment that is `requires_action`: the code that its payer got by text message. Five tries for a code, "
            "ten minutes, and fifteen for the payment. A 422 with `object` keeps a payment that could not go on."
        ),
        request=ConfirmIn,
        answer=PaymentOut,
        example={"code": "482913"},
    )
    def post(self, request: ApiRequest, payment_id: str) -> Response | Answer:
        """Check the code and go on."""
        values = self.validated(ConfirmIn)
        partner_id = request.principal.partner_id
        payment = step_up.confirm_with_code(
            partner_id=partner_id, payment_id=payment_id, code=values["code"], now=now()
        )
        if payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED):
            error = refusal_of(code=payment.refusal_code, detail=payment.refusal_detail)
            return self.refusal(error, object_id=payment.public_id)
        return Response(render(queries.get_payment(partner_id=partner_id, public_id=payment_id)))


class CodesView(ApiView):
    """Codes for a payment."""

    scopes = {"POST": "payments:write"}

    @document(
        summary="Send the code again",
        description="For a payment that is `requires_action`; at most five an hour for each payer.",
        answer=CodeOut,
        status=202,
    )
    def post(self, request: ApiRequest, payment_id: str) -> Response:
        """Have a code sent."""
        challenge = step_up.send_again(
            partner_id=request.principal.partner_id, payment_id=payment_id, now=now()
        )
        answer = {"object": "code", "payment": payment_id, "expires_at": challenge.expires_at}
        return Response(answer, status=202)
