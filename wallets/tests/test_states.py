"""Freezes by direction, closing with words why not, and overdrafts that two people agree on."""

import json
import uuid

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.approvals.errors import NotYourApproval, OwnApproval
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.models import Approval
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import InvalidAmount, Money
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from ledger.choices import HoldDirection
from ledger.errors import AccountNotOpen, InsufficientFunds
from ledger.operations.holds import place_hold
from ledger.operations.owing import post_forced
from ledger.tests.factories import bank, draft, fund, move
from wallets import policies
from wallets.errors import (
    AlreadyFrozen,
    MoneyInBlocked,
    MoneyOutBlocked,
    OverdraftInUse,
    WalletClosed,
    WalletNotEmpty,
)
from wallets.models import Wallet
from wallets.operations.floors import ask_to_set_overdraft, set_overdraft
from wallets.operations.wallets import close_wallet, freeze_wallet, unfreeze_wallet
from wallets.queries import get_states
from wallets.tests.factories import NOW, holds, make_wallet

pytestmark = pytest.mark.django_db
OUT, IN = "OUT", "IN"


@pytest.fixture
def wallet(customer):
    return make_wallet(customer, balance=1_000)


@pytest.fixture
def finance_lead(finance):
    finance.groups.add(Group.objects.get(name="finance_lead"))
    return finance


def freeze(wallet, direction="BOTH", by="HOUSE"):
    return freeze_wallet(wallet_id=wallet.pk, reason_code="CHECK", direction=direction, by=by, now=NOW)


def send(user, name, wallet, **values):
    client, address = log_in(user), f"/admin/do/{name}/{wallet.public_id}/"
    page = client.get(address)
    form = {"form_id": str(uuid.uuid4()), "version": _version(page), **values}
    return page, client.post(address, form)


def _version(page):
    text = page.content.decode()
    return text.partition('name="version" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("direction", "check", "refusal", "other"),
    [
        (OUT, policies.check_money_out, MoneyOutBlocked, policies.check_money_in),
        (IN, policies.check_money_in, MoneyInBlocked, policies.check_money_out),
    ],
)
def test_a_freeze_of_one_direction_lets_the_other_pass(wallet, direction, check, refusal, other):
    freeze(wallet, direction)
    state = get_states([Wallet.objects.get(pk=wallet.pk)])[wallet.pk]

    with pytest.raises(refusal):
        check(state)
    other(state)
    # The ledger refuses too, whoever posts.
    stopped, passes = (-100, 100) if direction == IN else (100, -100)
    with pytest.raises(AccountNotOpen):
        move_by(wallet, stopped)
    move_by(wallet, passes)
    unfreeze_wallet(wallet_id=wallet.pk, reason_code="CHECK_DONE", now=NOW)
    move_by(wallet, stopped)
    assert holds(wallet) == 1_000


def move_by(wallet, minor):
    """Out of the wallet if above zero, into it if below."""
    with transaction.atomic():
        return move(wallet.account, bank(), minor)


def test_a_freeze_turns_and_the_house_takes_the_partners_over(wallet):
    freeze(wallet, OUT, by="PARTNER")
    with pytest.raises(AlreadyFrozen):
        freeze(wallet, OUT, by="PARTNER")
    freeze(wallet, IN, by="PARTNER")
    freeze(wallet, IN)
    with pytest.raises(AlreadyFrozen):
        freeze(wallet, OUT, by="PARTNER")
    turned = freeze(wallet, "BOTH")

    assert (turned.status, turned.frozen_by) == ("FROZEN", "HOUSE")
    rows = AuditRecord.objects.filter(action="wallet.freeze").order_by("pk")
    assert [json.loads(row.changes)["direction"] for row in rows] == [
        [None, OUT],
        [OUT, IN],
        [IN, IN],
        [IN, "BOTH"],
    ]
    # Its partner was told of each change but not that the house has taken over.
    told = (
        Event.objects.filter(type="wallet.frozen")
        .order_by("sequence")
        .values_list("data__direction", flat=True)
    )
    assert list(told) == ["out", "in", "both"]


def test_a_partner_freezes_one_direction_and_closes_over_the_api(partner, customer, wallet):
    api, path = Api(make_client(partner)), f"wallets/{wallet.public_id}"

    frozen = api.post(f"{path}/freeze", {"reason": "lost_access", "direction": "out"})
    all_of_it = api.post(f"{path}/freeze", {"reason": "lost_access"})
    wrong = api.post(f"{path}/freeze", {"reason": "lost_access", "direction": "up"})
    closed_frozen = api.post(f"{path}/close", {})
    active = api.post(f"{path}/unfreeze", {})
    full = api.post(f"{path}/close", {})
    empty = make_wallet(customer, "USD")
    closed = api.post(f"wallets/{empty.public_id}/close", {"note": "Asked for by e-mail"})

    assert (frozen.status_code, frozen.json()["status"], frozen.json()["frozen_direction"]) == (
        200,
        "frozen",
        "out",
    )
    assert all_of_it.json()["frozen_direction"] == "both"
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/direction")
    assert (closed_frozen.status_code, closed_frozen.json()["code"]) == (409, "wallet_already_frozen")
    assert active.json()["frozen_direction"] is None
    assert (full.status_code, full.json()["code"], full.json()["posted_minor"]) == (
        409,
        "account_not_empty",
        1_000,
    )
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    record = AuditRecord.objects.get(action="wallet.close", outcome="DONE")
    assert (record.reason_code, record.object_id) == ("PARTNER_REQUEST", empty.public_id)


def test_what_stands_against_closing_is_said_in_words(customer):
    wallet = make_wallet(customer)
    place_hold(
        account_id=wallet.account_id,
        amount=Money(300, "EUR"),
        source="deposit",
        source_key="dep_1",
        expires_at=None,
        direction=HoldDirection.IN,
        now=NOW,
    )
    post_forced(draft=draft((wallet.account, 450), (bank(), -450)), now=NOW)

    with pytest.raises(WalletNotEmpty) as refused:
        close_wallet(wallet_id=wallet.pk, reason_code="NOT_USED", now=NOW)

    said = refused.value.detail.replace("\N{NO-BREAK SPACE}", " ")
    assert said.endswith("cannot be closed yet: 3.00 EUR is announced, 4.50 EUR is owed.")


def test_ops_freezes_one_direction_and_closes_an_empty_wallet(ops, officer, wallet, customer):
    page, done = send(ops, "wallet.freeze", wallet, reason="CUSTOMER_REQUEST", direction=OUT)
    shown = log_in(ops).get(f"/admin/wallets/{wallet.public_id}/").content.decode()

    assert "Nothing goes out" in page.content.decode()
    assert done.status_code == 303
    assert (
        Wallet.objects.select_related("account__balance").get(pk=wallet.pk).account.balance.status == "NO_OUT"
    )
    assert "Nothing goes out" in shown
    assert "Close…" not in shown  # a freeze is not walked round by closing

    unfreeze_wallet(wallet_id=wallet.pk, reason_code="CHECK_DONE", now=NOW)
    _, full = send(ops, "wallet.close", wallet, reason="NOT_USED")
    _, closed = send(ops, "wallet.close", make_wallet(customer, "USD"), reason="NOT_USED", note="Asked twice")

    assert "10.00&nbsp;EUR is booked" in full.content.decode().replace("\N{NO-BREAK SPACE}", "&nbsp;")
    assert closed.status_code == 303
    assert Wallet.objects.get(currency="USD").status == "CLOSED"
    assert log_in(officer).get(f"/admin/do/wallet.close/{wallet.public_id}/").status_code == 403


def test_an_overdraft_is_asked_for_by_one_and_agreed_to_by_another(finance_lead, lead, ops, wallet):
    # When the finance lead asks
    page, done = send(
        finance_lead,
        "wallet.ask_overdraft",
        wallet,
        reason="CREDIT_AGREED",
        note="Credit line 7",
        overdraft="25.5",
    )
    asked = Approval.objects.get(action="wallets.set_floor")

    # Then nothing has changed, and he cannot agree himself
    assert "Now 0.00" in page.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert done.status_code == 303
    with pytest.raises(InsufficientFunds):
        move_by(wallet, 1_001)
    agree = {"approval_id": asked.pk, "seen_hash": asked.content_hash, "now": NOW}
    with pytest.raises(OwnApproval):
        approve(checker_id=finance_lead.pk, **agree)
    with pytest.raises(NotYourApproval):
        approve(checker_id=ops.pk, **agree)
    shown = log_in(lead).get(f"/admin/approvals/{asked.public_id}/").content.decode()
    assert "25.50" in shown

    # And when another agrees, it counts at once and stands in the trail
    approve(checker_id=lead.pk, **agree)
    move_by(wallet, 3_550)
    with pytest.raises(InsufficientFunds):
        move_by(wallet, 1)
    record = AuditRecord.objects.get(action="wallet.set_floor")
    assert (json.loads(record.changes)["floor_minor"], record.reason_code) == ([0, -2_550], "CREDIT_AGREED")
    page = log_in(lead).get(f"/admin/wallets/{wallet.public_id}/").content.decode()
    assert "Overdraft allowed" in page


def test_an_overdraft_in_use_is_not_taken_away(finance_lead, wallet):
    set_overdraft(wallet_id=wallet.pk, overdraft=Money(500, "EUR"), reason_code="CREDIT_AGREED", now=NOW)
    move_by(wallet, 1_200)

    with pytest.raises(OverdraftInUse):
        set_overdraft(wallet_id=wallet.pk, overdraft=Money(199, "EUR"), reason_code="MISTAKE", now=NOW)
    with pytest.raises(InvalidAmount):
        set_overdraft(wallet_id=wallet.pk, overdraft=Money(-1, "EUR"), reason_code="MISTAKE", now=NOW)
    set_overdraft(wallet_id=wallet.pk, overdraft=Money(200, "EUR"), reason_code="MISTAKE", now=NOW)
    fund(wallet.account, 200)
    set_overdraft(wallet_id=wallet.pk, overdraft=Money(0, "EUR"), reason_code="CREDIT_ENDED", now=NOW)
    close_wallet(wallet_id=wallet.pk, reason_code="NOT_USED", now=NOW)

    with pytest.raises(WalletClosed):
        ask_to_set_overdraft(
            wallet_id=wallet.pk,
            overdraft=Money(1, "EUR"),
            maker_id=finance_lead.pk,
            reason_code="CREDIT_AGREED",
            now=NOW,
        )
