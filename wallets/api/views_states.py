"""Freezing, unfreezing and closing wallets over the API."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.views import ApiRequest, ApiView
from wallets.api import serializers as s
from wallets.choices import FrozenBy
from wallets.operations import wallets as operations
from wallets.queries import get_wallet


class FreezeView(ApiView):
    """A partner stops one of its wallets."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Freeze a wallet",
        description="Nothing moves in or out, or in one `direction`, until it is unfrozen.",
        request=s.FreezeIn,
        answer=s.WalletOut,
        example={"reason": "lost_access"},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Freeze."""
        values = self.validated(s.FreezeIn)
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        frozen = operations.freeze_wallet(
            wallet_id=wallet.pk,
            reason_code=values["reason"],
            note=values.get("note", ""),
            by=FrozenBy.PARTNER,
            direction=values["direction"],
            now=now(),
        )
        return Response(s.render_wallet(frozen))


class UnfreezeView(ApiView):
    """A partner lets a wallet that it froze be used again."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Unfreeze a wallet",
        description="Lifts a freeze of your own; one of ours stays.",
        request=s.UnfreezeIn,
        answer=s.WalletOut,
        example={},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Unfreeze."""
        values = self.validated(s.UnfreezeIn)
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        active = operations.unfreeze_wallet(
            wallet_id=wallet.pk,
            reason_code="PARTNER_REQUEST",
            note=values.get("note", ""),
            by=FrozenBy.PARTNER,
            now=now(),
        )
        return Response(s.render_wallet(active))


class CloseView(ApiView):
    """A partner closes one of its wallets."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Close a wallet",
        description="For good, once nothing is booked, held, announced or owed and no freeze is on it.",
        request=s.CloseIn,
        answer=s.WalletOut,
        example={},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Close."""
        values = self.validated(s.CloseIn)
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        closed = operations.close_wallet(
            wallet_id=wallet.pk,
            reason_code="PARTNER_REQUEST",
            note=values.get("note", ""),
            now=now(),
        )
        return Response(s.render_wallet(closed))
