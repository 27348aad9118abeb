"""The daily proof of client money."""

import base64
import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

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


CHANGES = {
    "resource_minor = resource_minor + 1": "its figures do not make its digest",
    "accounts = '[]'": "its figures do not make its digest",
    "version = 7": "its signature does not fit",
    "made_at = made_at - interval '1 day'": "its signature does not fit",
    "signature = sha512('x')": "its signature does not fit",
    "key_id = 9": "it names key 9, which is not in ANCHOR_KEYS",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_proof_that_was_changed_is_not_as_it_was_signed(owners, change):
    give(wallet_account(customer_id=owners[0]), 10_000)
    statement(10_000)
    prove_safeguarding(day=TODAY, now=NOW)
    out = StringIO()
    call_command("verify_safeguarding", stdout=out)
    assert "1 proofs checked: 0 faults." in out.getvalue()

    # As somebody who may do anything to the database, but has no key.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE ledger_safeguardingproof SET {change}")
        cursor.execute("SET session_replication_role = DEFAULT")

    with pytest.raises(CommandError, match="1 proofs are not as they were signed"):
        call_command("verify_safeguarding", "--since", str(TODAY), stdout=out)
    assert out.getvalue().count(CHANGES[change]) == 1


def test_whoever_has_the_public_key_can_check_an_exported_proof(owners, finance, desk):
    give(wallet_account(customer_id=owners[0]), 10_000)
    (proof,) = prove_safeguarding(day=TODAY, now=NOW)

    text = (
        desk(finance)
        .get(reverse("admin:ledger_safeguarding_export", args=["csv"]))
        .getvalue()
        .decode("utf-8-sig")
    )
    page = desk(finance).get(reverse("admin:ledger_safeguardingproof_change", args=[proof.public_id]))

    (row,) = csv.DictReader(StringIO(text))
    message = {
        "format": "flowlet-safeguarding-1",
        "id": row["Id"],
        "day": row["Day"],
        "currency": row["Currency"],
        "version": int(row["Version"]),
        "sha256": row["SHA-256"],
        "made_at": NOW.isoformat(timespec="seconds"),
        "key": int(row["Key"]),
    }
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(row["Public key"]))
    key.verify(
        base64.b64decode(row["Signature"]),
        json.dumps(message, sort_keys=True, separators=(",", ":")).encode(),
    )
    assert row["Signature"] in page.content.decode()
    assert "As signed" in page.content.decode()
    assert "Anchor key 1" in page.content.decode()


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
