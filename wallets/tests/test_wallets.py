"""Wallets and bank accounts: opening, freezing, closing, what the database refuses."""

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import Actor, acting
from flowlet.core.currencies import UnknownCurrency
from flowlet.core.errors import NotFound
from flowlet.core.money import InvalidAmount
from flowlet.events.models import Event
from flowlet.identity.errors import CustomerClosed
from flowlet.identity.models import Customer
from flowlet.identity.operations import place_restriction
from ledger.errors import AccountNotEmpty
from ledger.models.accounts import Balance
from ledger.operations.accounts import open_account
from wallets import errors, queries
from wallets.models import BankAccount, Wallet
from wallets.operations.bank import add_bank_account
from wallets.operations.wallets import close_wallet, freeze_wallet, open_wallet, unfreeze_wallet
from wallets.tests.factories import IBAN, NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


def test_a_new_wallet_is_empty_and_cannot_go_below_zero(customer):
    wallet = open_wallet(customer_id=customer.pk, currency="KWD", name="Savings", now=NOW)

    balance = Balance.objects.get(pk=wallet.account_id)
    assert (balance.posted, balance.floor, balance.currency) == (0, 0, "KWD")
    assert wallet.public_id.startswith("wal_")
    assert wallet.partner_id == customer.partner_id


def test_opening_a_wallet_leaves_an_event_and_a_trail(customer):
    actor = Actor("STAFF", "usr_1", "Paula Reis")

    with acting(actor):
        wallet = open_wallet(customer_id=customer.pk, currency="EUR", now=NOW)

    event = Event.objects.get(object_id=wallet.public_id)
    assert (event.type, event.data["status"]) == ("wallet.opened", "active")
    record = AuditRecord.objects.get(object_id=wallet.public_id)
    assert (record.action, record.actor_label, record.customer) == (
        "wallet.open",
        "Paula Reis",
        customer.public_id,
    )


def test_a_customer_has_one_open_wallet_per_currency_and_purpose(customer):
    wallet = make_wallet(customer)

    with pytest.raises(errors.WalletExists) as refused:
        open_wallet(customer_id=customer.pk, currency="EUR", now=NOW)

    assert refused.value.fields["wallet"] == wallet.public_id
    assert open_wallet(customer_id=customer.pk, currency="EUR", purpose="RENT", now=NOW)
    assert open_wallet(customer_id=customer.pk, currency="USD", now=NOW)


def test_the_database_too_refuses_a_second_open_wallet(customer):
    wallet = make_wallet(customer)
    other = make_wallet(customer, currency="USD")
    account = open_account(
        chart_code="CUSTOMER_WALLETS",
        currency="EUR",
        partner_id=wallet.partner_id,
        customer_id=customer.pk,
        now=NOW,
    )

    with pytest.raises(IntegrityError, match="keeps owner"), transaction.atomic():
        Wallet.objects.filter(pk=other.pk).update(currency=wallet.currency)
    with pytest.raises(IntegrityError, match="wallet_one_open_per_purpose"), transaction.atomic():
        Wallet.objects.create(
            partner_id=wallet.partner_id,
            customer_id=wallet.customer_id,
            currency="EUR",
            account=account,
            created_at=NOW,
        )


def test_no_wallet_opens_for_a_closed_customer_or_an_unknown_currency(customer):
    with pytest.raises(UnknownCurrency):
        open_wallet(customer_id=customer.pk, currency="ABC", now=NOW)

    Customer.objects.filter(pk=customer.pk).update(status="CLOSED")

    with pytest.raises(CustomerClosed):
        open_wallet(customer_id=customer.pk, currency="EUR", now=NOW)


def told(wallet):
    """Return the types of what was published about a wallet, in its order."""
    return list(
        Event.objects.filter(object_id=wallet.public_id).order_by("sequence").values_list("type", flat=True)
    )


def test_a_freeze_reaches_the_ledger_and_is_lifted_with_a_reason(customer):
    wallet = make_wallet(customer)

    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", note="File 12", now=NOW)

    wallet.refresh_from_db()
    assert (wallet.status, wallet.frozen_by, wallet.freeze_reason_code) == ("FROZEN", "HOUSE", "COURT_ORDER")
    assert Balance.objects.get(pk=wallet.account_id).status == "FROZEN"

    unfreeze_wallet(wallet_id=wallet.pk, reason_code="ORDER_LIFTED", now=NOW)

    wallet.refresh_from_db()
    assert (wallet.status, wallet.frozen_by, wallet.freeze_reason_code) == ("ACTIVE", "", "")
    assert Balance.objects.get(pk=wallet.account_id).status == "OPEN"
    actions = AuditRecord.objects.filter(object_id=wallet.public_id).order_by("pk")
    assert [(row.action, row.reason_code) for row in actions][1:] == [
        ("wallet.freeze", "COURT_ORDER"),
        ("wallet.unfreeze", "ORDER_LIFTED"),
    ]
    assert told(wallet) == ["wallet.opened", "wallet.frozen", "wallet.unfrozen"]


def test_freezing_twice_and_lifting_nothing_are_refused(customer):
    wallet = make_wallet(customer)

    with pytest.raises(errors.WalletNotFrozen):
        unfreeze_wallet(wallet_id=wallet.pk, reason_code="MISTAKE", now=NOW)

    freeze_wallet(wallet_id=wallet.pk, reason_code="LOST_ACCESS", now=NOW)

    with pytest.raises(errors.AlreadyFrozen):
        freeze_wallet(wallet_id=wallet.pk, reason_code="LOST_ACCESS", now=NOW)


def test_a_partner_cannot_lift_what_the_house_froze(customer):
    wallet = make_wallet(customer)
    freeze_wallet(wallet_id=wallet.pk, reason_code="LOST_ACCESS", by="PARTNER", now=NOW)

    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", by="HOUSE", now=NOW)

    with pytest.raises(errors.FreezeHeld):
        unfreeze_wallet(wallet_id=wallet.pk, reason_code="CUSTOMER_CONFIRMED", by="PARTNER", now=NOW)
    wallet.refresh_from_db()
    assert wallet.frozen_by == "HOUSE"
    assert Event.objects.filter(object_id=wallet.public_id, type="wallet.frozen").count() == 1


def test_only_an_empty_unfrozen_wallet_can_be_closed(customer):
    full, empty = make_wallet(customer, balance=100), make_wallet(customer, currency="USD")

    with pytest.raises(AccountNotEmpty):
        close_wallet(wallet_id=full.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    freeze_wallet(wallet_id=empty.pk, reason_code="COURT_ORDER", now=NOW)
    with pytest.raises(errors.AlreadyFrozen):
        close_wallet(wallet_id=empty.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    unfreeze_wallet(wallet_id=empty.pk, reason_code="ORDER_LIFTED", now=NOW)

    close_wallet(wallet_id=empty.pk, reason_code="CUSTOMER_REQUEST", now=NOW)

    assert Balance.objects.get(pk=empty.account_id).status == "CLOSED"
    assert told(empty)[-1] == "wallet.closed"
    assert "wallet.closed" not in told(full)
    assert make_wallet(customer, currency="USD").pk != empty.pk
    with pytest.raises(errors.WalletClosed):
        freeze_wallet(wallet_id=empty.pk, reason_code="COURT_ORDER", now=NOW)


def test_raw_sql_cannot_reopen_move_or_delete_a_wallet(customer, other_partner):
    wallet = make_wallet(customer)
    close_wallet(wallet_id=wallet.pk, reason_code="CUSTOMER_REQUEST", now=NOW)
    attacks = (
        "UPDATE wallets_wallet SET status = 'ACTIVE', closed_at = NULL",
        f"UPDATE wallets_wallet SET partner_id = {other_partner.pk}",
        "UPDATE wallets_wallet SET currency = 'USD'",
        "DELETE FROM wallets_wallet",
    )

    for attack in attacks:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)

    wallet.refresh_from_db()
    assert (wallet.status, wallet.currency) == ("CLOSED", "EUR")


def test_an_iban_is_checked_encrypted_and_found_by_its_index(customer):
    account = add_bank_account(
        customer_id=customer.pk, iban="de89 3704 0044 0532 0130 00", currency="EUR", now=NOW
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT iban FROM wallets_bankaccount WHERE id = %s", [account.pk])
        stored = bytes(cursor.fetchone()[0])
    fresh = BankAccount.objects.get(iban_index=account.iban_index)
    assert (fresh.iban, fresh.last_four, fresh.country) == (IBAN, "3000", "DE")
    assert IBAN.encode() not in stored


@pytest.mark.parametrize(
    "iban", ["DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "", "hello"]
)
def test_a_wrong_iban_is_refused(customer, iban):
    with pytest.raises(errors.InvalidIban):
        add_bank_account(customer_id=customer.pk, iban=iban, currency="EUR", now=NOW)


def test_the_same_bank_account_is_linked_once(customer):
    account = add_bank_account(customer_id=customer.pk, iban=IBAN, currency="EUR", now=NOW)

    with pytest.raises(errors.BankAccountExists) as refused:
        add_bank_account(customer_id=customer.pk, iban=IBAN, currency="EUR", now=NOW)

    assert refused.value.fields["bank_account"] == account.public_id


def test_a_bank_account_cannot_start_below_zero(customer):
    with pytest.raises(InvalidAmount):
        add_bank_account(customer_id=customer.pk, iban=IBAN, currency="EUR", balance_minor=-1, now=NOW)


def test_live_mode_knows_no_built_in_bank(customer, settings):
    settings.FLOWLET_MODE = "live"

    with pytest.raises(errors.SandboxOnly):
        add_bank_account(customer_id=customer.pk, iban=IBAN, currency="EUR", now=NOW)


def test_another_partners_wallet_and_a_missing_one_look_alike(customer, other_partner):
    wallet = make_wallet(customer)

    for partner_id, public_id in ((other_partner.pk, wallet.public_id), (customer.partner_id, "wal_none")):
        with pytest.raises(NotFound):
            queries.get_wallet(partner_id=partner_id, public_id=public_id)


def test_a_restriction_binds_all_wallets_or_the_one_it_names(partner):
    customer = make_customer(partner)
    first, second = make_wallet(customer), make_wallet(customer, currency="USD")
    place_restriction(customer_id=customer.pk, kind="NO_IN", source="OPS", reason_code="X", now=NOW)
    place_restriction(
        customer_id=customer.pk,
        kind="NO_OUT",
        source="OPS",
        reason_code="X",
        wallet_ref=first.public_id,
        now=NOW,
    )

    states = queries.get_states([first, second])

    assert states[first.pk].restrictions == {"NO_IN", "NO_OUT"}
    assert states[second.pk].restrictions == {"NO_IN"}
