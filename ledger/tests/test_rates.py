"""Rates: kept for ever, found as of a day and as known then, never inverted after rounding."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from flowlet.core.money import InvalidAmount, Money
from ledger.choices import RateKind
from ledger.errors import InvalidRate, RateExists, RateMissing
from ledger.models.currencies import FxRate
from ledger.operations.currencies import NewRate, read_rate, record_rate, record_rates
from ledger.queries.rates import rate_at, rate_now, to_base
from ledger.rates import Rate, agreed_terms, exchanged, needed
from ledger.tests.factories import NOW, make_rate

DAY = NOW.date()
DIGITS = ("JPY", "EUR", "KWD", "CLF")


def _rate(base: str, quote: str, value: str) -> Rate:
    return Rate(base, quote, RateKind.MID, Fraction(value), "TEST", NOW)


@pytest.mark.parametrize(
    ("sold", "minor", "rate", "bought", "expected"),
    [
        ("EUR", 10_000, "1.0890", "USD", 10_890),
        ("EUR", 100, "160.55", "JPY", 161),  # 160.55 yen: half a yen and more is one
        ("EUR", 100, "160.5", "JPY", 160),  # half to even
        ("EUR", 100, "161.5", "JPY", 162),
        ("JPY", 1, "0.0065", "EUR", 1),  # 0.65 cents
        ("JPY", 1, "0.005", "EUR", 0),  # half a cent goes to the even side
        ("EUR", 100, "0.334567", "KWD", 335),
        ("KWD", 1, "2.9887", "EUR", 0),  # 0.001 KWD is 0.2989 cents
        ("KWD", 1_000, "2.9887", "EUR", 299),
        ("EUR", 100, "0.0265", "CLF", 265),
        ("CLF", 10_000, "37.71", "EUR", 3_771),
        ("CLF", 1, "6050.5", "JPY", 1),  # 0.0001 CLF is 0.605 yen
        ("JPY", 6_051, "0.00000550", "KWD", 33),
        ("EUR", -10_000, "1.0890", "USD", -10_890),
    ],
)
def test_an_amount_is_multiplied_once_and_rounded_half_to_even(sold, minor, rate, bought, expected):
    assert exchanged(minor, Decimal(rate), sold, bought) == expected


def test_what_must_be_sold_is_divided_once():
    assert needed(10_890, Decimal("1.0890"), "EUR", "USD") == 10_000
    assert needed(1, Decimal("160.5"), "EUR", "JPY") == 1
    assert needed(1_000, Decimal("37.71"), "CLF", "EUR") == 2_652


@given(
    pair=st.tuples(st.sampled_from(DIGITS), st.sampled_from(DIGITS)).filter(lambda p: p[0] != p[1]),
    value=st.decimals("0.000001", "99999", places=9).map(Fraction),
    minor=st.integers(-(10**12), 10**12),
)
def test_there_and_back_is_off_by_no_more_than_one_rounding_each_way(pair, value, minor):
    rate = Rate(pair[0], pair[1], RateKind.MID, value, "TEST", NOW)

    back = rate.inverted().convert_minor(rate.convert_minor(minor))

    # Half a unit of the other currency, in ours, and half a unit of ours: nothing is lost in the rate itself.
    unit = rate.inverted().value * Fraction(10) ** (_digits(pair[0]) - _digits(pair[1]))
    assert abs(back - minor) <= unit / 2 + Fraction(1, 2)


def _digits(currency: str) -> int:
    return {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}[currency]


@given(
    pair=st.tuples(st.sampled_from(DIGITS), st.sampled_from(DIGITS)).filter(lambda p: p[0] != p[1]),
    mid=st.decimals("0.0001", "99999", places=9).map(Fraction),
    minor=st.integers(1, 10**12),
    spread_bp=st.integers(0, 2_000),
    fixes_buy=st.booleans(),
)
def test_terms_between_currencies_of_any_digits_add_up(pair, mid, minor, spread_bp, fixes_buy):
    sold, bought = pair
    try:
        terms = agreed_terms(
            Money(minor, pair[fixes_buy]), sold=sold, bought=bought, mid=mid, spread_bp=spread_bp
        )
    except InvalidAmount:
        return  # too small or too large for one side

    assert terms.into_position + terms.spread == terms.sell
    assert terms.into_position.minor > 0
    assert abs(terms.spread.minor - Fraction(terms.sell.minor * spread_bp, 10_000)) < 1
    # Either side follows from the other by the agreed rate and one rounding.
    exact = terms.sell.minor * Fraction(terms.rate) * Fraction(10) ** (_digits(bought) - _digits(sold))
    if fixes_buy:
        unit = Fraction(terms.rate) * Fraction(10) ** (_digits(bought) - _digits(sold))
        assert abs(terms.buy.minor - exact) <= unit / 2
    else:
        assert abs(terms.buy.minor - exact) <= Fraction(1, 2)
        assert terms.buy.minor == round(exact)


@given(
    weights=st.lists(st.integers(0, 10**17), min_size=1, max_size=8),
    other=st.lists(st.integers(1, 10**17), min_size=1, max_size=8),
    value=st.decimals("0.0001", "9999", places=6).map(Fraction),
    quote=st.sampled_from(("JPY", "KWD", "CLF")),
)
def test_lines_that_sum_to_zero_still_do_in_base_currency(weights, other, value, quote):
    rate = Rate("USD", quote, RateKind.CLOSING, value, "TEST", NOW)
    paid = [-minor for minor in other]
    lines = [*weights, *paid, -(sum(weights) + sum(paid))]

    converted = to_base(lines, rate)

    assert sum(lines) == sum(converted) == 0
    exact = [minor * value * Fraction(10) ** (_digits(quote) - 2) for minor in lines]
    assert all(
        abs(given - wanted) < 1 + Fraction(1, 2) for given, wanted in zip(converted, exact, strict=True)
    )


@pytest.mark.django_db
def test_the_latest_rate_until_the_end_of_the_day_counts():
    make_rate("EUR", "USD", "1.10", kind="CLOSING", at=NOW - timedelta(days=1))
    make_rate("EUR", "USD", "1.12", kind="CLOSING", at=NOW)
    make_rate("EUR", "USD", "1.30", kind="MID", at=NOW)

    assert rate_at("EUR", "USD", DAY).decimal == Decimal("1.12")
    assert rate_at("EUR", "USD", DAY - timedelta(days=1)).decimal == Decimal("1.10")
    assert rate_at("EUR", "USD", DAY, RateKind.MID).decimal == Decimal("1.30")
    assert rate_at("EUR", "EUR", DAY).value == 1


@pytest.mark.django_db
def test_the_rate_the_other_way_round_is_exact():
    make_rate("EUR", "USD", "1.10", kind="CLOSING")

    assert rate_at("USD", "EUR", DAY).value == Fraction(10, 11)


@pytest.mark.django_db
def test_two_rates_through_the_base_currency_make_a_third():
    make_rate("EUR", "USD", "1.10", kind="CLOSING")
    make_rate("EUR", "JPY", "165", kind="CLOSING")

    rate = rate_at("USD", "JPY", DAY)

    assert rate.value == 150
    assert (rate.base, rate.quote) == ("USD", "JPY")


@pytest.mark.django_db
def test_a_closing_rate_of_a_past_week_is_none():
    make_rate("EUR", "USD", "1.10", kind="CLOSING", at=NOW - timedelta(days=7))

    with pytest.raises(RateMissing) as missing:
        rate_at("USD", "EUR", DAY)

    assert (
        missing.value.detail
        == "There is no closing rate from USD to EUR that can be used on 2 November 2026."
    )
    assert rate_at("USD", "EUR", DAY, days_max=None).value == Fraction(10, 11)


@pytest.mark.django_db
def test_what_was_recorded_later_does_not_change_what_was_known():
    make_rate("EUR", "USD", "1.10", kind="CLOSING", at=NOW - timedelta(hours=2), now=NOW)
    later = NOW + timedelta(days=1)
    make_rate("EUR", "USD", "1.20", kind="CLOSING", at=NOW - timedelta(hours=1), now=later)

    assert rate_at("EUR", "USD", DAY).decimal == Decimal("1.20")
    assert rate_at("EUR", "USD", DAY, known_at=NOW).decimal == Decimal("1.10")


@pytest.mark.django_db
def test_an_old_mid_rate_is_not_quoted_from_where_that_is_set(settings):
    make_rate("EUR", "USD", "1.10", at=NOW - timedelta(hours=30))

    assert rate_now("EUR", "USD", now=NOW).decimal == Decimal("1.10")
    settings.FX_RATE_HOURS_MAX = 24
    with pytest.raises(RateMissing):
        rate_now("EUR", "USD", now=NOW)


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "0", "-1", "1.0000000000001", "1e12", "１.1"])
def test_a_rate_that_cannot_be_kept_is_refused(text):
    with pytest.raises(InvalidRate):
        read_rate(text)


def test_a_rate_is_read_exactly():
    assert read_rate("0.000000000001") == Decimal("1e-12")
    assert read_rate("1.1000000000000000") == Decimal("1.1")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"quote": "EUR"},
        {"kind": "SPOT"},
        {"source": " "},
        {"source": "x" * 41},
        {"valid_at": NOW + timedelta(seconds=1)},
    ],
)
def test_a_rate_needs_a_pair_a_kind_a_source_and_a_past_instant(fields):
    good = {"base": "EUR", "quote": "USD", "kind": "MID", "source": "DESK", "valid_at": NOW}

    with pytest.raises(InvalidRate):
        record_rate(**{**good, **fields}, rate=Decimal("1.1"), now=NOW)


@pytest.mark.django_db
def test_the_same_rate_twice_is_one_and_another_one_is_refused():
    first = make_rate("EUR", "USD", "1.10")

    assert make_rate("EUR", "USD", "1.100").pk == first.pk
    with pytest.raises(RateExists):
        make_rate("EUR", "USD", "1.11")


@pytest.mark.django_db
def test_many_rates_are_recorded_all_or_none():
    rates = [
        NewRate(base="EUR", quote=quote, kind="MID", source="DESK", rate=Decimal(rate), valid_at=NOW)
        for quote, rate in (("USD", "1.1"), ("JPY", "165"), ("USD", "1.1"))
    ]
    assert record_rates(rates=rates, now=NOW) == 2
    assert record_rates(rates=rates, now=NOW) == 0

    clash = NewRate(base="EUR", quote="USD", kind="MID", source="DESK", rate=Decimal("1.2"), valid_at=NOW)
    fresh = NewRate(base="EUR", quote="GBP", kind="MID", source="DESK", rate=Decimal("0.9"), valid_at=NOW)
    with pytest.raises(RateExists):
        record_rates(rates=[fresh, clash], now=NOW)

    assert FxRate.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_fxrate SET rate = 2",
        "DELETE FROM ledger_fxrate",
        "TRUNCATE ledger_fxrate CASCADE",
        """INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)
           SELECT 'fxr_x', base, quote, kind, source, 2, valid_at, actor, recorded_at FROM ledger_fxrate""",
        """INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)
           VALUES ('fxr_x', 'EUR', 'USD', 'MID', 'X', 0, now(), 'x', now())""",
        """INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)
           VALUES ('fxr_x', 'EUR', 'EUR', 'MID', 'X', 1, now(), 'x', now())""",
        """INSERT INTO ledger_fxrate (public_id, base, quote, kind, source, rate, valid_at, actor, recorded_at)
           VALUES ('fxr_x', 'EUR', 'ZZZ', 'MID', 'X', 1, now(), 'x', now())""",
    ],
)
def test_the_database_refuses_a_second_rate_a_false_one_and_every_change(sql):
    make_rate("EUR", "USD", "1.10")

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert FxRate.objects.get().rate == Decimal("1.10")


@pytest.mark.django_db
def test_a_day_is_that_of_utc():
    late = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)
    make_rate("EUR", "USD", "1.10", kind="CLOSING", at=late, now=late)

    assert rate_at("EUR", "USD", date(2026, 11, 2)).valid_at == late
