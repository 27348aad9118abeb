"""References in the back office: given and retired on the wallet's page, found by search, shown beside the bank's line."""

import pytest

from flowlet.backoffice.tests.conftest import log_in
from flowlet.backoffice.tests.test_actions import Fields
from ledger.models.matching import Break
from ledger.operations.matching import match_lines
from ledger.tests.banks import bank_account, later, statement
from wallets.models import Deposit
from wallets.models_incoming import IncomingReference
from wallets.operations.incoming import give_reference
from wallets.operations.wallets import freeze_wallet, unfreeze_wallet
from wallets.references import printed
from wallets.tests.factories import NOW, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer):
    bank_account()
    return make_wallet(customer)


def do(client, name, wallet, **fields):
    """Ask for an action, and do it with what the form says."""
    address = f"/admin/do/{name}/{wallet.public_id}/"
    asked = Fields(client.get(address).content.decode()).found
    return client.post(address, {**asked, **fields}, follow=True)


def test_a_reference_is_given_and_retired_on_the_wallets_page(ops, wallet):
    client, page = log_in(ops), f"/admin/wallets/{wallet.public_id}/"
    before = client.get(page).content.decode()
    given = do(client, "wallet.give_reference", wallet)

    code = IncomingReference.objects.get().reference
    shown = client.get(page).content.decode()
    do(client, "wallet.retire_reference", wallet, reason="MISUSED")

    assert "Money sent by bank transfer" in before
    assert given.status_code == 200
    assert (printed(code) in shown, printed(code) in before) == (True, False)
    assert IncomingReference.objects.get().state == "RETIRED"


def test_the_search_finds_a_wallet_by_its_reference_however_it_is_typed(ops, wallet):
    code = give_reference(wallet_id=wallet.pk, now=NOW).reference

    found = log_in(ops).get("/admin/search/", {"q": printed(code).lower()}).content.decode()

    assert f"/admin/wallets/{wallet.public_id}/" in found


def test_line_break_and_deposit_lead_to_each_other(finance, ops, wallet):
    code = give_reference(wallet_id=wallet.pk, now=NOW).reference
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    (line,) = statement((100, {"text": code, "counterparty_name": "Ines Moreau"}))
    match_lines(now=NOW)
    client, broken = log_in(finance), Break.objects.get()
    waiting = client.get(f"/admin/ledger/breaks/{broken.public_id}/").content.decode()
    unfreeze_wallet(wallet_id=wallet.pk, reason_code="MISTAKE", now=NOW)
    match_lines(now=later(1))

    settled = client.get(f"/admin/ledger/breaks/{broken.public_id}/").content.decode()
    booked = client.get(f"/admin/ledger/bank-lines/{line.public_id}/").content.decode()
    deposit = client.get(f"/admin/deposits/{Deposit.objects.get().public_id}/").content.decode()
    listed = client.get(f"/admin/deposits/?source=TRANSFER&q={wallet.public_id}").content.decode()

    assert "takes no money now" in waiting
    assert "is frozen" in waiting
    for page in (settled, booked):
        assert f"/admin/wallets/{wallet.public_id}/" in page
        assert printed(code) in page
    assert f"/admin/ledger/bank-lines/{line.public_id}/" in deposit
    assert "Ines Moreau" in deposit
    assert Deposit.objects.get().public_id in listed
