"""Funding instructions over the API, and what a transfer looks like there."""

import pytest

from flowlet.gateway.tests.factories import Api, make_client
from ledger.operations.matching import match_lines
from ledger.tests.banks import bank_account, statement
from wallets.operations.wallets import close_wallet
from wallets.references import is_code, printed
from wallets.tests.factories import NOW, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def test_a_wallet_gets_its_reference_once_and_its_transfers_show_who_sent_them(api, customer):
    ours, wallet = bank_account(), make_wallet(customer)
    path = f"wallets/{wallet.public_id}/funding_instructions"
    none = api.get(path)

    given, again = api.post(path, {}, key="one"), api.post(path, {}, key="two")

    assert (none.status_code, none.json()["code"]) == (404, "no_reference")
    assert (given.status_code, again.json(), api.get(path).json()) == (200, given.json(), given.json())
    said = given.json()
    assert is_code(said["reference"])
    assert printed(said["reference"]) in said["text"]
    assert said["bank_account"] == {
        "name": ours.name,
        "bank_name": ours.bank_name,
        "iban": ours.iban,
        "account_number": None,
        "bic": None,
        "currency": "EUR",
    }

    statement((700, {"text": printed(said["reference"]), "counterparty_name": "Ines Moreau"}))
    match_lines(now=NOW)

    (deposit,) = api.get(f"deposits?wallet={wallet.public_id}").json()["data"]
    assert [deposit[name] for name in ("method", "amount", "status", "reference", "sender_name")] == [
        "transfer",
        700,
        "completed",
        said["reference"],
        "Ines Moreau",
    ]
    assert api.get(f"deposits/{deposit['id']}").json() == deposit
    (entry,) = api.get(f"wallets/{wallet.public_id}/transactions").json()["data"]
    assert (entry["description"], entry["cause"]) == ("Bank transfer from Ines Moreau", deposit["id"])


def test_others_wallets_closed_ones_and_those_without_an_account_of_ours_get_none(
    api, customer, other_partner
):
    wallet, path = make_wallet(customer), "wallets/{}/funding_instructions"

    foreign = Api(make_client(other_partner)).post(path.format(wallet.public_id), {})
    unseen = Api(make_client(other_partner)).get(path.format(wallet.public_id))
    homeless = api.post(path.format(wallet.public_id), {})
    close_wallet(wallet_id=wallet.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    closed = api.post(path.format(wallet.public_id), {})
    reader = Api(make_client(other_partner, scopes=["wallets:read"])).post(path.format(wallet.public_id), {})

    assert (foreign.status_code, unseen.status_code) == (404, 404)
    assert (homeless.status_code, homeless.json()["code"]) == (422, "no_bank_account")
    assert (closed.status_code, closed.json()["code"]) == (422, "wallet_closed")
    assert reader.status_code == 403


def test_a_transfer_cannot_be_asked_for(api, customer):
    wallet = make_wallet(customer)

    body = {"wallet": wallet.public_id, "method": "transfer", "amount": 100, "currency": "EUR"}

    assert api.post("deposits", body, key="x").status_code == 400
