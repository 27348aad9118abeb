"""The daily proof of client money."""

from datetime import timedelta

import pytest

from flowlet.events.models import Event
from flowlet.identity.operations import create_customer
from ledger.models.matching import Break, SafeguardingProof
from ledger.operations.accounts import house_account, set_floor
from ledger.operations.matching import match_lines
from ledger.operations.posting import post
from ledger.operations.safeguarding import prove_safeguarding
from ledger.queries.safeguarding import get_standings
from ledger.tests.banks import statement
from ledger.tests.factories import NOW, TODAY, draft, wallet_account

pytestmark = pytest.mark.django_db


def give(account, minor, **fields):
    clearing = house_account(chart_code="BANK_CLEARING", currency=account.currency, now=NOW)
    return post(draft=draft((clearing, minor), (account, -minor), **fields), now=NOW)


@pytest.fixture
def owners(partner):
    return [
        create_customer(
            partner_id=partner.pk, kind="PERSON", given_name=name, family_name="Berg", country="NO", now=NOW
        ).pk
        for name in ("Ida", "Jon")
    ]


def test_nobodys_debt_lessens_what_another_is_owed(owners):
    rich, poor = (wallet_account(customer_id=owner) for owner in owners)
    second = wallet_account(customer_id=owners[0])
    set_floor(account_id=poor.pk, floor_minor=-5_000, now=NOW)
    give(rich, 10_000)
    give(second, 500)
    give(poor, -4_000)
    statement(10_500, 700)
    match_lines(now=NOW)

    (standing,) = get_standings(TODAY)

    # 10,000 and 500 are one customer's; 4,000 overdrawn is another's own matter; nobody has claimed 11,200.
    assert (standing.customer_count, standing.customers_minor) == (1, 10_500)
    assert standing.unallocated_minor == 11_200
    assert standing.requirement_minor == 21_700
    assert standing.resource_minor == 11_200
    assert standing.complete(TODAY)


def test_a_day_is_proven_once_and_anew_only_where_it_stands_otherwise(owners):
    wallet = wallet_account(customer_id=owners[0])
    give(wallet, 10_000, key="dep-000001")
    statement((10_000, {"end_to_end_id": "dep-000001"}))
    match_lines(now=NOW)

    (proof,) = prove_safeguarding(day=TODAY, now=NOW)
    again = prove_safeguarding(day=TODAY, now=NOW + timedelta(hours=1))
    # A value date of the next day leaves this one as it was, one of this day does not.
    give(wallet, 70, effective_date=TODAY + timedelta(days=1))
    still = prove_safeguarding(day=TODAY, now=NOW)
    give(wallet, 50)
    (other,) = prove_safeguarding(day=TODAY, now=NOW)

    assert (proof.version, proof.surplus_minor, proof.complete) == (1, 0, True)
    assert again == still == []
    assert (other.version, other.surplus_minor) == (2, -50)
    assert proof.sha256 != other.sha256
    assert SafeguardingProof.objects.count() == 2


def test_a_shortfall_raises_one_break_and_tells_the_house(owners):
    give(wallet_account(customer_id=owners[0]), 10_000)
    give(wallet_account("JPY", customer_id=owners[1]), 300)

    proofs = prove_safeguarding(day=TODAY, now=NOW)

    assert [(row.currency, row.surplus_minor, row.complete) for row in proofs] == [
        ("EUR", -10_000, False),
        ("JPY", -300, False),
    ]
    broken = Break.objects.order_by("currency")
    assert [(one.kind, one.currency, one.amount_minor) for one in broken] == [
        ("SHORTFALL", "EUR", -10_000),
        ("SHORTFALL", "JPY", -300),
    ]
    assert Event.objects.filter(type="ledger.client_money_short").count() == 2
