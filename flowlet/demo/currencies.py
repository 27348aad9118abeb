"""
Exchange rates and exchanges of the demo. The rates are invented, near what they were; their source says DEMO.

Deterministic, and to be called once, after the story was played: some customers who hold money open a second wallet
and change a part of it, at the rate of that day.
"""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db.models import F

from flowlet.audit.trail import Actor, acting
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.identity.models import ApiClient
from ledger.choices import RateKind
from ledger.operations.currencies import NewRate, record_rates
from ledger.operations.deals import realise_results
from wallets.models import Wallet
from wallets.models_exchange import Exchange
from wallets.operations.exchange import exchange, quote_exchange
from wallets.operations.wallets import open_wallet

SOURCE = "DEMO (invented)"
DAYS = 92
# Units for one euro, and by how many thousandths each day is above or below that.
_EUROS = {
    "USD": "1.0850",
    "GBP": "0.8420",
    "CHF": "0.9410",
    "JPY": "162.40",
    "KWD": "0.3334",
    "CLF": "0.0268",
    "SEK": "11.310",
    "PLN": "4.2700",
}
_WAVES = (0, 3, 5, 2, -1, -4, -2, 1, 4, 6, 3, -3, -5)
_EXCHANGES = 60
_SHARE = 8  # of what is available


def fill(*, now: datetime) -> int:
    """Record ninety days of rates, exchange at them, and return how many exchanges were made."""
    rates = [rate for back in range(DAYS, -1, -1) for rate in _of_day(now, back)]
    with acting(Actor("SYSTEM", "demo")):
        record_rates(rates=rates, now=now)
    _exchange(now)
    with acting(Actor("SYSTEM", "job:ledger.realise_results")):
        realise_results(now=now)
    return Exchange.objects.count()


def _of_day(now: datetime, back: int) -> list[NewRate]:
    day = (now - timedelta(days=back)).date()
    at = min(datetime.combine(day, time(15), now.tzinfo), now)
    found = []
    for place, (quote, text) in enumerate(_EUROS.items()):
        wave = _WAVES[(back + 3 * place) % len(_WAVES)]
        rate = (Decimal(text) * (1000 + wave) / 1000).quantize(Decimal("0.000001"))
        found += [
            NewRate(base="EUR", quote=quote, kind=kind, source=SOURCE, rate=rate, valid_at=at)
            for kind in (RateKind.MID, RateKind.CLOSING)
        ]
    return found


def _exchange(now: datetime) -> None:
    rows = Wallet.objects.filter(
        status="ACTIVE",
        purpose="MAIN",
        customer__restrictions__isnull=True,
        customer__kind="PERSON",
        currency__in=("EUR", "USD", "GBP", "CHF"),
        account__balance__posted__gte=F("account__balance__held") + 20_000,
    ).select_related("customer", "account__balance")
    wallets = list(rows.order_by("partner__name", "customer__reference", "currency"))[:_EXCHANGES]
    clients = {client.partner_id: client for client in ApiClient.objects.order_by("-pk")}
    others = tuple(_EUROS)
    for place, wallet in enumerate(wallets):
        bought = others[place % len(others)]
        if bought == wallet.currency:
            bought = "EUR"
        # A day apart at most, ending now: the past of the books is not written again.
        at = now - timedelta(minutes=11 * (len(wallets) - place))
        client = clients[wallet.partner_id]
        with acting(Actor("CLIENT", client.public_id, client.name)):
            _one(wallet, bought, at, use=place % 7 != 0, both_ways=place % 3 == 0)


def _one(wallet: Wallet, bought: str, at: datetime, *, use: bool, both_ways: bool) -> None:
    """Quote, and mostly exchange; some change a part back, and some quotes are left to expire."""
    balance = wallet.account.balance
    other = Wallet.objects.filter(
        customer=wallet.customer_id, currency=bought, purpose="MAIN", status="ACTIVE"
    ).first() or open_wallet(customer_id=wallet.customer_id, currency=bought, now=at)
    amount = Money((balance.posted - balance.held) // _SHARE, wallet.currency)
    quote = quote_exchange(sell_wallet_id=wallet.pk, buy_wallet_id=other.pk, amount=amount, now=at)
    if not use:
        return
    try:
        made = exchange(quote_id=quote.pk, idempotency_key=None, now=at + timedelta(seconds=9))
    except AppError:
        return  # a limit of the tier: the quote is left to expire
    if both_ways:
        back = quote_exchange(
            sell_wallet_id=other.pk,
            buy_wallet_id=wallet.pk,
            amount=Money(made.quote.buy_minor // 2 + 1, bought),
            now=at + timedelta(minutes=5),
        )
        exchange(quote_id=back.pk, idempotency_key=None, now=at + timedelta(minutes=5, seconds=12))
