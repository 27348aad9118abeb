"""The wallet's page: what is held and what is owed."""

import pytest
from django.urls import reverse

from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import Money
from ledger.operations.holds import place_hold
from ledger.operations.owing import post_forced
from ledger.tests.factories import bank, draft
from wallets.operations.monitors import add_monitor
from wallets.tests.factories import NOW, make_wallet

pytestmark = pytest.mark.django_db


def test_a_wallet_shows_open_holds_and_what_it_owes(ops, customer, django_assert_max_num_queries):
    wallet, client = make_wallet(customer, balance=1_000), log_in(ops)
    address = reverse("admin:wallets_wallet_change", args=[wallet.public_id])
    empty = client.get(address).content.decode()
    place_hold(
        account_id=wallet.account_id,
        amount=Money(250, "EUR"),
        source="card_authorization",
        source_key="auth_<b>1",
        expires_at=None,
        now=NOW,
    )
    post_forced(draft=draft((wallet.account, 900), (bank(), -900)), now=NOW)

    with django_assert_max_num_queries(16):
        shown = client.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")

    assert "Open holds" not in empty
    assert "Owed" not in empty
    assert "Open holds" in shown
    assert "Card authorization" in shown
    assert "auth_&lt;b&gt;1" in shown
    assert "No end" in shown
    assert "1.50 <small>EUR" in shown
    assert "the next money in repays it" in shown


def test_a_wallet_shows_what_its_partner_watches(ops, customer):
    wallet = make_wallet(customer)
    add_monitor(wallet_id=wallet.pk, side="BELOW", threshold=Money(2_500, "EUR"), now=NOW)

    page = log_in(ops).get(f"/admin/wallets/{wallet.public_id}/").content.decode()

    assert "Watched by the partner" in page
    assert "falls below" in page
