"""What the card network asks and tells (scope `network`), and what partners read of it."""

from typing import Any

from rest_framework.response import Response

from cards import queries
from cards.api import rendering
from cards.api import serializers as s
from cards.choices import EventKind
from cards.models.authorizations import CardAuthorization
from cards.operations import following
from cards.operations.authorizing import Asked, authorize
from cards.operations.following import Message
from flowlet.core.clock import now
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import EmptyIn
from flowlet.gateway.views import ApiRequest, ApiView

NETWORK = "network"
_ASKED = {
    "card": "crd_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "network_reference": "481516234211",
    "amount": 2_599,
    "currency": "EUR",
    "merchant": {"name": "Corner Books", "mcc": "5942", "country": "DE"},
}
_CLEARED = {
    "card": _ASKED["card"],
    "reference": "74537606330017345698211",
    "network_reference": _ASKED["network_reference"],
    "amount": 2_599,
    "currency": "EUR",
}


class AuthorizationsView(ApiView):
    """Authorisations of the partner's cards."""

    scopes = {"GET": "cards:read", "POST": NETWORK}
    list_query = s.AuthorizationQuery
    costs = {"GET": 2}

    @document(summary="List card authorisations", answer=list_of(s.CardAuthorizationOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_authorizations(partner_id=request.principal.partner_id)
        if "card" in query:
            rows = rows.filter(card__public_id=query["card"])
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return self.page(request, rows, rendering.render_authorization)

    @document(
        summary="Ask for an authorisation",
        description=(
            "What the card network does; in the sandbox you do. A decline is an answer too: 201 with `outcome` declined "
            "and every reason. The same reference gets its first answer; with another body 409 `duplicate_reference`."
        ),
        request=s.CardAuthorizationIn,
        answer=s.CardAuthorizationOut,
        status=201,
        example=_ASKED,
    )
    def post(self, request: ApiRequest) -> Response:
        """Decide."""
        values = self.validated(s.CardAuthorizationIn)
        card_id = queries.find_card_key(partner_id=request.principal.partner_id, card=values["card"])
        row = authorize(card_id=card_id, asked=_asked(values), now=now())
        where = {"Location": f"/api/v1/card_authorizations/{row.public_id}"}
        return Response(rendering.render_authorization(row), status=201, headers=where)


class AuthorizationView(ApiView):
    """One authorisation."""

    scopes = {"GET": "cards:read"}

    @document(summary="Show a card authorisation", answer=s.CardAuthorizationOut)
    def get(self, request: ApiRequest, authorization_id: str) -> Response:
        """Return the authorisation."""
        return Response(rendering.render_authorization(_row(request, authorization_id)))


class ReverseView(ApiView):
    """A promise is taken back."""

    scopes = {"POST": NETWORK}

    @document(
        summary="Reverse an authorisation",
        description="In part, or whole without an amount. A repeat of the reference changes nothing.",
        request=s.ReverseIn,
        answer=s.CardAuthorizationOut,
        example={"reference": "481516234212", "amount": 1_000},
    )
    def post(self, request: ApiRequest, authorization_id: str) -> Response:
        """Reverse."""
        values, row = self.validated(s.ReverseIn), _row(request, authorization_id)
        amount = Money(values["amount"], row.currency) if "amount" in values else None
        following.reverse(authorization_id=row.pk, reference=values["reference"], amount=amount, now=now())
        return Response(rendering.render_authorization(_row(request, authorization_id)))


class ExpireView(ApiView):
    """A promise is over before its time."""

    scopes = {"POST": NETWORK}

    @document(
        summary="Expire an authorisation",
        description="What it holds is given back. A clearing that comes later is booked all the same.",
        request=EmptyIn,
        answer=s.CardAuthorizationOut,
        example={},
    )
    def post(self, request: ApiRequest, authorization_id: str) -> Response:
        """Expire."""
        self.validated(EmptyIn)
        following.expire(authorization_id=_row(request, authorization_id).pk, now=now())
        return Response(rendering.render_authorization(_row(request, authorization_id)))


class ClearingsView(ApiView):
    """What the network has settled."""

    scopes = {"POST": NETWORK}

    @document(
        summary="Book a clearing or refund",
        description=(
            "Always booked in full, whatever the state of authorisation, card or wallet: what the wallet cannot pay is "
            "owed and repaid by the next money in. The same reference is booked once."
        ),
        request=s.ClearingIn,
        answer=s.CardTransactionOut,
        status=201,
        example=_CLEARED,
    )
    def post(self, request: ApiRequest) -> Response:
        """Book."""
        values = self.validated(s.ClearingIn)
        card_id = queries.find_card_key(partner_id=request.principal.partner_id, card=values["card"])
        message = Message(
            kind=EventKind(values["kind"]),
            reference=values["reference"],
            network_reference=values.get("network_reference", ""),
            amount=Money(values["amount"], values["currency"]),
            network_time=values.get("network_time") or now(),
            final=values["final"],
            merchant_name=values.get("merchant_name", ""),
        )
        event = following.take_message(card_id=card_id, message=message, now=now())
        return Response(
            rendering.render_transaction(queries.list_transactions().get(event=event)), status=201
        )


class TransactionsView(ApiView):
    """Clearings and refunds of the partner's cards."""

    scopes = {"GET": "cards:read"}
    list_query = s.TransactionQuery
    costs = {"GET": 2}
    order = ("-booked_at", "-public_id")

    @document(summary="List card transactions", answer=list_of(s.CardTransactionOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_transactions(partner_id=request.principal.partner_id)
        if "card" in query:
            rows = rows.filter(card__public_id=query["card"])
        return self.page(request, rows, rendering.render_transaction)


def _asked(values: dict[str, Any]) -> Asked:
    """Return the body as the decision reads it; a message without a time is of now."""
    merchant, currency = values["merchant"], values["currency"]
    return Asked(
        network_reference=values["network_reference"],
        amount=Money(values["amount"], currency),
        merchant_amount=Money(
            values.get("merchant_amount", values["amount"]), values.get("merchant_currency", currency)
        ),
        merchant_name=merchant["name"],
        merchant_id=merchant.get("id", ""),
        mcc=merchant["mcc"],
        country=merchant["country"],
        channel=values["channel"],
        network_time=values.get("network_time") or now(),
        allow_partial=values["allow_partial"],
    )


def _row(request: ApiRequest, public_id: str) -> CardAuthorization:
    return queries.get_authorization(partner_id=request.principal.partner_id, public_id=public_id)
