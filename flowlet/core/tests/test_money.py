"""Money: exact, in the currency's own digits, and split without a lost cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet.core.currencies import EXPONENTS, UnknownCurrency, exponent
from flowlet.core.money import MINOR_MAX, CurrencyMismatch, InvalidAmount, Money

CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD", "CLF"])
MINORS = st.integers(-MINOR_MAX, MINOR_MAX)


@pytest.mark.parametrize(("code", "digits"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("HUF", 2)])
def test_exponents_are_those_of_iso_4217(code, digits):
    assert exponent(code) == digits


@pytest.mark.parametrize("code", ["XAU", "eur", "EURO", "", "€", "ZZZ"])
def test_what_is_no_currency_is_refused(code):
    with pytest.raises(UnknownCurrency):
        Money(1, code)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        EXPONENTS["EUR"] = 3


@pytest.mark.parametrize("minor", [True, 1.0, "1", None, Decimal(1), MINOR_MAX + 1, -MINOR_MAX - 1])
def test_an_amount_is_a_plain_integer_in_range(minor):
    with pytest.raises(InvalidAmount):
        Money(minor, "EUR")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("-0.001", "KWD", -1),
        ("500", "JPY", 500),
        ("1e2", "EUR", 10000),
        ("7", "CLF", 70000),
    ],
)
def test_a_decimal_text_is_read_exactly(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "EUR"),
        ("0.5", "JPY"),
        ("NaN", "EUR"),
        ("inf", "EUR"),
        ("", "EUR"),
        ("1,5", "EUR"),
        ("١٢", "EUR"),
    ],
)
def test_a_text_that_is_no_amount_of_the_currency_is_refused(text, currency):
    with pytest.raises(InvalidAmount):
        Money.parse(text, currency)


def test_amounts_of_two_currencies_never_meet():
    euro, dollar = Money(1, "EUR"), Money(1, "USD")

    for meet in (euro.__add__, euro.__sub__, euro.__lt__, euro.__ge__):
        with pytest.raises(CurrencyMismatch):
            meet(dollar)
    assert euro != dollar


@given(MINORS, CURRENCIES)
def test_an_amount_survives_its_decimal_text(minor, currency):
    money = Money(minor, currency)

    assert Money.parse(str(money.decimal()), currency) == money


@given(MINORS, CURRENCIES, st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
def test_parts_sum_to_the_whole_and_stay_within_one_unit_of_their_share(minor, currency, weights):
    parts = Money(minor, currency).allocate(weights)

    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)


def test_a_remainder_goes_to_the_earlier_of_equal_parts():
    assert [part.minor for part in Money(100, "EUR").allocate([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(-100, "EUR").allocate([1, 1, 1])] == [-34, -33, -33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-1, 3]])
def test_weights_that_share_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        Money(1, "EUR").allocate(weights)


def test_people_see_the_currency_s_own_digits():
    assert Money(-125_000, "EUR").format() == "-1,250.00\N{NO-BREAK SPACE}EUR"
    assert Money(125_000, "JPY").format() == "125,000\N{NO-BREAK SPACE}JPY"
    assert Money(1, "KWD").format() == "0.001\N{NO-BREAK SPACE}KWD"
