"""How customers send money to a wallet by bank transfer, over the API."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.serializers import EmptyIn
from flowlet.gateway.views import ApiRequest, ApiView
from wallets.api.serializers_incoming import FundingInstructionsOut, render_instructions
from wallets.operations.incoming import give_reference
from wallets.queries import get_wallet
from wallets.queries_incoming import funding_instructions


class FundingInstructionsView(ApiView):
    """What a transfer to a wallet has to carry, and where it goes."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}

    @document(
        summary="Show funding instructions",
        description="Our bank account, and the reference by which a bank transfer finds this wallet.",
        answer=FundingInstructionsOut,
    )
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return them."""
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        return Response(render_instructions(funding_instructions(wallet)))

    @document(
        summary="Give a wallet its reference",
        description="A wallet has one; asking again returns the same.",
        request=EmptyIn,
        answer=FundingInstructionsOut,
        example={},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Give one, if there is none."""
        self.validated(EmptyIn)
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        give_reference(wallet_id=wallet.pk, now=now())
        return Response(render_instructions(funding_instructions(wallet)))
