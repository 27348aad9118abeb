"""Who pays whom makes the kind of a payment; what does not fit is said, and the database refuses it too."""

import pytest
from django.db import IntegrityError, transaction

from flowlet.core.money import Money
from flowlet.gateway.tests.factories import Api, make_client
from payments.errors import TypeDoesNotFit
from payments.models import Payment
from payments.operations import create_payment
from payments.tests.outside import make_business
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(partner):
    """Return a wallet with money of each kind of customer, twice: by its letter and a number."""
    return {
        "P": make_wallet(make_customer(partner, "Mirela Sandvik"), balance=10_000),
        "p": make_wallet(make_customer(partner, "Ola Nilsen"), balance=10_000),
        "B": make_wallet(make_business(partner), balance=10_000),
        "b": make_wallet(make_business(partner, "Bergen Bikes AS"), balance=10_000),
    }


def pay(payer, payee, **given):
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(700, "EUR"),
        now=NOW,
        **given,
    )


@pytest.mark.parametrize(("sides", "kind"), [("Pp", "P2P"), ("PB", "C2B"), ("BP", "B2C"), ("Bb", "B2B")])
def test_payer_and_payee_make_the_kind_of_a_payment(people, sides, kind):
    payment = pay(*(people[side] for side in sides), kind=kind)

    assert (payment.status, payment.kind) == ("COMPLETED", kind)
    assert payment.transaction.kind == kind
    for other in {"P2P", "C2B", "B2C", "B2B"} - {kind}:
        with pytest.raises(TypeDoesNotFit):
            pay(*(people[side] for side in sides), kind=other)
        copy = Payment.objects.get(pk=payment.pk)
        copy.pk, copy.public_id, copy.kind = None, "pay_forged", other
        copy.transaction = None
        copy.status, copy.refusal_code, copy.completed_at = "REFUSED", "x", None
        with pytest.raises(IntegrityError, match="a payment is not"), transaction.atomic():
            copy.save(force_insert=True)


def test_the_api_checks_the_type_and_says_which_one_fits(partner, people):
    api = Api(make_client(partner))
    body = {
        "payer_wallet": people["B"].public_id,
        "payee_wallet": people["P"].public_id,
        "amount": 700,
        "currency": "EUR",
    }

    wrong = api.post("payments", {**body, "type": "p2p"}, key="k-1")
    right = api.post("payments", {**body, "type": "b2c"}, key="k-2")
    unknown = api.post("payments", {**body, "type": "top_up"}, key="k-3")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "type_does_not_fit")
    assert "of type b2c, not p2p" in wrong.json()["detail"]
    assert (right.status_code, right.json()["type"]) == (201, "b2c")
    assert unknown.status_code == 400
    assert [row["id"] for row in api.get("payments?type=b2c").json()["data"]] == [right.json()["id"]]
    assert api.get("payments?type=b2b").json()["data"] == []


def test_a_type_that_does_not_fit_leaves_nothing_and_burns_no_payment_key(people):
    with pytest.raises(TypeDoesNotFit):
        pay(people["P"], people["B"], kind="B2B", idempotency_key="k")

    assert pay(people["P"], people["B"], idempotency_key="k").status == "COMPLETED"
