"""Payments between wallets: what moves, what is refused and kept, keys."""

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.audit.models import AuditRecord
from flowlet.core.errors import InvalidInput, NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events.models import Event
from flowlet.identity.operations import place_restriction
from ledger.models.transactions import Posting
from payments.errors import UnknownRail
from payments.models import Payment
from payments.operations import create_payment
from payments.rails.registry import RAILS
from wallets.errors import KeyUsedBefore, refusal_of
from wallets.operations.wallets import close_wallet, freeze_wallet
from wallets.tests.factories import NOW, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db


def pay(payer, payee, minor, *, currency="EUR", **given):
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, currency),
        now=NOW,
        **given,
    )


@pytest.fixture
def payer(customer):
    return make_wallet(customer, balance=10_000)


@pytest.fixture
def payee(partner):
    return make_wallet(make_customer(partner, "Ola Nilsen"))


def test_a_payment_moves_money_once_and_leaves_its_traces(payer, payee):
    payment = pay(payer, payee, 2_500, description="Rent")

    assert (payment.status, holds(payer), holds(payee)) == ("COMPLETED", 7_500, 2_500)
    legs = Posting.objects.filter(transaction=payment.transaction)
    assert sorted(legs.values_list("amount", flat=True)) == [-2_500, 2_500]
    event = Event.objects.get(object_id=payment.public_id)
    assert (event.type, event.data["amount"], event.data["code"]) == ("payment.completed", 2_500, None)
    assert AuditRecord.objects.get(object_id=payment.public_id).action == "payment.create"


def test_too_little_money_leaves_a_refused_payment_and_no_movement(payer, payee):
    payment = pay(payer, payee, 10_001)

    assert (payment.status, payment.refusal_code, payment.transaction_id) == (
        "REFUSED",
        "insufficient_funds",
        None,
    )
    assert (holds(payer), holds(payee)) == (10_000, 0)
    assert Event.objects.get(object_id=payment.public_id).type == "payment.refused"
    assert AuditRecord.objects.get(object_id=payment.public_id).outcome == "REFUSED"


def test_the_last_cent_can_be_paid(payer, payee):
    assert pay(payer, payee, 10_000).status == "COMPLETED"

    assert holds(payer) == 0


@pytest.mark.parametrize(
    ("side", "kind", "code"),
    [
        ("payer", "NO_OUT", "under_review"),
        ("payer", "NO_IN", ""),
        ("payee", "NO_IN", "under_review"),
        ("payee", "NO_OUT", ""),
        ("payer", "FROZEN", "not_permitted"),
        ("payee", "FROZEN", "not_permitted"),
    ],
)
def test_restrictions_bind_the_side_they_concern(payer, payee, side, kind, code):
    restricted = {"payer": payer, "payee": payee}[side]
    place_restriction(
        customer_id=restricted.customer_id, kind=kind, source="SCREENING", reason_code="X", now=NOW
    )

    payment = pay(payer, payee, 100)

    assert payment.refusal_code == code


def test_frozen_and_closed_wallets_refuse(payer, payee, partner):
    closed = make_wallet(make_customer(partner, "Eli Moen"))
    close_wallet(wallet_id=closed.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    freeze_wallet(wallet_id=payee.pk, reason_code="COURT_ORDER", now=NOW)

    assert pay(payer, payee, 100).refusal_code == "wallet_frozen"
    assert pay(payer, closed, 100).refusal_code == "wallet_closed"


def test_malformed_payments_leave_nothing(payer, payee, customer, other_partner):
    dollars = make_wallet(customer, currency="USD")
    foreign = make_wallet(make_customer(other_partner, "Eli Moen"))

    with pytest.raises(InvalidInput) as same:
        pay(payer, payer, 100)
    with pytest.raises(InvalidAmount):
        pay(payer, payee, 0)
    with pytest.raises(CurrencyMismatch):
        pay(payer, payee, 100, currency="USD")
    with pytest.raises(CurrencyMismatch):
        pay(payer, dollars, 100)
    with pytest.raises(NotFound) as absent:
        pay(payer, foreign, 100)
    with pytest.raises(UnknownRail):
        pay(payer, payee, 100, rail="pigeon")

    assert same.value.errors[0].pointer == "/payee_wallet"
    assert [fault.pointer for fault in absent.value.errors] == ["/payee_wallet"]
    assert not Payment.objects.exists()


def test_the_same_key_returns_the_first_payment(payer, payee):
    first, again = pay(payer, payee, 100, idempotency_key="k"), pay(payer, payee, 100, idempotency_key="k")

    assert first.pk == again.pk
    assert holds(payee) == 100
    with pytest.raises(KeyUsedBefore):
        pay(payer, payee, 200, idempotency_key="k")
    with pytest.raises(KeyUsedBefore):
        pay(payee, payer, 1, idempotency_key="k")


def test_a_key_used_between_other_wallets_is_refused(payer, payee, partner):
    third, fourth = (make_wallet(make_customer(partner, name), balance=500) for name in ("A B", "C D"))
    pay(payer, payee, 100, idempotency_key="k")

    with pytest.raises(KeyUsedBefore):
        pay(third, fourth, 100, idempotency_key="k")

    assert holds(third) == 500


def test_a_refusal_is_sticky_under_its_key(payer, payee, customer):
    refused = pay(payer, payee, 20_000, idempotency_key="k")
    make_wallet(customer, purpose="MORE", balance=50_000)

    assert pay(payer, payee, 20_000, idempotency_key="k").pk == refused.pk


def test_two_partners_may_use_the_same_key(payer, payee, other_partner):
    theirs = [make_wallet(make_customer(other_partner, name), balance=500) for name in ("A B", "C D")]

    assert pay(payer, payee, 100, idempotency_key="k").pk != pay(*theirs, 100, idempotency_key="k").pk


def test_raw_sql_cannot_change_delete_or_forge_a_payment(payer, payee, other_partner):
    payment = pay(payer, payee, 100)
    refused = pay(payer, payee, 99_999)
    connection.check_constraints()  # what is checked at commit is checked now: it would hide TRUNCATE's own refusal
    copy = (
        "INSERT INTO payments_payment (public_id, partner_id, kind, rail, payer_wallet_id, payee_wallet_id,"
        " amount_minor, currency, status, refusal_code, refusal_detail, description, created_at)"
        " SELECT 'pay_x', {partner}, kind, rail, {payer}, payee_wallet_id, {amount}, {currency}, status,"
        " {code}, '', '', created_at FROM payments_payment WHERE status = 'REFUSED'"
    )
    usual = {
        "partner": "partner_id",
        "payer": "payer_wallet_id",
        "amount": "1",
        "currency": "currency",
        "code": "'x'",
    }
    attacks = [
        f"UPDATE payments_payment SET amount_minor = 1 WHERE id = {payment.pk}",
        f"UPDATE payments_payment SET status = 'COMPLETED' WHERE id = {refused.pk}",
        "DELETE FROM payments_payment",
        "TRUNCATE payments_payment CASCADE",
        copy.format(**{**usual, "partner": other_partner.pk}),
        copy.format(**{**usual, "currency": "'USD'"}),
        copy.format(**{**usual, "payer": "payee_wallet_id"}),
        copy.format(**{**usual, "amount": "0"}),
        copy.format(**{**usual, "code": "''"}),
    ]

    for attack in attacks:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)

    assert Payment.objects.count() == 2


def test_a_refusal_reads_the_same_later(payer, payee):
    payment = pay(payer, payee, 99_999)

    error = refusal_of(code=payment.refusal_code, detail=payment.refusal_detail)

    assert (error.code, error.http_status, error.next_action) == ("insufficient_funds", 422, "reduce_amount")
    assert error.detail == payment.refusal_detail


@pytest.mark.parametrize("name", ["internal"])
def test_every_instant_rail_moves_the_money_it_was_given(payer, payee, name):
    assert set(RAILS) == {"internal"}

    payment = pay(payer, payee, 700, rail=name)

    assert (payment.status, holds(payer), holds(payee)) == ("COMPLETED", 9_300, 700)
