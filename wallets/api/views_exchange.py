"""Quotes and exchanges over the API."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.errors import FieldError, InvalidInput, NotFound
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.views import ApiRequest, ApiView
from wallets.api import serializers_exchange as s
from wallets.models import Wallet
from wallets.operations import exchange as operations
from wallets.queries import get_wallet
from wallets.queries_exchange import get_quote, list_exchanges

_SELL = "wal_01K8Z5M3W4J7T2R9QX6V0BND1C"
_BUY = "wal_01K8Z5M3W4J7T2R9QX6V0BND1D"


class QuotesView(ApiView):
    """Asking for terms."""

    scopes = {"POST": "wallets:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Quote an exchange",
        description="Between two wallets of one customer. Give the amount that is sold or the one that is bought, by "
        "its currency; the other follows. The terms are good until `expires_at` and for one exchange. Nothing is set "
        "aside.",
        request=s.QuoteIn,
        answer=s.QuoteOut,
        status=201,
        example={"sell_wallet": _SELL, "buy_wallet": _BUY, "amount": 10000, "currency": "EUR"},
    )
    def post(self, request: ApiRequest) -> Response:
        """Quote."""
        values = self.validated(s.QuoteIn)
        if values["sell_wallet"] == values["buy_wallet"]:
            raise InvalidInput(errors=(FieldError("/buy_wallet", "same_wallet", "Name another wallet."),))
        quote = operations.quote_exchange(
            sell_wallet_id=_wallet(request, values["sell_wallet"], "/sell_wallet").pk,
            buy_wallet_id=_wallet(request, values["buy_wallet"], "/buy_wallet").pk,
            amount=Money(values["amount"], values["currency"]),
            now=now(),
        )
        where = {"Location": f"/api/v1/quotes/{quote.public_id}"}
        return Response(s.render_quote(quote, now()), status=201, headers=where)


class QuoteView(ApiView):
    """One quote."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show a quote", answer=s.QuoteOut)
    def get(self, request: ApiRequest, quote_id: str) -> Response:
        """Return the quote."""
        quote = get_quote(partner_id=request.principal.partner_id, public_id=quote_id)
        return Response(s.render_quote(quote, now()))


class ExchangesView(ApiView):
    """Exchanging by a quote."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = s.ExchangeQuery
    costs = {"GET": 2}

    @document(summary="List exchanges", answer=list_of(s.ExchangeOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), list_exchanges(partner_id=request.principal.partner_id)
        if "customer" in query:
            rows = rows.filter(customer__public_id=query["customer"])
        return self.page(request, rows, s.render_exchange)

    @document(
        summary="Exchange",
        description="Uses a quote, at once: the sold amount leaves the one wallet, the bought one comes into the "
        "other. A refusal leaves the quote open until it expires.",
        request=s.QuoteUseIn,
        answer=s.ExchangeOut,
        status=201,
        example={"quote": "quo_01K8Z5M3W4J7T2R9QX6V0BND1C"},
    )
    def post(self, request: ApiRequest) -> Response:
        """Exchange."""
        values = self.validated(s.QuoteUseIn)
        try:
            quote = get_quote(partner_id=request.principal.partner_id, public_id=values["quote"])
        except NotFound:
            fault = FieldError("/quote", "not_found", "There is no such object.")
            raise NotFound(errors=(fault,)) from None
        made = operations.exchange(
            quote_id=quote.pk, idempotency_key=request.idempotency_key or None, now=now()
        )
        where = {"Location": f"/api/v1/exchanges/{made.public_id}"}
        return Response(s.render_exchange(made), status=201, headers=where)


class ExchangeView(ApiView):
    """One exchange."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show an exchange", answer=s.ExchangeOut)
    def get(self, request: ApiRequest, exchange_id: str) -> Response:
        """Return the exchange."""
        rows = list_exchanges(partner_id=request.principal.partner_id)
        row = rows.filter(public_id=exchange_id).first()
        if row is None:
            raise NotFound
        return Response(s.render_exchange(row))


def _wallet(request: ApiRequest, public_id: str, pointer: str) -> Wallet:
    try:
        return get_wallet(partner_id=request.principal.partner_id, public_id=public_id)
    except NotFound:
        fault = FieldError(pointer, "not_found", "There is no such object.")
        raise NotFound(errors=(fault,)) from None
