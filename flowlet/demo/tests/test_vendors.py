"""The demo's linked banks, messages and chats: in every state, through the operations, without anything running."""

from datetime import timedelta

import pytest
from django.conf import settings

from flowlet.assistant.models import ChatMessage
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.demo import vendors
from flowlet.identity.operations import create_customer
from flowlet.integrations.models import BankLink
from flowlet.integrations.simulation.server import Simulation
from flowlet.notifications.models import Message
from payments.models import Payment
from payments.operations import create_payment
from wallets.tests.factories import make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _journal(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "VENDOR_JOURNAL", str(tmp_path / "journal"))


@pytest.fixture
def people(partner):
    now = clock.now() - timedelta(days=30)
    made = [
        create_customer(
            partner_id=partner.pk,
            kind="PERSON",
            given_name=f"Person{number}",
            family_name="Sandvik",
            country="US",
            phone=f"+4915112345{number:03}",
            tier="PLUS",
            now=now,
        )
        for number in range(8)
    ]
    payer, payee = make_wallet(made[0], balance=50_000), make_wallet(made[1])
    for number in range(8):
        create_payment(
            partner_id=partner.pk,
            payer_wallet_id=payer.public_id,
            payee_wallet_id=payee.public_id,
            amount=Money(500 + number, "EUR"),
            fraud_check=None,
            now=clock.now() - timedelta(hours=2 * number + 2),
        )
    return made


def test_banks_messages_and_chats_are_there_in_every_state(people):
    before = settings.VENDORS

    vendors.fill(now=clock.now())

    assert settings.VENDORS is before
    links = list(BankLink.objects.order_by("pk"))
    assert sorted({link.status for link in links}) == ["ACTIVE", "REMOVED"]
    deposits = Payment.objects.filter(rail="plaid_transfer").order_by("pk")
    assert [row.status for row in deposits] == [
        *("COMPLETED", "RETURNED", "COMPLETED", "COMPLETED", "COMPLETED", "PROCESSING")
    ]
    assert {one.status for one in Message.objects.all()} == {"DELIVERED", "UNDELIVERED"}
    assert set(ChatMessage.objects.values_list("source", flat=True)) == {"", "MODEL", "TEMPLATE"}
    assert not ChatMessage.objects.filter(reason="invalid_answer").exists()


def test_the_simulators_that_run_later_know_the_linked_banks(people, tmp_path):
    vendors.fill(now=clock.now())

    later = Simulation(automatic=False, journal=tmp_path / "journal")
    later.start()
    tokens = later.vendors["plaid"].tokens

    assert {link.access_token for link in BankLink.objects.filter(status="ACTIVE")} <= set(tokens)
    later.stop()


def test_an_empty_house_stays_empty(db):
    vendors.fill(now=clock.now())

    assert BankLink.objects.count() == 0
