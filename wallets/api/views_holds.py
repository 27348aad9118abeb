"""What is set aside in a wallet, over the API: for reading; holds are placed by the house."""

from rest_framework.response import Response

from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.views import ApiRequest, ApiView
from ledger.queries.holds import list_holds
from wallets.api import serializers as s
from wallets.queries import get_wallet


class HoldsView(ApiView):
    """Money set aside in a wallet."""

    scopes = {"GET": "wallets:read"}
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
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        rows = list_holds(wallet.account_id)
        if "status" in query:
            rows = rows.filter(state__status=query["status"])
        return self.page(request, rows, s.render_hold)
