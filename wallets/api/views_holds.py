"""What is set aside in a wallet, over the API: all of it for reading; partners change what they placed themselves."""

from datetime import timedelta

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import EmptyIn
from flowlet.gateway.views import ApiRequest, ApiView
from ledger.models.holds import Hold
from ledger.queries.holds import list_holds
from wallets import queries
from wallets.api import serializers_holds as s
from wallets.operations import holds as operations


class HoldsView(ApiView):
    """Money set aside in a wallet."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = s.HoldQuery
    costs = {"GET": 2}
    order = ("-placed_at", "-id")

    @document(
        summary="List a wallet's holds",
        description="Newest first, ended ones too. Held money is part of posted and not of available.",
        answer=list_of(s.HoldOut),
    )
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return one page of holds."""
        query = self.query()
        wallet = queries.get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        rows = list_holds(wallet.account_id)
        if "status" in query:
            rows = rows.filter(state__status=query["status"])
        return self.page(request, rows, s.render_hold)

    @document(
        summary="Place a hold",
        description="Sets money of the customer aside for you until you capture or release it, or it expires.",
        request=s.HoldIn,
        answer=s.HoldOut,
        status=201,
        example={"amount": 12500, "currency": "EUR", "expires_in": 86400, "reference": "order-1042"},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Set money aside."""
        values, at = self.validated(s.HoldIn), now()
        wallet = queries.get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        expires_at = values.get("expires_at")
        if "expires_in" in values:
            expires_at = at + timedelta(seconds=values["expires_in"])
        hold = operations.place_partner_hold(
            wallet_id=wallet.pk,
            amount=Money(values["amount"], values["currency"]),
            expires_at=expires_at,
            reference=values.get("reference", ""),
            idempotency_key=request.idempotency_key,
            now=at,
        )
        return Response(
            s.render_hold(hold), status=201, headers={"Location": f"/api/v1/holds/{hold.public_id}"}
        )


class HoldView(ApiView):
    """One hold."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show a hold", answer=s.HoldOut)
    def get(self, request: ApiRequest, hold_id: str) -> Response:
        """Return the hold, whoever placed it."""
        return Response(s.render_hold(_hold(request, hold_id)))


class IncreaseHoldView(ApiView):
    """A hold that is to hold more."""

    scopes = {"POST": "wallets:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Increase a hold",
        description="Sets more aside. Holds of payments and cards are changed by those.",
        request=s.HoldChangeIn,
        answer=s.HoldOut,
        example={"amount": 2500},
    )
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Set more aside."""
        return _change(self, request, hold_id, sign=1)


class DecreaseHoldView(ApiView):
    """A hold that is to hold less."""

    scopes = {"POST": "wallets:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Decrease a hold",
        description="Gives a part back; all of it ends the hold.",
        request=s.HoldChangeIn,
        answer=s.HoldOut,
        example={"amount": 2500},
    )
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Give a part back."""
        return _change(self, request, hold_id, sign=-1)


class CaptureHoldView(ApiView):
    """A hold whose money is due."""

    scopes = {"POST": "wallets:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Capture a hold",
        description="Moves held money into your own account: all that is open, or a part, several times with `final` "
        "false. It counts as money out of the customer's limits when it moves. To another wallet money "
        "moves by a payment only.",
        request=s.CaptureIn,
        answer=s.CaptureOut,
        example={"amount": 9900, "final": True, "description": "Order 1042"},
    )
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Take the money."""
        values, hold = self.validated(s.CaptureIn), _hold(request, hold_id)
        capture = operations.capture_partner_hold(
            hold_id=hold.pk,
            amount=Money(values["amount"], hold.currency) if "amount" in values else None,
            final=values["final"],
            description=values.get("description", ""),
            idempotency_key=request.idempotency_key,
            now=now(),
        )
        return Response(s.render_capture(capture, _hold(request, hold_id)))


class ReleaseHoldView(ApiView):
    """A hold that is needed no longer."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Release a hold",
        description="Gives back all that is open; safe to repeat.",
        request=EmptyIn,
        answer=s.HoldOut,
        example={},
    )
    def post(self, request: ApiRequest, hold_id: str) -> Response:
        """Give it back."""
        self.validated(EmptyIn)
        hold = operations.release_partner_hold(hold_id=_hold(request, hold_id).pk, now=now())
        return Response(s.render_hold(hold))


def _hold(request: ApiRequest, public_id: str) -> Hold:
    return queries.get_hold(partner_id=request.principal.partner_id, public_id=public_id)


def _change(view: ApiView, request: ApiRequest, hold_id: str, *, sign: int) -> Response:
    values, hold = view.validated(s.HoldChangeIn), _hold(request, hold_id)
    changed = operations.change_partner_hold(
        hold_id=hold.pk,
        delta=Money(sign * values["amount"], hold.currency),
        idempotency_key=request.idempotency_key,
        now=now(),
    )
    return Response(s.render_hold(changed))
