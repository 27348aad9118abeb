"""Deals: the worked example, the result by weighted average cost, the revaluation, and what the database refuses."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from flowlet.core.currencies import EXPONENTS
from flowlet.core.money import Money
from ledger.closing import CLOSING_STEPS
from ledger.errors import RateMissing
from ledger.models.accounts import Balance
from ledger.models.currencies import FxCost, FxDeal
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account
from ledger.operations.deals import book_deal, realise_results
from ledger.operations.posting import post, reverse
from ledger.operations.revaluation import revalue
from ledger.queries.positions import list_positions
from ledger.queries.verification import verify
from ledger.rates import Holding, Terms
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, make_rate, wallet_account
from ledger.tests.threads import together

FIRST, LAST = TODAY.replace(day=1), TODAY.replace(day=30)
MONTH_END = NOW.replace(day=30)


def _terms(sell: Money, buy: Money, spread: int = 0, rate: str = "1.0890", mid: str = "1.1000") -> Terms:
    return Terms(
        sell=sell, buy=buy, spread=Money(spread, sell.currency), rate=Decimal(rate), mid=Decimal(mid)
    )


def deal(sell: Money, buy: Money, *, key: str, spread: int = 0, now=NOW):
    """Sell and buy on fresh accounts, which are paid what they sell."""
    seller, buyer = wallet_account(sell.currency), wallet_account(buy.currency)
    fund(seller, sell.minor)
    return book_deal(
        seller_account_id=seller.pk,
        buyer_account_id=buyer.pk,
        terms=_terms(sell, buy, spread),
        kind="EXCHANGE",
        source="test",
        source_key=key,
        now=now,
    )


def held(chart_code: str, currency: str) -> int:
    """Return what the house's account holds, debit > 0."""
    rows = Balance.objects.filter(account__chart_account__code=chart_code, currency=currency)
    return sum(row.posted * row.sign for row in rows)


EUR, USD = "EUR", "USD"
WORKED = (Money(10_000, EUR), Money(10_890, USD))


@pytest.mark.django_db
def test_the_worked_example_has_five_legs_and_the_spread_is_one_of_them():
    posted = deal(*WORKED, key="one", spread=100)

    legs = Posting.objects.filter(transaction_id=posted.transaction_id).order_by("leg")
    booked = {(leg.account.chart_account.code, leg.currency): leg.amount for leg in legs}
    assert booked == {
        ("CUSTOMER_WALLETS", EUR): 10_000,
        ("FX_POSITION", EUR): -9_900,
        ("FX_SPREAD_INCOME", EUR): -100,
        ("FX_POSITION", USD): 10_890,
        ("CUSTOMER_WALLETS", USD): -10_890,
    }
    row = FxDeal.objects.get()
    assert (row.sold_minor, row.bought_minor, row.spread_minor, row.base_minor) == (9_900, 10_890, 100, 9_900)
    header = LedgerTransaction.objects.get(pk=posted.transaction_id)
    assert (header.fx_rate, row.rate, row.mid) == (Decimal("1.0890"), Decimal("1.0890"), Decimal("1.1000"))


@pytest.mark.django_db
def test_those_dollars_cost_99_euros_are_worth_102_at_the_close_and_the_loss_is_3():
    deal(*WORKED, key="one", spread=100)
    # 108.90 USD at 102.00 EUR.
    make_rate(EUR, USD, "1.067647058824", kind="CLOSING", at=MONTH_END)

    [done] = revalue(first=FIRST, last=LAST, now=MONTH_END)

    assert (done.cost, done.value, done.result) == (Money(-9_900, EUR), Money(-10_200, EUR), Money(-300, EUR))
    booked = Posting.objects.get(
        transaction__public_id=done.transaction, account__chart_account__code="FX_UNREALISED"
    )
    assert (booked.amount, booked.effective_date) == (300, LAST)
    # Taken back on the next first day: nothing is left of it.
    back = LedgerTransaction.objects.get(reverses=booked.transaction)
    assert back.effective_date == LAST + timedelta(days=1)
    assert held("FX_UNREALISED", EUR) == held("FX_REVALUATION", EUR) == 0


@pytest.mark.django_db
def test_a_revaluation_repeated_books_a_difference_only():
    deal(*WORKED, key="one", spread=100)
    make_rate(EUR, USD, "1.1", kind="CLOSING", at=MONTH_END)
    [first] = revalue(first=FIRST, last=LAST, now=MONTH_END)
    assert (first.result, first.transaction) == (Money(0, EUR), "")

    later = MONTH_END + timedelta(hours=1)
    make_rate(EUR, USD, "1.067647058824", kind="CLOSING", at=later)
    [second] = revalue(first=FIRST, last=LAST, now=later)
    [third] = revalue(first=FIRST, last=LAST, now=later)
    make_rate(EUR, USD, "1.089", kind="CLOSING", at=later + timedelta(hours=1))
    [fourth] = revalue(first=FIRST, last=LAST, now=later + timedelta(hours=1))

    assert [row.result.minor for row in (second, third, fourth)] == [-300, -300, -100]
    assert (bool(second.transaction), third.transaction, bool(fourth.transaction)) == (True, "", True)
    of_month = Posting.objects.filter(
        effective_date=LAST, account__chart_account__code="FX_UNREALISED"
    ).values_list("amount", flat=True)
    assert sorted(of_month) == [-200, 300]
    assert held("FX_UNREALISED", EUR) == 0


@pytest.mark.django_db
def test_without_a_closing_rate_the_close_stops_and_names_the_pair():
    deal(*WORKED, key="one")
    deal(Money(5_000, EUR), Money(8_000, "JPY"), key="two")
    make_rate(EUR, USD, "1.1", kind="CLOSING", at=MONTH_END)
    step = CLOSING_STEPS.get("revaluation")
    before = LedgerTransaction.objects.count()

    [open_point] = step.check(FIRST, LAST, MONTH_END)
    with pytest.raises(RateMissing):
        step.run(FIRST, LAST, MONTH_END)

    assert "from JPY to EUR" in open_point
    assert LedgerTransaction.objects.count() == before
    make_rate(EUR, "JPY", "165", kind="CLOSING", at=MONTH_END)
    assert not step.check(FIRST, LAST, MONTH_END)
    assert "JPY" in step.run(FIRST, LAST, MONTH_END)


@pytest.mark.django_db
def test_a_gain_is_realised_when_the_position_is_closed_and_booked_once():
    deal(*WORKED, key="one", spread=100)  # short of 108.90 USD, for 99.00 EUR
    deal(Money(10_890, USD), Money(9_700, EUR), key="two")  # bought back for 97.00

    [dollars] = realise_results(now=NOW)
    assert realise_results(now=NOW) == []

    assert (dollars.currency, dollars.postings, dollars.result) == (USD, 2, Money(200, EUR))
    assert (held("FX_REALISED", EUR), held("FX_POSITION", EUR), held("FX_POSITION", USD)) == (-200, 0, 0)
    assert [row.cost_after_minor for row in FxCost.objects.order_by("account_seq")] == [9_900, 0]


@pytest.mark.django_db
def test_results_of_a_day_that_cancel_out_are_kept_and_leave_nothing_to_book():
    deal(Money(20_000, EUR), Money(20_000, USD), key="one")
    deal(Money(10_000, USD), Money(9_900, EUR), key="two")  # 100.00 back for 99.00
    deal(Money(10_000, USD), Money(10_100, EUR), key="three")  # and for 101.00
    before = LedgerTransaction.objects.count()

    [dollars] = realise_results(now=NOW)

    assert (dollars.postings, dollars.result) == (3, Money(0, EUR))
    rows = FxCost.objects.order_by("account_seq").values_list("result_minor", "booked")
    assert list(rows) == [(0, None), (100, None), (-100, None)]
    assert (LedgerTransaction.objects.count(), held("FX_REALISED", EUR), held("FX_POSITION", EUR)) == (
        before,
        0,
        0,
    )
    assert not verify().faults
    # A later day with a result is booked by itself, and the row beside it stays as it is.
    deal(Money(100, EUR), Money(100, USD), key="four")
    deal(Money(100, USD), Money(90, EUR), key="five", now=NOW + timedelta(days=1))
    assert [row.result.minor for row in realise_results(now=NOW)] == [10]
    assert FxCost.objects.filter(booked__isnull=False).count() == 1
    assert not verify().faults


@pytest.mark.django_db
def test_the_average_cost_is_weighted_and_a_run_goes_on_where_the_last_one_stopped():
    deal(Money(10_000, EUR), Money(10_000, USD), key="one")
    deal(Money(12_000, EUR), Money(10_000, USD), key="two")
    assert [row.result.minor for row in realise_results(now=NOW)] == [0]
    deal(Money(5_000, USD), Money(5_400, EUR), key="three")  # a quarter leaves: 55.00 of 220.00
    [done] = realise_results(now=NOW)

    assert (done.postings, done.result) == (1, Money(100, EUR))
    [position] = list_positions(now=NOW)
    assert (position.amount, position.cost, position.waiting) == (Money(-15_000, USD), Money(-16_500, EUR), 0)
    assert (position.value, position.unrealised) == (None, None)
    make_rate(EUR, USD, "1.25")
    [position] = list_positions(now=NOW)
    assert (position.value, position.unrealised) == (Money(-12_000, EUR), Money(4_500, EUR))


@pytest.mark.django_db
def test_a_position_that_changes_sides_closes_first_and_opens_at_the_new_price():
    deal(Money(10_000, EUR), Money(10_000, USD), key="one")
    deal(Money(25_000, USD), Money(20_000, EUR), key="two")  # 100 back for 80, 150 long for 120

    [done] = realise_results(now=NOW)

    assert done.result == Money(2_000, EUR)
    assert list_positions(now=NOW)[0].cost == Money(12_000, EUR)


@pytest.mark.django_db
def test_a_pair_without_the_base_currency_is_valued_at_the_mid_rate_and_both_costs_agree():
    with pytest.raises(RateMissing):
        deal(Money(1_000_000, "KWD"), Money(830_000, "CLF"), key="one")
    make_rate("KWD", EUR, "2.9")

    deal(Money(1_000_000, "KWD"), Money(830_000, "CLF"), key="two")
    realise_results(now=NOW)

    assert FxDeal.objects.get().base_minor == 290_000
    assert {row.currency: row.cost.minor for row in list_positions(now=NOW)} == {
        "KWD": 290_000,
        "CLF": -290_000,
    }


@pytest.mark.django_db
def test_a_reversed_deal_leaves_no_position_no_cost_and_no_result():
    posted = deal(*WORKED, key="one", spread=100)
    reverse(
        transaction_public_id=posted.public_id,
        source="test",
        source_key="back",
        effective_date=TODAY,
        now=NOW,
    )

    [done] = realise_results(now=NOW)

    assert done.result == Money(0, EUR)
    assert FxCost.objects.order_by("-account_seq").first().cost_after_minor == 0


@pytest.mark.django_db
def test_a_cover_booked_by_hand_has_its_price_from_its_own_leg():
    deal(*WORKED, key="one", spread=100)
    at_home, abroad = (house_account(chart_code="FX_POSITION", currency=code, now=NOW) for code in (EUR, USD))
    legs = ((at_home, 9_850), (bank(EUR), -9_850), (bank(USD), 10_890), (abroad, -10_890))
    post(draft=draft(*legs), now=NOW)

    [done] = realise_results(now=NOW)

    assert done.result == Money(50, EUR)
    assert held("FX_POSITION", EUR) == 0


@pytest.mark.django_db
def test_the_base_currency_is_fixed_by_the_first_deal(settings):
    deal(*WORKED, key="one", spread=100)
    settings.FLOWLET_BASE_CURRENCY = USD

    with pytest.raises(DatabaseError, match="valued in EUR"), transaction.atomic():
        deal(*WORKED, key="two", spread=100)


@pytest.mark.django_db(transaction=True)
def test_runs_at_the_same_moment_work_each_posting_out_once():
    deal(*WORKED, key="one", spread=100)
    deal(Money(10_890, USD), Money(9_700, EUR), key="two")

    answers = together(*[lambda: realise_results(now=NOW)] * 4)

    assert sorted(len(done) for done in answers) == [0, 0, 0, 1]
    assert (FxCost.objects.count(), held("FX_REALISED", EUR)) == (2, -200)


@given(
    moves=st.lists(st.tuples(st.integers(-(10**9), 10**9).filter(bool), st.integers(1, 10**9)), max_size=30)
)
def test_no_cent_of_cost_is_lost_whatever_is_dealt(moves):
    holding, result, paid = Holding(), 0, 0
    for quantity, worth in moves:
        value = worth if quantity > 0 else -worth
        holding, gained = holding.moved(quantity, value)
        result, paid = result + gained, paid + value

    assert holding.cost + result == paid
    assert holding.position != 0 or holding.cost == 0
    assert holding.position * holding.cost >= 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_fxdeal SET base_minor = 1",
        "DELETE FROM ledger_fxdeal",
        "TRUNCATE ledger_fxdeal",
        "UPDATE ledger_fxcost SET cost_minor = 1",
        "DELETE FROM ledger_fxcost",
        "TRUNCATE ledger_fxcost",
        # A second time the same posting, one out of turn, and one that no posting stands behind.
        "INSERT INTO ledger_fxcost SELECT * FROM ledger_fxcost",
        """INSERT INTO ledger_fxcost (account_id, account_seq, currency, effective_date, quantity_minor, value_minor,
               cost_minor, result_minor, position_after_minor, cost_after_minor)
           SELECT account_id, account_seq + 1, currency, effective_date, 5, 5, 5, 0, position_after_minor + 5,
               cost_after_minor + 5 FROM ledger_fxcost""",
        # A deal after its transaction, by the same amounts.
        """INSERT INTO ledger_fxdeal (transaction_id, sold_currency, sold_minor, bought_currency, bought_minor,
               spread_minor, mid, rate, base_currency, base_minor, dealt_at)
           SELECT (SELECT max(id) FROM ledger_transaction WHERE kind = 'TEST'), sold_currency, sold_minor,
               bought_currency, bought_minor, spread_minor, mid, rate, base_currency, base_minor, dealt_at
           FROM ledger_fxdeal""",
    ],
)
def test_the_database_refuses_changes_of_deals_and_costs_and_false_ones(sql):
    deal(*WORKED, key="one", spread=100)
    realise_results(now=NOW)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert (FxDeal.objects.count(), FxCost.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["sold_minor", "bought_minor", "spread_minor"])
def test_a_deal_that_differs_from_its_postings_is_refused(field):
    seller, buyer = wallet_account("JPY"), wallet_account("KWD")
    fund(seller, 1_000)
    sold, bought = (
        house_account(chart_code="FX_POSITION", currency=code, now=NOW) for code in ("JPY", "KWD")
    )
    posted = post(draft=draft((seller, 1_000), (sold, -1_000), (bought, 2_000), (buyer, -2_000)), now=NOW)
    values = {"sold_minor": 1_000, "bought_minor": 2_000, "spread_minor": 0}
    common = {
        "transaction_id": posted.transaction_id,
        "sold_currency": "JPY",
        "bought_currency": "KWD",
        "mid": 1,
        "rate": 1,
        "base_currency": EUR,
        "base_minor": 600,
        "dealt_at": NOW,
    }

    with pytest.raises(DatabaseError, match="differs from the postings"), transaction.atomic():
        FxDeal.objects.create(**common, **{**values, field: values[field] + 1})

    FxDeal.objects.create(**common, **values)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (
            "UPDATE ledger_fxdeal SET sold_minor = 9901, base_minor = 9901 WHERE sold_currency = 'EUR'",
            {"sold_minor"},
        ),
        ("UPDATE ledger_fxdeal SET bought_minor = 1 WHERE bought_currency = 'USD'", {"bought_minor"}),
        (
            "UPDATE ledger_transaction SET quote = 'quo_x' WHERE id = (SELECT min(id) FROM ledger_transaction)",
            {"deal"},
        ),
        ("UPDATE ledger_fxcost SET quantity_minor = 1 WHERE account_seq = 1", {"quantity_minor"}),
        ("UPDATE ledger_fxcost SET cost_after_minor = 1 WHERE account_seq = 1", {"cost_after_minor"}),
        ("DELETE FROM ledger_fxcost WHERE account_seq = 1", {"account_seq", "cost_after_minor"}),
        (
            "UPDATE ledger_fxcost SET result_minor = 1, value_minor = cost_minor + 1 WHERE account_seq = 2",
            {"result"},
        ),
    ],
)
def test_the_proof_finds_what_was_changed_with_the_guards_at_rest(sql, found):
    deal(*WORKED, key="one", spread=100)
    deal(Money(5_000, USD), Money(4_400, EUR), key="two")
    realise_results(now=NOW)
    assert not [answer for answer in verify().answers if answer.faults]

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = DEFAULT")

    assert {fault.field for fault in verify().findings if fault.check == "deals"} == found


def test_every_number_of_digits_is_among_the_currencies_tried():
    assert {EXPONENTS[code] for code in ("JPY", EUR, "KWD", "CLF")} == {0, 2, 3, 4}
