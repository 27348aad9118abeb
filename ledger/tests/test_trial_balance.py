"""Trial balances of any moment are even, use what is stored, and tell the same whatever is backdated later."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlet.backoffice.exports import csv_text, write_pdf
from flowlet.backoffice.xlsx import write_xlsx
from flowlet.core import clock
from flowlet.core.errors import InvalidInput
from ledger.admin_trial_balance import export_file
from ledger.choices import RateKind
from ledger.errors import RateMissing
from ledger.models.accounts import Account
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.currencies import record_rate
from ledger.operations.posting import post
from ledger.operations.sealing import seal
from ledger.queries.history import balance_on
from ledger.queries.trial_balance import (
    Moment,
    TrialBalance,
    check_moment,
    get_trial_balances,
    in_base_currency,
)
from ledger.queries.verification import verify
from ledger.tests.booking import closed_month
from ledger.tests.factories import NOW, bank, draft, wallet_account

pytestmark = pytest.mark.django_db

CODES = ("PARTNER_FUNDS", "FEE_INCOME", "PROCESSING_COST", "EQUITY")
DAYS = st.dates(date(2026, 9, 1), date(2026, 12, 31))


def house(code: str, currency: str = "EUR") -> Account:
    return house_account(chart_code=code, currency=currency, now=NOW)


def book(minor: int, day: date, code: str = "PARTNER_FUNDS", currency: str = "EUR") -> None:
    post(draft=draft((bank(currency), minor), (house(code, currency), -minor), effective_date=day), now=NOW)


def nets(balances: list[TrialBalance]) -> dict[tuple[str, str], int]:
    return {(one.currency, line.code): line.net for one in balances for line in one.lines}


def summed(until: date) -> dict[tuple[str, str], int]:
    """The same by adding up every posting."""
    rows = Posting.objects.filter(effective_date__lte=until).values_list(
        "currency", "account__chart_account__code"
    )
    return {(currency, code): net for currency, code, net in rows.annotate(net=Sum("amount")) if net}


@given(
    booked=st.lists(
        st.tuples(
            st.integers(1, 10**12),
            DAYS,
            st.sampled_from(CODES),
            st.sampled_from(("EUR", "JPY", "KWD", "CLF")),
        ),
        max_size=8,
    ),
    later=st.lists(st.tuples(st.integers(1, 10**9), DAYS), max_size=3),
    asked=DAYS,
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_closings_day_totals_and_the_unsealed_rest_are_what_was_booked(booked, later, asked) -> None:
    for minor, day, code, currency in booked:
        book(minor, day, code, currency)
    seal()
    for minor, day in later:
        book(minor, day)

    assert nets(get_trial_balances(Moment(as_of=asked))) == summed(asked)
    assert all(one.even for one in get_trial_balances(Moment(as_of=asked)))
    assert all(one.even for one in get_trial_balances(Moment(booked=clock.now())))
    assert all(one.even for one in get_trial_balances())


def test_closed_months_are_read_from_their_closings() -> None:
    wallet = wallet_account()
    for minor, day in ((700, date(2026, 8, 3)), (60, date(2026, 9, 30)), (5, date(2026, 10, 1))):
        post(draft=draft((bank(), minor), (wallet, -minor), effective_date=day), now=NOW)
    seal()
    closed_month(2026, 9)
    book(1_000, date(2026, 10, 31))

    for day in (date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31)):
        assert nets(get_trial_balances(Moment(as_of=day))) == summed(day)
    assert balance_on(wallet, date(2026, 10, 2)).minor == 765
    assert balance_on(wallet, date(2026, 9, 30)).minor == 760
    assert verify().clean


def test_a_closing_that_was_bent_is_found() -> None:
    book(700, date(2026, 9, 3))
    closed_month(2026, 9)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_periodbalance SET closing = closing + sign(closing)")
        cursor.execute("UPDATE ledger_periodtotal SET closing = closing + 1 WHERE closing > 0")
        cursor.execute("UPDATE ledger_period SET version = 2")
        cursor.execute("SET session_replication_role = DEFAULT")

    assert {finding.check for finding in verify().findings} >= {"periods", "period_digests"}


def test_as_known_at_the_end_of_a_day_is_the_same_for_ever() -> None:
    book(700, date(2026, 10, 3))
    seal()
    known = datetime.now(UTC).date() - timedelta(days=1)
    with connection.cursor() as cursor:
        # The block was sealed just now; let it be yesterday's.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_daytotal SET known_date = %s", [known])
        cursor.execute("UPDATE ledger_block SET sealed_at = sealed_at - interval '1 day'")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    moment = Moment(as_of=date(2026, 10, 31), known=known)

    def told() -> dict[str, bytes]:
        balances = get_trial_balances(moment)
        base = in_base_currency(balances, day=moment.as_of, known=known)
        sheet, paper = BytesIO(), BytesIO()
        text = csv_text(export_file(moment, balances, base, now=clock.now()))
        write_xlsx(export_file(moment, balances, base, now=clock.now()), sheet)
        write_pdf(export_file(moment, balances, base, now=clock.now()), paper)
        return {"csv": text.encode(), "xlsx": sheet.getvalue(), "pdf": paper.getvalue()}

    before = told()
    book(90, date(2026, 10, 3))
    seal()
    # Another day, so that a clock anywhere in a file shows.
    with time_machine.travel(clock.now() + timedelta(days=40), tick=False):
        after = told()

    assert (before["xlsx"][:2], before["pdf"][:5]) == (b"PK", b"%PDF-")
    assert [name for name in before if before[name] != after[name]] == []
    facts = export_file(moment, get_trial_balances(moment), None, now=clock.now()).facts
    assert facts[1][1].startswith("Block 1, ")
    assert nets(get_trial_balances(Moment(as_of=moment.as_of)))["EUR", "PARTNER_FUNDS"] == -790


def test_a_booking_time_looks_past_value_dates() -> None:
    book(700, date(2027, 5, 1))
    between = clock.now()
    book(90, date(2026, 1, 1))

    assert nets(get_trial_balances(Moment(booked=between)))["EUR", "PARTNER_FUNDS"] == -700
    assert get_trial_balances(Moment(booked=between - timedelta(days=1))) == []


def test_the_sum_in_base_currency_is_even_whatever_the_rates() -> None:
    book(100_001, date(2026, 10, 3), "PARTNER_FUNDS", "USD")
    book(33, date(2026, 10, 3), "EQUITY", "USD")
    book(77_777, date(2026, 10, 3), "FEE_INCOME", "JPY")
    book(500, date(2026, 10, 3))
    rates = (("USD", "0.913371"), ("JPY", "0.006113"))
    for currency, rate in rates:
        record_rate(
            base=currency,
            quote="EUR",
            kind=RateKind.CLOSING,
            source="test",
            rate=Decimal(rate),
            valid_at=datetime(2026, 10, 31, 15, tzinfo=UTC),
            now=NOW,
        )
    balances = get_trial_balances(Moment(as_of=date(2026, 10, 31)))

    base = in_base_currency(balances, day=date(2026, 10, 31))

    assert base.balance.even
    assert len(base.rates) == 2
    assert next(line.net for line in base.balance.lines if line.code == "FEE_INCOME") == -47_545
    with pytest.raises(RateMissing):
        in_base_currency(balances, day=date(2026, 9, 30))


def test_a_day_that_is_not_over_cannot_be_known() -> None:
    today = date(2026, 11, 2)

    with pytest.raises(InvalidInput):
        check_moment(Moment(known=today), today=today)
    assert check_moment(Moment(known=date(2026, 11, 1)), today=today).as_of == date(2026, 11, 1)
