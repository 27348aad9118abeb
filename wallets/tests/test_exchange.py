"""Exchanges: terms fixed, used once and in time, judged like other money, and no unit lost on the way."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flowlet.core.errors import NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events.models import Event
from flowlet.identity.operations import place_restriction
from ledger.errors import InsufficientFunds, QuoteUsed, RateMissing
from ledger.models.currencies import FxDeal
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.deals import realise_results
from ledger.queries.rates import rate_now
from ledger.queries.verification import verify
from ledger.rates import agreed_terms
from ledger.tests.factories import make_rate
from wallets.choices import QuoteSide
from wallets.errors import (
    KeyUsedBefore,
    LimitExceeded,
    MoneyOutBlocked,
    NotPermitted,
    OneCurrency,
    QuoteExpired,
    WalletClosed,
    WalletFrozen,
)
from wallets.models import LimitRule, LimitUse
from wallets.models_exchange import Exchange, Quote
from wallets.operations.exchange import exchange, expire_quotes, quote_exchange, set_spread
from wallets.operations.wallets import close_wallet, freeze_wallet
from wallets.tests.factories import NOW, at_once, holds, make_customer, make_wallet

SOON = NOW + timedelta(seconds=5)
WORTH = {"JPY": "165", "EUR": "1", "KWD": "0.334", "CLF": "0.0266"}


def _pair(customer, sold="EUR", bought="USD", balance=50_000):
    return make_wallet(customer, sold, balance=balance), make_wallet(customer, bought)


def _quote(seller, buyer, amount, now=NOW):
    return quote_exchange(sell_wallet_id=seller.pk, buy_wallet_id=buyer.pk, amount=amount, now=now)


@pytest.fixture
def dollars(customer):
    """A wallet with 500.00 EUR, an empty one in USD, and the rate of the worked example."""
    make_rate("EUR", "USD", "1.1000")
    return _pair(customer)


@pytest.mark.django_db
def test_the_worked_example_is_quoted_and_exchanged(dollars):
    seller, buyer = dollars

    quote = _quote(seller, buyer, Money(10_000, "EUR"))
    made = exchange(quote_id=quote.pk, idempotency_key="one", now=SOON)

    assert (quote.mid, quote.rate, quote.spread_bp) == (Decimal("1.1"), Decimal("1.089"), 100)
    assert (quote.sell, quote.buy, quote.spread_minor, quote.side) == (
        Money(10_000, "EUR"),
        Money(10_890, "USD"),
        100,
        QuoteSide.SELL,
    )
    assert quote.expires_at == NOW + timedelta(seconds=30)
    legs = Posting.objects.filter(transaction=made.transaction_id)
    assert sorted(legs.values_list("account__chart_account__code", "currency", "amount")) == [
        ("CUSTOMER_WALLETS", "EUR", 10_000),
        ("CUSTOMER_WALLETS", "USD", -10_890),
        ("FX_POSITION", "EUR", -9_900),
        ("FX_POSITION", "USD", 10_890),
        ("FX_SPREAD_INCOME", "EUR", -100),
    ]
    assert (holds(seller), holds(buyer)) == (40_000, 10_890)
    header = LedgerTransaction.objects.get(pk=made.transaction_id)
    assert (header.quote, header.fx_rate) == (quote.public_id, Decimal("1.089"))
    told = Event.objects.get(type="exchange.completed").data
    assert (told["sell_amount"], told["buy_amount"], told["quote"]) == (10_000, 10_890, quote.public_id)


@pytest.mark.django_db
def test_the_bought_amount_may_be_fixed_instead(dollars):
    quote = _quote(*dollars, Money(10_890, "USD"))

    assert (quote.sell, quote.buy, quote.side) == (
        Money(10_000, "EUR"),
        Money(10_890, "USD"),
        QuoteSide.BUY,
    )


@pytest.mark.django_db
def test_the_way_back_divides_by_the_rate_and_never_multiplies_by_a_rounded_one(customer):
    make_rate("EUR", "USD", "1.1000")
    seller, buyer = _pair(customer, "USD", "EUR")
    set_spread(partner_id=customer.partner_id, spread_bp=0, now=NOW)

    quote = _quote(seller, buyer, Money(11_000, "USD"))

    assert quote.buy == Money(10_000, "EUR")
    assert quote.rate == Decimal("0.909090909091")


@pytest.mark.django_db
def test_a_partner_has_a_spread_of_its_own(dollars, other_partner):
    seller, buyer = dollars
    set_spread(partner_id=seller.partner_id, spread_bp=25, now=NOW)
    set_spread(partner_id=other_partner.pk, spread_bp=400, now=NOW)

    quote = _quote(seller, buyer, Money(10_000, "EUR"))

    assert (quote.spread_minor, quote.rate, quote.buy.minor) == (25, Decimal("1.09725"), 10_972)
    with pytest.raises(InvalidAmount):
        set_spread(partner_id=seller.partner_id, spread_bp=2_001, now=NOW)


@pytest.mark.django_db
def test_a_quote_works_once_and_the_same_key_answers_the_same_exchange(dollars):
    first, second = (_quote(*dollars, Money(100, "EUR")) for _ in range(2))
    made = exchange(quote_id=first.pk, idempotency_key="one", now=SOON)

    assert exchange(quote_id=first.pk, idempotency_key="one", now=SOON).pk == made.pk
    for key in ("two", None):
        with pytest.raises(QuoteUsed):
            exchange(quote_id=first.pk, idempotency_key=key, now=SOON)
    with pytest.raises(KeyUsedBefore):
        exchange(quote_id=second.pk, idempotency_key="one", now=SOON)
    assert Exchange.objects.count() == FxDeal.objects.count() == 1


@pytest.mark.django_db
def test_a_quote_ends_at_its_last_instant_and_the_job_writes_it_down(dollars):
    quote, used = (_quote(*dollars, Money(100, "EUR")) for _ in range(2))
    exchange(quote_id=used.pk, idempotency_key=None, now=quote.expires_at - timedelta(microseconds=1))

    with pytest.raises(QuoteExpired) as over:
        exchange(quote_id=quote.pk, idempotency_key=None, now=quote.expires_at)

    assert (over.value.code, over.value.http_status) == ("quote_expired", 422)
    assert "new quote" in over.value.next_text
    assert (quote.status_at(quote.expires_at), quote.status) == ("EXPIRED", "OPEN")
    assert expire_quotes(now=quote.expires_at - timedelta(microseconds=1)) == 0
    assert expire_quotes(now=quote.expires_at) == 1
    with pytest.raises(QuoteExpired):
        exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (Money(0, "EUR"), InvalidAmount),
        (Money(-5, "EUR"), InvalidAmount),
        (Money(100, "JPY"), CurrencyMismatch),
    ],
)
def test_an_amount_that_cannot_be_exchanged_is_refused(dollars, amount, refusal):
    with pytest.raises(refusal):
        _quote(*dollars, amount)


@pytest.mark.django_db
def test_a_quote_needs_two_open_wallets_of_one_customer_and_a_rate(dollars, partner, customer):
    seller, buyer = dollars
    foreign = make_wallet(make_customer(partner, "Anders Holm"), "USD")
    same = make_wallet(customer, "EUR", purpose="SAVINGS")
    yen = make_wallet(customer, "JPY")

    for other, refusal in ((foreign, NotFound), (same, OneCurrency), (yen, RateMissing)):
        with pytest.raises(refusal):
            _quote(seller, other, Money(100, "EUR"))
    close_wallet(wallet_id=buyer.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    with pytest.raises(WalletClosed):
        _quote(seller, buyer, Money(100, "EUR"))


@pytest.mark.django_db
def test_an_amount_that_buys_nothing_is_refused(customer):
    make_rate("EUR", "JPY", "165")
    seller, buyer = _pair(customer, "JPY", "KWD", balance=1_000)
    make_rate("EUR", "KWD", "0.3")

    with pytest.raises(InvalidAmount) as small:
        agreed_terms(Money(1, "JPY"), sold="JPY", bought="EUR", mid=Fraction(1, 400), spread_bp=100)
    assert small.value.detail == "The amount is too small to be exchanged."
    assert _quote(seller, buyer, Money(1, "JPY")).buy == Money(2, "KWD")


@pytest.mark.django_db
@pytest.mark.parametrize("which", [0, 1])
def test_a_frozen_wallet_neither_sells_nor_buys_and_the_quote_stays_open(dollars, which):
    quote = _quote(*dollars, Money(100, "EUR"))
    freeze_wallet(wallet_id=dollars[which].pk, reason_code="COURT_ORDER", now=NOW)

    with pytest.raises(WalletFrozen):
        exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)

    quote.refresh_from_db()
    assert (quote.status, holds(dollars[0]), LimitUse.objects.filter(kind="OUT").count()) == (
        "OPEN",
        50_000,
        0,
    )


@pytest.mark.django_db
def test_more_than_is_there_and_more_than_the_limit_is_refused(dollars, customer):
    short = _quote(*dollars, Money(50_001, "EUR"))
    with pytest.raises(InsufficientFunds):
        exchange(quote_id=short.pk, idempotency_key=None, now=SOON)

    over = _quote(*dollars, Money(10_000_000, "EUR"))
    with pytest.raises(LimitExceeded):
        exchange(quote_id=over.pk, idempotency_key=None, now=SOON)


@pytest.mark.django_db
def test_an_exchange_counts_against_both_limits(dollars):
    before = {(row.kind, row.currency): row.amount_minor for row in LimitUse.objects.filter(interval="DAY")}
    quote = _quote(*dollars, Money(10_000, "EUR"))
    exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)

    after = {(row.kind, row.currency): row.amount_minor for row in LimitUse.objects.filter(interval="DAY")}
    assert after == {**before, ("OUT", "EUR"): 10_000, ("IN", "USD"): 10_890}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallets_quote SET rate = rate / 2",
        "UPDATE wallets_quote SET buy_minor = buy_minor + 1",
        "UPDATE wallets_quote SET expires_at = expires_at + interval '1 day'",
        "DELETE FROM wallets_quote",
        "TRUNCATE wallets_quote CASCADE",
        # Open again, and used without an exchange, or after its time.
        "UPDATE wallets_quote SET status = 'OPEN', used_at = NULL WHERE status = 'USED'",
        "UPDATE wallets_quote SET status = 'USED', used_at = created_at WHERE status = 'OPEN'",
        "UPDATE wallets_quote SET status = 'USED', used_at = expires_at WHERE status = 'OPEN'",
        "UPDATE wallets_exchange SET created_at = created_at",
        "DELETE FROM wallets_exchange",
        # A second exchange by the same quote, and one by an open quote.
        """INSERT INTO wallets_exchange (public_id, partner_id, customer_id, quote_id, transaction_id, created_at)
           SELECT 'exc_x', partner_id, customer_id, quote_id, transaction_id, created_at FROM wallets_exchange""",
        """INSERT INTO wallets_exchange (public_id, partner_id, customer_id, quote_id, transaction_id, created_at)
           SELECT 'exc_x', q.partner_id, q.customer_id, q.id, x.transaction_id, x.created_at
           FROM wallets_exchange x, wallets_quote q WHERE q.status = 'OPEN'""",
        # A posting by a quote that was used: the ledger itself takes each once.
        """INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
               quote, actor, context, xid)
           SELECT 'txn_x', kind, source, 'other', fingerprint, effective_date, leg_count, quote, actor, context, 0
           FROM ledger_transaction WHERE quote <> ''""",
    ],
)
def test_the_database_keeps_terms_and_lets_a_quote_be_used_once_and_in_time(dollars, sql):
    _quote(*dollars, Money(100, "EUR"))
    exchange(quote_id=_quote(*dollars, Money(200, "EUR")).pk, idempotency_key=None, now=SOON)
    before = list(Quote.objects.order_by("pk").values())

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert list(Quote.objects.order_by("pk").values()) == before
    assert Exchange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_with_one_quote_make_one_exchange(dollars):
    seller, buyer = dollars
    quote = _quote(seller, buyer, Money(100, "EUR"))

    answers = at_once(lambda n: exchange(quote_id=quote.pk, idempotency_key=f"k{n}", now=SOON), 20)

    assert Counter(type(answer).__name__ for answer in answers) == {"Exchange": 1, "QuoteUsed": 19}
    assert (holds(seller), Exchange.objects.count(), FxDeal.objects.count()) == (49_900, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_exchanges_both_ways_at_once_lose_nothing_and_never_deadlock(customer):
    make_rate("EUR", "USD", "1.1000")
    euros, dollars = make_wallet(customer, "EUR", balance=2_000), make_wallet(customer, "USD", balance=2_000)

    def work(number: int) -> Exchange:
        pair = (euros, dollars) if number % 2 else (dollars, euros)
        quote = _quote(*pair, Money(150, pair[0].currency))
        return exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)

    answers = at_once(work, 24, workers=8)

    assert {type(answer) for answer in answers} <= {Exchange, InsufficientFunds}
    realise_results(now=NOW)
    assert not verify().findings


@pytest.fixture
def purses(customer):
    """One wallet of each number of digits, rates for all pairs, and no limits."""
    LimitRule.objects.all().delete()
    for code in ("JPY", "KWD", "CLF"):
        make_rate("EUR", code, WORTH[code])
    return {code: make_wallet(customer, code, balance=9_000_000) for code in WORTH}


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    pair=st.permutations(("JPY", "EUR", "KWD", "CLF")).map(lambda codes: codes[:2]),
    minor=st.integers(1, 40_000),
    fixes_buy=st.booleans(),
    spread_bp=st.sampled_from((0, 1, 37, 100, 2_000)),
)
def test_no_unit_is_lost_between_currencies_of_any_digits(purses, pair, minor, fixes_buy, spread_bp):
    seller, buyer = (purses[code] for code in pair)
    set_spread(partner_id=seller.partner_id, spread_bp=spread_bp, now=NOW)
    before = holds(seller), holds(buyer)
    try:
        quote = _quote(seller, buyer, Money(minor, pair[fixes_buy]))
        made = exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)
    except (InvalidAmount, InsufficientFunds):
        assert (holds(seller), holds(buyer)) == before
        return

    sums: Counter[str] = Counter()
    legs = Posting.objects.filter(transaction=made.transaction_id)
    for code, amount in legs.values_list("currency", "amount"):
        sums[code] += amount
    assert not any(sums.values())
    assert (holds(seller), holds(buyer)) == (before[0] - quote.sell_minor, before[1] + quote.buy_minor)
    row = FxDeal.objects.get(transaction=made.transaction_id)
    assert row.sold_minor + row.spread_minor == quote.sell_minor
    # The quoted rate is the mid less the spread, exact but for its last digit.
    mid = rate_now(*pair, now=NOW).value
    assert abs(Fraction(quote.rate) - mid * (10_000 - spread_bp) / 10_000) <= Fraction(1, 2 * 10**12)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "refusal"), [("FROZEN", NotPermitted), ("NO_OUT", MoneyOutBlocked)])
def test_a_restricted_customer_does_not_exchange(dollars, customer, kind, refusal):
    quote = _quote(*dollars, Money(100, "EUR"))
    place_restriction(customer_id=customer.pk, kind=kind, source="OPS", reason_code="TEST", now=NOW)

    with pytest.raises(refusal):
        exchange(quote_id=quote.pk, idempotency_key=None, now=SOON)

    assert not Exchange.objects.exists()
