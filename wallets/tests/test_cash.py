"""Cash at agents: in and out of wallets, with a place and without a bank account."""

import pytest
from django.db import IntegrityError, transaction

from flowlet.core.money import Money
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Customer, Partner
from ledger.models.transactions import LedgerTransaction
from ledger.queries.balances import get_balance
from ledger.queries.verification import verify
from wallets.errors import KeyUsedBefore
from wallets.models import Deposit, Wallet
from wallets.operations import bank
from wallets.operations.wallets import freeze_wallet, open_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer: Customer, now: object) -> Wallet:
    Customer.objects.filter(pk=customer.pk).update(tier="PLUS")
    return open_wallet(customer_id=customer.pk, currency="USD", name="Everyday", now=now)  # type: ignore[arg-type]


def pay_in(
    wallet: Wallet, minor: int, now: object, key: str | None = None, location: str = "Kiosk 7"
) -> Deposit:
    return bank.deposit_cash(
        wallet_id=wallet.pk, location=location, amount=Money(minor, "USD"), idempotency_key=key, now=now
    )


def test_cash_comes_in_and_goes_out_under_kinds_of_its_own(wallet: Wallet, now: object) -> None:
    paid_in = pay_in(wallet, 950_000, now)

    out = bank.withdraw_cash(
        wallet_id=wallet.pk, location="Kiosk 9", amount=Money(50_000, "USD"), idempotency_key=None, now=now
    )

    assert (paid_in.status, out.status) == ("COMPLETED", "COMPLETED")
    assert get_balance(wallet.account_id).posted == Money(900_000, "USD")
    kinds = LedgerTransaction.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["CASH_DEPOSIT", "CASH_WITHDRAWAL"]
    assert verify().clean


def test_the_same_key_takes_cash_once_and_another_place_is_another_deposit(
    wallet: Wallet, now: object
) -> None:
    first = pay_in(wallet, 100, now, key="till-1")

    assert pay_in(wallet, 100, now, key="till-1").pk == first.pk
    with pytest.raises(KeyUsedBefore):
        pay_in(wallet, 100, now, key="till-1", location="Kiosk 8")


def test_cash_for_a_frozen_wallet_is_refused_and_kept(wallet: Wallet, now: object) -> None:
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=now)

    row = pay_in(wallet, 100, now)

    assert (row.status, row.refusal_code) == ("REFUSED", "wallet_frozen")
    assert get_balance(wallet.account_id).posted == Money(0, "USD")


@pytest.mark.parametrize("change", [{"location": ""}, {"source": "BANK"}])
def test_the_database_wants_a_place_for_cash_and_an_account_for_the_rest(
    wallet: Wallet, now: object, change: dict[str, str]
) -> None:
    paid_in = pay_in(wallet, 100, now)
    values = {
        "partner_id": paid_in.partner_id,
        "wallet": wallet,
        "source": "CASH",
        "location": "Kiosk 7",
        "amount_minor": 5,
        "currency": "USD",
        "status": "REFUSED",
        "refusal_code": "x",
        "ended_at": now,
        "created_at": now,
    }

    with pytest.raises(IntegrityError, match="deposit_source_named"), transaction.atomic():
        Deposit.objects.create(**{**values, **change})


def test_the_api_takes_cash_with_a_place_and_says_what_is_missing(wallet: Wallet, partner: Partner) -> None:
    api = Api(make_client(partner))
    body = {"wallet": wallet.public_id, "method": "cash", "amount": 2_500, "currency": "USD"}

    missing = api.post("deposits", body, key="a")
    mixed = api.post(
        "deposits", {**body, "location": "Kiosk 7", "bank_account": "ba_01K8Z5M3W4J7T2R9QX6V0BND1C"}, key="b"
    )
    done = api.post("deposits", {**body, "location": "Kiosk 7"}, key="c")

    assert missing.status_code == 400
    assert missing.json()["errors"][0]["pointer"] == "/location"
    assert mixed.json()["errors"][0]["pointer"] == "/bank_account"
    assert done.status_code == 201
    assert (done.json()["method"], done.json()["location"], done.json()["bank_account"]) == (
        "cash",
        "Kiosk 7",
        None,
    )
