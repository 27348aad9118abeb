"""Exchanges between two wallets of one customer: a quote fixes the terms, the exchange uses it once."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events import outbox
from flowlet.identity.models import Customer, Partner
from ledger.errors import QuoteUsed
from ledger.operations.deals import book_deal
from ledger.queries.rates import base_currency, rate_now
from ledger.rates import agreed_terms
from wallets import events, policies, queries
from wallets.choices import LimitKind, QuoteSide, QuoteStatus, WalletStatus
from wallets.errors import KeyUsedBefore, OneCurrency, QuoteExpired, WalletClosed
from wallets.models import Wallet
from wallets.models_exchange import SPREAD_BP_MAX, Exchange, PartnerSpread, Quote
from wallets.operations.limits import Use, use_limits
from wallets.queries_exchange import spread_of

_EXPIRED_AT_ONCE = 1_000


@transaction.atomic
def quote_exchange(*, sell_wallet_id: int, buy_wallet_id: int, amount: Money, now: datetime) -> Quote:
    """
    Fix the terms of an exchange for FX_QUOTE_S seconds; nothing is set aside.

    `amount` is in minor units of the currency that is sold, or of the one that is bought; the other side follows. It
    is judged when the quote is used whether the money is there and may move.

    :raises NotFound: if the wallets are not of one customer
    :raises WalletClosed: if one is closed
    :raises OneCurrency: if both are in one currency
    :raises CurrencyMismatch: if the amount is in neither currency
    :raises InvalidAmount: if it is not above zero, or too small or large to be exchanged
    :raises RateMissing: if there is no mid rate for the pair that is fresh enough
    """
    wallets = Wallet.objects.select_related("customer").in_bulk({sell_wallet_id, buy_wallet_id})
    seller, buyer = wallets[sell_wallet_id], wallets[buy_wallet_id]
    _check_pair(seller, buyer, amount)
    sold, bought = seller.currency, buyer.currency
    mid = rate_now(sold, bought, now=now)
    if base_currency() not in (sold, bought):
        rate_now(sold, base_currency(), now=now)  # the deal will be valued by it
    spread_bp = spread_of(seller.partner_id)
    terms = agreed_terms(amount, sold=sold, bought=bought, mid=mid.value, spread_bp=spread_bp)
    quote = Quote.objects.create(
        partner_id=seller.partner_id,
        customer=seller.customer,
        sell_wallet=seller,
        buy_wallet=buyer,
        side=QuoteSide.SELL if amount.currency == sold else QuoteSide.BUY,
        sell_minor=terms.sell.minor,
        sell_currency=sold,
        buy_minor=terms.buy.minor,
        buy_currency=bought,
        mid=terms.mid,
        spread_bp=spread_bp,
        spread_minor=terms.spread.minor,
        rate=terms.rate,
        rate_source=mid.source,
        rate_valid_at=mid.valid_at,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.FX_QUOTE_S),
    )
    trail.record(
        action="quote.create",
        object_type="quote",
        object_id=quote.public_id,
        partner_id=quote.partner_id,
        customer=seller.customer.public_id,
    )
    return quote


def _check_pair(seller: Wallet, buyer: Wallet, amount: Money) -> None:
    if seller.customer_id != buyer.customer_id:
        raise NotFound
    for wallet in (seller, buyer):
        if wallet.status == WalletStatus.CLOSED:
            raise WalletClosed(wallet=wallet.public_id)
    if seller.currency == buyer.currency:
        raise OneCurrency(currency=seller.currency)
    if amount.currency not in (seller.currency, buyer.currency):
        raise CurrencyMismatch(expected=f"{seller.currency} or {buyer.currency}", given=amount.currency)


@transaction.atomic
def exchange(*, quote_id: int, idempotency_key: str | None, now: datetime) -> Exchange:
    """
    Exchange by a quote, at once and once: the same key again returns the first exchange.

    Freezes, restrictions and limits count as for any money out of the one wallet and into the other.

    :raises QuoteUsed: if it was used before (under another key)
    :raises QuoteExpired: if its time is over
    :raises KeyUsedBefore: if the key stands for another exchange
    :raises InsufficientFunds: if less is available than is sold
    :raises LimitExceeded: if a limit of the tier would be passed
    :raises AppError: whatever the policies of money out and in refuse; nothing happens, the quote stays open
    """
    terms = Quote.objects.values("customer_id", "sell_wallet_id", "buy_wallet_id").get(pk=quote_id)
    list(lock(Customer.objects.filter(pk=terms["customer_id"])).values_list("pk"))
    pair = Wallet.objects.filter(pk__in=(terms["sell_wallet_id"], terms["buy_wallet_id"]))
    wallets = {wallet.pk: wallet for wallet in lock(pair).select_related("customer")}
    quote = lock(Quote.objects.filter(pk=quote_id)).get()
    quote.sell_wallet, quote.buy_wallet = wallets[quote.sell_wallet_id], wallets[quote.buy_wallet_id]
    quote.customer = quote.sell_wallet.customer
    if (known := _known(quote, idempotency_key)) is not None:
        return known
    if quote.status_at(now) == QuoteStatus.EXPIRED:
        raise QuoteExpired(quote=quote.public_id, expires_at=quote.expires_at)
    _let_pass(quote, now)
    row = Exchange(
        partner_id=quote.partner_id,
        customer=quote.customer,
        quote=quote,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    row.transaction_id = _post(quote, row.public_id, now)
    quote.status, quote.used_at = QuoteStatus.USED, now
    quote.save(update_fields=["status", "used_at"])
    _save(row)
    _tell(row, now)
    return row


def _known(quote: Quote, idempotency_key: str | None) -> Exchange | None:
    """Return the exchange that this key made by this quote before."""
    if idempotency_key is not None:
        rows = Exchange.objects.filter(partner_id=quote.partner_id, idempotency_key=idempotency_key)
        known = rows.select_related("transaction", "quote__sell_wallet", "quote__buy_wallet").first()
        if known is not None and known.quote_id != quote.pk:
            raise KeyUsedBefore
        if known is not None:
            return known
    if quote.status == QuoteStatus.USED:
        raise QuoteUsed(quote=quote.public_id)
    return None


def _let_pass(quote: Quote, now: datetime) -> None:
    seller, buyer = quote.sell_wallet, quote.buy_wallet
    states = queries.get_states([seller, buyer])
    policies.check_money_out(states[seller.pk])
    policies.check_money_in(states[buyer.pk])
    uses = (Use(seller, LimitKind.OUT, quote.sell), Use(buyer, LimitKind.IN, quote.buy))
    use_limits(uses=uses, now=now)


def _post(quote: Quote, exchange_id: str, now: datetime) -> int:
    posted = book_deal(
        seller_account_id=quote.sell_wallet.account_id,
        buyer_account_id=quote.buy_wallet.account_id,
        terms=quote.terms,
        kind="EXCHANGE",
        source="exchange",
        source_key=exchange_id,
        quote=quote.public_id,
        text=f"Exchange of {quote.sell_currency} to {quote.buy_currency}",
        context={"exchange": exchange_id, "quote": quote.public_id},
        now=now,
    )
    return posted.transaction_id


def _save(row: Exchange) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "exchange_key_once" not in str(error):
            raise
        raise KeyUsedBefore from error  # by an exchange of another customer of this partner


def _tell(row: Exchange, now: datetime) -> None:
    quote = row.quote
    trail.record(
        action="exchange.create",
        object_type="exchange",
        object_id=row.public_id,
        changes={"quote": [None, quote.public_id]},
        partner_id=row.partner_id,
        customer=quote.customer.public_id,
    )
    outbox.publish(
        type=events.EXCHANGE_COMPLETED,
        object_type="exchange",
        object_id=row.public_id,
        partner_id=row.partner_id,
        data={
            "id": row.public_id,
            "quote": quote.public_id,
            "sell_wallet": quote.sell_wallet.public_id,
            "sell_amount": quote.sell_minor,
            "sell_currency": quote.sell_currency,
            "buy_wallet": quote.buy_wallet.public_id,
            "buy_amount": quote.buy_minor,
            "buy_currency": quote.buy_currency,
            "rate": str(quote.rate),
        },
        at=now,
    )


@transaction.atomic
def expire_quotes(*, now: datetime) -> int:
    """Close open quotes whose time is over, oldest first, a thousand at most, and return how many there were."""
    over = Quote.objects.filter(status=QuoteStatus.OPEN, expires_at__lte=now).order_by("expires_at", "pk")
    due = list(over.values_list("pk", flat=True)[:_EXPIRED_AT_ONCE])
    # One that is being used is left to whoever uses it.
    rows = lock(Quote.objects.filter(pk__in=due, status=QuoteStatus.OPEN), skip_locked=True)
    return Quote.objects.filter(pk__in=[row.pk for row in rows]).update(status=QuoteStatus.EXPIRED)


@transaction.atomic
def set_spread(
    *, partner_id: int, spread_bp: int, now: datetime, reason_code: str = "", note: str = ""
) -> None:
    """
    Set what a partner's customers pay on exchanges, in hundredths of a percent; quotes given before keep theirs.

    :raises InvalidAmount: if it is below 0 or above 2,000 (20 %)
    """
    if not 0 <= spread_bp <= SPREAD_BP_MAX:
        raise InvalidAmount(reason=f"A spread lies between 0 and {SPREAD_BP_MAX:,} hundredths of a percent.")
    partner = lock(Partner.objects.filter(pk=partner_id)).get()
    before = spread_of(partner_id)
    PartnerSpread.objects.update_or_create(
        partner=partner, defaults={"spread_bp": spread_bp, "changed_at": now}
    )
    trail.record(
        action="partner.set_spread",
        object_type="partner",
        object_id=partner.public_id,
        changes={"spread_bp": [before, spread_bp]},
        reason_code=reason_code,
        note=note,
        partner_id=partner_id,
    )
