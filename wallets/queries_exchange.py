"""Reads of quotes and exchanges."""

from django.conf import settings
from django.db.models import QuerySet

from flowlet.core.errors import NotFound
from wallets.models_exchange import Exchange, PartnerSpread, Quote


def spread_of(partner_id: int) -> int:
    """Return what customers of a partner pay on exchanges, in hundredths of a percent."""
    own = PartnerSpread.objects.filter(partner_id=partner_id).values_list("spread_bp", flat=True).first()
    return int(settings.FX_SPREAD_BP) if own is None else own


def get_quote(*, partner_id: int, public_id: str) -> Quote:
    """
    Return a partner's quote with its wallets.

    :raises NotFound: if it is absent or another partner's
    """
    rows = Quote.objects.filter(partner_id=partner_id, public_id=public_id)
    quote = rows.select_related("sell_wallet", "buy_wallet", "customer").first()
    if quote is None:
        raise NotFound
    return quote


def list_exchanges(*, partner_id: int) -> QuerySet[Exchange]:
    """Return a partner's exchanges with quotes, wallets and transactions, newest first."""
    rows = Exchange.objects.filter(partner_id=partner_id).select_related(
        "transaction", "customer", "quote__sell_wallet", "quote__buy_wallet"
    )
    return rows.order_by("-created_at", "-id")
