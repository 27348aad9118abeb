"""Pages of wallets and payments: shown to whom may look, decided by buttons, few queries."""

import uuid

import pytest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import Money
from flowlet.identity.operations import create_user
from payments.admin_today import _amounts
from payments.models import Payment
from payments.operations import create_payment
from wallets.models import Deposit
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(partner, customer):
    return make_wallet(customer, balance=10_000), make_wallet(make_customer(partner, "Ola <b>Nilsen</b>"))


def pay(pair, minor):
    payer, payee = pair
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, "EUR"),
        description="Rent",
        now=NOW,
    )


def page(name, *args):
    return reverse(f"admin:{name}", args=args)


def test_every_list_and_page_opens_with_few_queries(ops, pair, django_assert_max_num_queries):
    client, made, refused = log_in(ops), pay(pair, 2_500), pay(pair, 99_999)
    addresses = [
        page("payments_payment_changelist"),
        page("payments_payment_change", made.public_id),
        page("payments_payment_change", refused.public_id),
        page("wallets_wallet_changelist"),
        page("wallets_wallet_change", pair[0].public_id),
        page("wallets_bankaccount_changelist"),
        page("wallets_deposit_changelist"),
        page("wallets_deposit_change", Deposit.objects.get().public_id),
        page("wallets_withdrawal_changelist"),
        page("identity_customer_change", pair[0].customer.public_id),
    ]

    for address in addresses:
        with django_assert_max_num_queries(16):
            answer = client.get(address)
        assert answer.status_code == 200, address
        assert b"<b>Nilsen</b>" not in answer.content


def test_a_refused_payment_says_why_in_words_and_shows_no_entries(ops, pair):
    refused = pay(pair, 99_999)

    shown = log_in(ops).get(page("payments_payment_change", refused.public_id)).content.decode()

    assert "The payer did not have enough money." in shown
    assert "Ledger entries" not in shown


def test_a_completed_payment_shows_both_entries(ops, pair):
    shown = log_in(ops).get(page("payments_payment_change", pay(pair, 2_500).public_id)).content.decode()

    assert "Ledger entries" in shown
    assert shown.count("25.00") >= 3


def test_ops_freezes_a_wallet_with_a_reason_and_lifts_it(ops, pair):
    client, wallet = log_in(ops), pair[0]
    for verb, reason, status in (
        ("freeze", "LOST_ACCESS", "FROZEN"),
        ("unfreeze", "CUSTOMER_CONFIRMED", "ACTIVE"),
    ):
        href = page("do", f"wallet.{verb}", wallet.public_id)
        version = client.get(href).context["asked"].version

        answer = client.post(
            href, {"form_id": str(uuid.uuid4()), "version": version, "reason": reason, "note": "Called"}
        )

        wallet.refresh_from_db()
        assert (answer.status_code, wallet.status) == (303, status)
    record = AuditRecord.objects.filter(action="wallet.freeze", outcome="DONE").get()
    assert (record.reason_code, record.actor_kind) == ("LOST_ACCESS", "STAFF")


def test_a_freeze_without_reason_or_right_does_nothing(ops, finance, pair):
    wallet, href = pair[0], page("do", "wallet.freeze", pair[0].public_id)
    client = log_in(ops)
    version = client.get(href).context["asked"].version

    without = client.post(href, {"form_id": str(uuid.uuid4()), "version": version})

    wallet.refresh_from_db()
    assert (without.status_code, wallet.status) == (400, "ACTIVE")
    assert log_in(finance).get(href).status_code == 403


def test_who_may_not_see_payments_is_refused(pair):
    client = log_in(
        create_user(
            email="a@house.example", full_name="Samuel Adjei", password="a-long-password-1", roles=["access"]
        )
    )

    assert client.get(page("payments_payment_changelist")).status_code == 403
    assert client.get(page("wallets_wallet_change", pair[0].public_id)).status_code == 403


def test_search_finds_payments_by_id_and_amount_and_wallets_by_id(ops, pair):
    client, payment = log_in(ops), pay(pair, 2_550)

    for term in (payment.public_id, "25.50", "25.50 EUR"):
        assert payment.public_id in client.get(page("search"), {"q": term}).content.decode()
    assert pair[0].public_id in client.get(page("search"), {"q": pair[0].public_id}).content.decode()


@pytest.mark.parametrize(
    ("term", "known"),
    [
        ("12", {"EUR": 1200, "JPY": 12, "KWD": 12_000}),
        ("1.250", {"KWD": 1_250}),
        ("x", {}),
        ("0", {}),
        ("12 EUR", {"EUR": 1_200}),
    ],
)
def test_an_amount_is_read_in_each_currency_it_fits(term, known):
    found = {money.currency: money.minor for money in _amounts(term)}

    assert {currency: found.get(currency) for currency in known} == known
    assert bool(found) == bool(known)


def test_today_counts_payments(ops, pair):
    pay(pair, 100)

    shown = log_in(ops).get(page("index")).content.decode()

    assert Payment.objects.count() == 1
    assert "Payments today" in shown
