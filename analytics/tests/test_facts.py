"""Facts: what jobs keep up to date equals what is built anew, and both equal the books."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.facts.base import FACTS
from analytics.models import DirtySlice, FactDifference
from analytics.operations.reconciling import reconcile_facts
from analytics.operations.refreshing import mark, refresh_slices
from analytics.tests.factories import catch_up, pay, rebuild_all, rows_of
from cards.tests.factories import make_card
from cards.tests.factories import pay as pay_by_card
from flowlet.events.models import Event
from flowlet.events.relay import relay
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallets(partner):
    payer = make_wallet(make_customer(partner, "Anna Berg"), balance=100_000)
    return payer, make_wallet(make_customer(partner, "Jonas Falk"))


def all_rows():
    return {name: rows_of(name) for name in dict(FACTS.items())}


def test_facts_follow_payments_of_their_day(wallets):
    payer, payee = wallets

    pay(payer, payee, 1_200)
    pay(payer, payee, 300, at=NOW + timedelta(days=1))
    pay(payer, payee, 9_999_999)
    catch_up()

    facts = FACTS.get("payment_day").model.objects.order_by("date", "status")
    assert [(f.date.day, f.status, f.count, f.settled_minor) for f in facts] == [
        (2, "COMPLETED", 1, 1_200),
        (2, "REFUSED", 1, 0),
        (3, "COMPLETED", 1, 300),
    ]
    assert not DirtySlice.objects.exists()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("pay"), st.integers(1, 60_000), st.integers(0, 3)),
            st.tuples(st.sampled_from(["relay", "refresh", "repeat"]), st.just(0), st.just(0)),
        ),
        max_size=14,
    )
)
def test_any_order_of_payments_events_and_jobs_ends_as_a_rebuild_does(wallets, steps):
    payer, payee = wallets
    for verb, minor, days in steps:
        if verb == "pay":
            pay(payer, payee, minor, at=NOW + timedelta(days=days))
        elif verb == "relay":
            relay(now=NOW, limit=3)
        elif verb == "refresh":
            refresh_slices(now=NOW, limit=2)
        else:
            for event in reversed(list(Event.objects.order_by("pk"))):
                mark(event, NOW)

    catch_up()
    kept = all_rows()
    rebuild_all()

    assert kept == all_rows()
    assert reconcile_facts(now=NOW) == 0


def test_the_command_builds_what_the_jobs_built(wallets):
    payer, payee = wallets
    pay(payer, payee, 1_200)
    pay_by_card(make_card(payer.customer), 900)
    catch_up()
    kept = all_rows()

    for name in dict(FACTS.items()):
        FACTS.get(name).model.objects.all().delete()
    call_command("analytics_rebuild", "--from", "2026-01-01", "--to", "2026-12-31", verbosity=0)

    assert kept == all_rows()
    assert all(kept.values())


def test_a_planted_difference_is_named_and_goes_when_it_is_mended(wallets):
    payer, payee = wallets
    pay(payer, payee, 1_200)
    catch_up()

    FACTS.get("payment_day").model.objects.filter(status="COMPLETED").update(settled_minor=1_199)
    FACTS.get("ledger_day").model.objects.filter(account="CUSTOMER_WALLETS").update(credit_minor=7)
    found = reconcile_facts(now=NOW)

    told = list(
        FactDifference.objects.order_by("subject").values_list("subject", "fact_minor", "books_minor")
    )
    assert found == len(told) == 2
    assert told[0][0] == "Balance of CUSTOMER_WALLETS, EUR"
    assert told[1] == ("Settled payments, EUR", 1_199, 1_200)
    rebuild_all()
    assert reconcile_facts(now=NOW) == 0


def test_the_reporting_zone_decides_on_the_day_of_a_payment(wallets, settings):
    payer, payee = wallets
    settings.REPORTING_TIME_ZONE = "Asia/Tokyo"

    pay(payer, payee, 100, at=NOW.replace(hour=16))
    catch_up()

    assert FACTS.get("payment_day").model.objects.get().date.day == 3
    assert reconcile_facts(now=NOW) == 0


def test_a_day_and_partner_cannot_be_stored_twice(wallets):
    payer, payee = wallets
    pay(payer, payee, 100)
    catch_up()
    table = FACTS.get("ledger_day").table

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE partner_id IS NULL")
        assert cursor.fetchone()[0] > 0
        with pytest.raises(Exception, match="ledger_day_once"), transaction.atomic():
            cursor.execute(
                f"INSERT INTO {table} (date, partner_id, account, currency, postings, debit_minor, credit_minor, built_at)"
                f" SELECT date, partner_id, account, currency, 0, 0, 0, now() FROM {table}"
            )
