"""The table of states: the database and Python hold the same one, for every pair, whoever writes."""

import itertools
import random

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.money import Money
from ledger.operations.holds import place_hold
from payments.choices import PaymentStatus
from payments.models import Payment
from payments.policies import NEVER_FIRST, NEXT
from payments.tests.outside import make_business, pay_out
from wallets.tests.factories import NOW, make_bank_account, make_wallet

pytestmark = pytest.mark.django_db
_MOVED = (PaymentStatus.COMPLETED, PaymentStatus.RETURNED)
_NAMED = (PaymentStatus.REFUSED, PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.RETURNED)


@pytest.fixture
def template(partner):
    """Return a payout in each column but its state, and what the states need: a hold, two ledger transactions."""
    business = make_business(partner)
    wallet = make_wallet(business, balance=90_000)
    payment = pay_out(wallet, make_bank_account(business), fraud_check=None)
    booked, returned = (
        make_wallet(business, purpose=purpose, balance=100).account.postings.first().transaction_id
        for purpose in ("ONE", "TWO")
    )
    return payment, booked, returned


def columns(status, booked, returned):
    moved = status in _MOVED
    return {
        "status": status,
        "transaction_id": booked if moved else None,
        "completed_at": NOW if moved else None,
        "returned_id": returned if status == PaymentStatus.RETURNED else None,
        "refusal_code": "x" if status in _NAMED else "",
    }


def place(template, status):
    """Put a payment into a state past the guard, as if it had come there."""
    payment, booked, returned = template
    hold = place_hold(
        account_id=payment.payer_wallet.account_id,
        amount=Money(1, "EUR"),
        source="test",
        source_key=f"{status}-{Payment.objects.count()}",
        expires_at=None,
        now=NOW,
    )
    row = Payment.objects.get(pk=payment.pk)
    row.pk, row.public_id, row.hold_id = None, f"pay_{Payment.objects.count()}_{status}", hold.hold_id
    for name, value in columns(status, booked, returned).items():
        setattr(row, name, value)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        row.save(force_insert=True)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return row


def move(row, template, status):
    Payment.objects.filter(pk=row.pk).update(**columns(status, *template[1:]))


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(PaymentStatus, 2)))
def test_the_database_lets_a_payment_go_exactly_where_the_table_says(template, before, after):
    row = place(template, before)

    if after in NEXT[before]:
        move(row, template, after)
        assert Payment.objects.get(pk=row.pk).status == after
    else:
        with pytest.raises(IntegrityError, match="cannot go"), transaction.atomic():
            move(row, template, after)
        assert Payment.objects.get(pk=row.pk).status == before


@pytest.mark.parametrize("status", list(PaymentStatus))
def test_a_payment_begins_in_any_state_but_those_that_need_a_past(template, status):
    payment, booked, returned = template
    hold = place_hold(
        account_id=payment.payer_wallet.account_id,
        amount=Money(1, "EUR"),
        source="test",
        source_key="first",
        expires_at=None,
        now=NOW,
    )
    row = Payment.objects.get(pk=payment.pk)
    row.pk, row.public_id, row.hold_id = None, "pay_first", hold.hold_id
    for name, value in columns(status, booked, returned).items():
        setattr(row, name, value)

    if status in NEVER_FIRST:
        with pytest.raises(IntegrityError, match="cannot begin"), transaction.atomic():
            row.save(force_insert=True)
    else:
        row.save(force_insert=True)
        assert Payment.objects.filter(public_id="pay_first", status=status).exists()


def test_every_state_has_its_line_in_the_table():
    assert set(NEXT) == set(PaymentStatus)


@pytest.mark.parametrize("seed", range(24))
def test_a_random_walk_gets_as_far_as_the_table_and_no_further(template, seed):
    rng = random.Random(seed)
    row = place(template, rng.choice([status for status in PaymentStatus if status not in NEVER_FIRST]))
    state = PaymentStatus(row.status)

    for wanted in rng.choices(list(PaymentStatus), k=60):
        if wanted == state:
            continue
        try:
            with transaction.atomic():
                move(row, template, wanted)
            allowed = True
        except IntegrityError:
            allowed = False
        assert allowed == (wanted in NEXT[state]), f"{state} to {wanted}"
        state = wanted if allowed else state

    assert Payment.objects.get(pk=row.pk).status == state


def test_hold_and_booking_of_a_payment_are_never_exchanged(template):
    row = place(template, PaymentStatus.PROCESSING)
    other = place(template, PaymentStatus.HELD)

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Payment.objects.filter(pk=row.pk).update(
            **{**columns(PaymentStatus.COMPLETED, *template[1:]), "hold_id": other.hold_id}
        )
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Payment.objects.filter(pk=row.pk).update(hold_id=None)
