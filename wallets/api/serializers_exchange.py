"""Bodies and answers of quotes and exchanges."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from flowlet.gateway.fields import AmountField, CurrencyField, IdField
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from ledger.rates import plain
from wallets.choices import QuoteSide, QuoteStatus
from wallets.models_exchange import Exchange, Quote

_RATE = "A decimal number as text: units bought for one unit sold."


class QuoteIn(StrictSerializer):
    """What is to be exchanged."""

    sell_wallet = IdField(prefix="wal", help_text="The money leaves this one.")
    buy_wallet = IdField(prefix="wal", help_text="It comes into this one; of the same customer.")
    amount = AmountField(help_text="Minor units of `currency`.")
    currency = CurrencyField(help_text="That of one of the two wallets: which amount you fix.")


class QuoteOut(serializers.Serializer[Any]):
    """Terms of an exchange; amounts in minor units."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["quote"])
    sell_wallet = serializers.CharField()
    sell_amount = serializers.IntegerField(help_text="What leaves the wallet, the spread included.")
    sell_currency = serializers.CharField()
    buy_wallet = serializers.CharField()
    buy_amount = serializers.IntegerField(help_text="What comes into the wallet.")
    buy_currency = serializers.CharField()
    side = serializers.ChoiceField(
        choices=[code.lower() for code in QuoteSide.values], help_text="Which amount you fixed."
    )
    mid = serializers.CharField(help_text=f"The rate before the spread. {_RATE}")
    spread_bp = serializers.IntegerField(help_text="The spread in hundredths of a percent.")
    rate = serializers.CharField(help_text=f"The rate of this quote: mid less spread. {_RATE}")
    status = serializers.ChoiceField(choices=[code.lower() for code in QuoteStatus.values])
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class QuoteUseIn(StrictSerializer):
    """By which terms."""

    quote = IdField(prefix="quo", help_text="An open quote.")


class ExchangeQuery(ListQuery):
    """Filters of the list of exchanges."""

    customer = IdField(prefix="cus", required=False)


class ExchangeOut(serializers.Serializer[Any]):
    """An exchange that was made; amounts in minor units."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["exchange"])
    quote = serializers.CharField()
    customer = serializers.CharField()
    sell_wallet = serializers.CharField()
    sell_amount = serializers.IntegerField()
    sell_currency = serializers.CharField()
    buy_wallet = serializers.CharField()
    buy_amount = serializers.IntegerField()
    buy_currency = serializers.CharField()
    rate = serializers.CharField(help_text=_RATE)
    transaction = serializers.CharField(help_text="The ledger transaction.")
    created_at = serializers.DateTimeField()


def render_quote(quote: Quote, now: datetime) -> dict[str, Any]:
    """Return a quote as it stands at that instant."""
    return {
        "id": quote.public_id,
        "object": "quote",
        **_sides(quote),
        "side": quote.side.lower(),
        "mid": plain(quote.mid),
        "spread_bp": quote.spread_bp,
        "rate": plain(quote.rate),
        "status": quote.status_at(now).lower(),
        "created_at": quote.created_at,
        "expires_at": quote.expires_at,
    }


def render_exchange(row: Exchange) -> dict[str, Any]:
    """Return an exchange."""
    return {
        "id": row.public_id,
        "object": "exchange",
        "quote": row.quote.public_id,
        "customer": row.customer.public_id,
        **_sides(row.quote),
        "rate": plain(row.quote.rate),
        "transaction": row.transaction.public_id,
        "created_at": row.created_at,
    }


def _sides(quote: Quote) -> dict[str, Any]:
    return {
        "sell_wallet": quote.sell_wallet.public_id,
        "sell_amount": quote.sell_minor,
        "sell_currency": quote.sell_currency,
        "buy_wallet": quote.buy_wallet.public_id,
        "buy_amount": quote.buy_minor,
        "buy_currency": quote.buy_currency,
    }
