"""Figures of cards follow every message of the network, and spending knows merchants and categories."""

from datetime import timedelta

import pytest
from django.db import connection

from analytics.categories import KIND_GROUPS, MCC_GROUPS, category_of, category_sql
from analytics.facts.card_day import CardDay
from analytics.models import FactDifference
from analytics.operations.reconciling import reconcile_facts
from analytics.tests.factories import catch_up, rebuild_all, rows_of
from cards.tests.factories import NOW, make_card, pay, told
from flowlet.gateway.tests.factories import Api, make_client
from ledger.statements.builder import build_statement
from wallets.queries import names_of_accounts

pytestmark = pytest.mark.django_db
SPAN = "from=2026-11-01&to=2026-11-30&currency=EUR"


@pytest.fixture
def card(customer):
    return make_card(customer)


def test_card_figures_follow_clearings_refunds_and_declines(card):
    bought = pay(card, 2_300)
    pay(card, 9_999_999)
    catch_up()
    told(card, "CLEAR", 2_300, of=bought, now=NOW + timedelta(days=1))
    told(card, "REFUND", 300, of=bought, now=NOW + timedelta(days=2))

    catch_up(NOW + timedelta(days=2))

    columns = ("outcome", "count", "declined", "cleared_minor", "refunded_minor")
    assert sorted(CardDay.objects.values_list(*columns)) == [
        ("APPROVED", 1, 0, 2_300, 300),
        ("DECLINED", 1, 1, 0, 0),
    ]
    assert not CardDay.objects.filter(outcome="DECLINED", reason="").exists()
    before = rows_of("card_day")
    rebuild_all()
    assert rows_of("card_day") == before
    assert reconcile_facts(now=NOW) == 0


def test_a_planted_difference_of_cards_is_named(card):
    told(card, "CLEAR", 1_000, of=pay(card, 1_000))
    catch_up()

    CardDay.objects.update(cleared_minor=1)
    reconcile_facts(now=NOW)

    found = FactDifference.objects.get()
    assert (found.subject, found.fact_minor, found.books_minor) == ("Cleared by cards, EUR", 1, 1_000)


def test_a_clearing_before_its_authorisation_agrees_with_the_books(card):
    told(card, "CLEAR", 700, network_reference="early-1")
    pay(card, 700, network_reference="early-1")

    catch_up()

    assert reconcile_facts(now=NOW) == 0


def test_spending_by_category_lessens_refunds_and_adds_up_to_the_statement(card, customer, partner):
    books, food = pay(card, 2_300), pay(card, 4_000, merchant_name="Marlow Groceries", mcc="5411")
    told(card, "CLEAR", 2_300, of=books)
    told(card, "CLEAR", 4_000, of=food)
    told(card, "REFUND", 500, of=food)
    catch_up()
    api = Api(make_client(partner))

    told_back = api.get(f"customers/{customer.public_id}/spending?{SPAN}").json()
    merchants = api.get(f"customers/{customer.public_id}/spending?{SPAN}&group=merchant").json()

    by_key = {group["key"]: group["spent_minor"] for group in told_back["groups"]}
    assert by_key["groceries"] == 3_500
    assert by_key["education"] == 2_300
    assert told_back["spent_minor"] == 5_800
    assert {"Marlow Groceries", "Corner Books"} <= {group["key"] for group in merchants["groups"]}
    statement = build_statement(
        account_id=card.wallet.account_id,
        first=NOW.date().replace(day=1),
        last=NOW.date().replace(day=30),
        reference="x",
        owner="x",
        names=names_of_accounts,
    )
    assert told_back["net_minor"] == statement.closing - statement.opening
    assert sum(group["amount_minor"] for group in merchants["groups"]) == told_back["net_minor"]


def test_spending_is_compared_and_what_repeats_is_named(card, customer, partner):
    for back, minor in ((60, 1_200), (30, 1_250), (0, 1_200)):
        at = NOW - timedelta(days=back)
        told(card, "CLEAR", minor, now=at, merchant_name="Lumen Streaming", mcc="4899")
    catch_up()
    api = Api(make_client(partner))

    told_back = api.get(f"customers/{customer.public_id}/spending?{SPAN}&compare=previous").json()

    [repeated] = told_back["recurring"]
    assert (repeated["merchant"], repeated["every"], repeated["times"]) == ("Lumen Streaming", "monthly", 3)
    assert repeated["next_date"] == "2026-12-02"
    assert (told_back["previous"]["from"], told_back["previous"]["to"]) == ("2026-10-02", "2026-10-31")
    assert told_back["previous"]["spent_minor"] == 1_250
    [group] = [one for one in told_back["groups"] if one["key"] == "entertainment"]
    assert (group["spent_minor"], group["change_minor"]) == (1_200, -50)


def test_categories_are_the_same_in_sql_and_in_python():
    codes = [f"{code:04d}" for code in range(0, 10_000, 7)] + ["", "5411", "5814", "7995", "6011", "9754"]

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT mcc, {category_sql('mcc')} FROM unnest(%s::text[]) AS mcc", [codes])
        found = cursor.fetchall()

    assert found == [(code, category_of(code)) for code in codes]
    assert len({group for group, _ in MCC_GROUPS} | set(KIND_GROUPS.values()) | {"OTHER"}) <= 16
