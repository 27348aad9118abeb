"""Quotes in words, and the spread of a partner."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import Money
from ledger.tests.factories import make_rate
from wallets.operations.exchange import exchange, quote_exchange
from wallets.queries_exchange import spread_of
from wallets.tests.factories import NOW, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def quotes(customer):
    """One that was used, one that was not."""
    make_rate("EUR", "USD", "1.1000")
    seller, buyer = make_wallet(customer, balance=50_000), make_wallet(customer, "USD")
    made = [
        quote_exchange(sell_wallet_id=seller.pk, buy_wallet_id=buyer.pk, amount=Money(minor, "EUR"), now=NOW)
        for minor in (10_000, 5_000)
    ]
    exchange(quote_id=made[0].pk, idempotency_key=None, now=NOW + timedelta(seconds=3))
    return made


def test_quotes_are_shown_in_words(finance, quotes, django_assert_max_num_queries):
    client, address = log_in(finance), reverse("admin:wallets_quote_changelist")

    with django_assert_max_num_queries(12):
        listed = client.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    with django_assert_max_num_queries(12):
        href = reverse("admin:wallets_quote_change", args=[quotes[0].public_id])
        shown = client.get(href).content.decode().replace("\N{NO-BREAK SPACE}", " ")

    assert "100.00 EUR for 108.90 USD" in listed
    assert "1 EUR = 1.089 USD" in listed
    assert "1.00 %, which is 1.00 EUR of what is given" in shown
    assert "Currency spread income" in shown
    expired = client.get(f"{address}?view=expired").content.decode()
    assert (quotes[0].public_id in expired, quotes[1].public_id in expired) == (False, True)
    assert client.get(reverse("admin:wallets_quote_change", args=[quotes[1].public_id])).status_code == 200


def test_finance_sets_a_partners_spread_and_others_may_not(finance, officer, partner):
    address = reverse("admin:do", args=["partner.set_spread", partner.public_id])
    page = reverse("admin:identity_partner_change", args=[partner.public_id])
    client = log_in(finance)
    assert "Set exchange spread" in client.get(page).content.decode()
    asked = client.get(address).content.decode()
    assert "Now 1.00 %." in asked

    form = {"form_id": str(uuid.uuid4()), "version": "spread:100", "reason": "CONTRACT", "spread_bp": "35"}
    answer = client.post(address, {**form, "next": page})
    too_much = client.post(
        address, {**form, "form_id": str(uuid.uuid4()), "version": "spread:35", "spread_bp": "2001"}
    )

    assert (answer.status_code, too_much.status_code) == (303, 400)
    assert spread_of(partner.pk) == 35
    record = AuditRecord.objects.get(action="partner.set_spread", outcome="DONE")
    assert record.reason_code == "CONTRACT"
    assert log_in(officer).get(address).status_code == 403
