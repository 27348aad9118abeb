"""The wallet resources over the API."""

from datetime import UTC, datetime

import pytest

from flowlet.core.ids import new_id
from flowlet.core.money import Money
from flowlet.gateway.tests.factories import Api, make_client
from ledger.operations.holds import place_hold, release_hold
from wallets.models import BankAccount, Deposit, Wallet
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import IBAN, NOW, holds, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def test_a_wallet_is_opened_filled_read_and_emptied(api, customer):
    wallet = api.post(
        "wallets", {"customer": customer.public_id, "currency": "EUR", "name": "Everyday"}, key="w"
    )
    account = api.post(
        "bank_accounts", {"customer": customer.public_id, "iban": IBAN, "currency": "EUR"}, key="b"
    )
    move = {
        "wallet": wallet.json()["id"],
        "bank_account": account.json()["id"],
        "amount": 5_000,
        "currency": "EUR",
    }
    came = api.post("deposits", move, key="d")
    went = api.post("withdrawals", {**move, "amount": 1_200}, key="x")

    assert [made.status_code for made in (wallet, account, came, went)] == [201] * 4
    assert (account.json()["last_four"], "iban" in account.json()) == ("3000", False)
    path = f"wallets/{wallet.json()['id']}"
    balances = api.get(f"{path}/balances").json()
    assert (balances["posted"], balances["available"], balances["entries"]) == (3_800, 3_800, 2)
    history = api.get(f"{path}/transactions").json()["data"]
    assert [(row["amount"], row["balance_after"], row["sequence"]) for row in history] == [
        (-1_200, 3_800, 2),
        (5_000, 5_000, 1),
    ]
    assert history[0]["cause"] == went.json()["id"]
    assert history[0]["description"] == "Withdrawal, bank account •••• 3000"
    assert api.get(path).json() == wallet.json()
    assert api.get(f"deposits/{came.json()['id']}").json() == came.json()
    assert api.get(f"withdrawals/{went.json()['id']}").json() == went.json()
    assert api.get(f"bank_accounts/{account.json()['id']}").json()["balance"] == 1_000_000 - 5_000 + 1_200


def test_holds_are_listed_and_show_in_the_balance(api, customer):
    wallet, other = make_wallet(customer, balance=1_000), make_wallet(customer, "USD", balance=500)
    place = {"source": "test", "expires_at": None, "now": NOW}
    first = place_hold(account_id=wallet.account_id, amount=Money(300, "EUR"), source_key="one", **place)
    second = place_hold(account_id=wallet.account_id, amount=Money(200, "EUR"), source_key="two", **place)
    place_hold(account_id=other.account_id, amount=Money(5, "USD"), source_key="three", **place)
    release_hold(hold_id=first.hold_id, source_key="back", now=NOW)

    path = f"wallets/{wallet.public_id}"
    listed = api.get(f"{path}/holds").json()["data"]
    active = api.get(f"{path}/holds?status=active&limit=1").json()["data"]
    balances = api.get(f"{path}/balances").json()

    assert [(row["cause"], row["amount"], row["open"], row["status"]) for row in listed] == [
        ("two", 200, 200, "active"),
        ("one", 300, 0, "released"),
    ]
    assert [row["id"] for row in active] == [second.public_id]
    assert (active[0]["direction"], active[0]["expires_at"]) == ("out", None)
    names = ("posted", "held", "available", "owed")
    assert [balances[name] for name in names] == [1_000, 200, 800, 0]
    assert api.get(f"{path}/holds?status=gone").status_code == 400


def test_the_history_is_paged_by_sequence(api, customer):
    wallet = make_wallet(customer)
    make_bank_account(customer)
    bank = BankAccount.objects.get().public_id
    for number in range(5):
        body = {"wallet": wallet.public_id, "bank_account": bank, "amount": number + 1, "currency": "EUR"}
        api.post("deposits", body, key=f"d{number}")

    first = api.get(f"wallets/{wallet.public_id}/transactions?limit=3").json()
    second = api.get(f"wallets/{wallet.public_id}/transactions?limit=3&cursor={first['next']}").json()

    assert [row["sequence"] for row in first["data"] + second["data"]] == [5, 4, 3, 2, 1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    for name in ("created[gte]=2026-01-01T00:00:00Z", "idempotency_key=d1"):
        assert api.get(f"wallets/{wallet.public_id}/transactions?{name}").status_code == 400


def test_a_partner_freezes_and_unfreezes_but_not_what_the_house_froze(api, customer):
    wallet = make_wallet(customer)
    path = f"wallets/{wallet.public_id}"

    frozen = api.post(f"{path}/freeze", {"reason": "lost_access"})
    twice = api.post(f"{path}/freeze", {"reason": "lost_access"})
    active = api.post(f"{path}/unfreeze", {})
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    held = api.post(f"{path}/unfreeze", {})

    assert (frozen.status_code, frozen.json()["status"]) == (200, "frozen")
    assert (twice.status_code, twice.json()["code"]) == (409, "wallet_already_frozen")
    assert active.json()["status"] == "active"
    assert (held.status_code, held.json()["code"]) == (403, "not_permitted")
    assert "court" not in held.content.decode().lower()


def test_a_declined_deposit_is_a_sticky_problem_that_names_its_row(api, customer):
    wallet, account = make_wallet(customer), make_bank_account(customer, balance=10)
    body = {"wallet": wallet.public_id, "bank_account": account.public_id, "amount": 11, "currency": "EUR"}

    refused = api.post("deposits", body, key="d")
    BankAccount.objects.update(balance_minor=1_000)
    again = api.post("deposits", body, key="d")

    assert (refused.status_code, refused.json()["code"]) == (422, "bank_account_declined")
    assert refused.json()["object"] == Deposit.objects.get().public_id
    assert again.content == refused.content
    assert holds(wallet) == 0
    assert [row["status"] for row in api.get("deposits?status=refused").json()["data"]] == ["refused"]


def test_a_second_wallet_for_one_purpose_is_a_conflict_that_names_the_first(api, customer):
    wallet = make_wallet(customer)

    refused = api.post("wallets", {"customer": customer.public_id, "currency": "EUR"}, key="w")

    assert (refused.status_code, refused.json()["code"]) == (409, "wallet_exists")
    assert wallet.public_id in refused.json()["detail"]


@pytest.mark.parametrize(
    ("resource", "change", "pointer", "code"),
    [
        ("wallets", {"customer": "wal_x"}, "/customer", "invalid_id"),
        ("wallets", {"currency": "XXX"}, "/currency", "unknown_currency"),
        ("wallets", {"currency": None}, "/currency", "null"),
        ("wallets", {"purpose": "rent money"}, "/purpose", "invalid_code"),
        ("wallets", {"purpose": "1ST"}, "/purpose", "invalid_code"),
        ("wallets", {"name": 5}, "/name", "invalid"),
        ("wallets", {"status": "frozen"}, "/status", "unknown_field"),
        ("bank_accounts", {"iban": "DE00370400440532013000"}, "/iban", "invalid_iban"),
        ("bank_accounts", {"iban": "x" * 61}, "/iban", "max_length"),
        ("bank_accounts", {"iban": ""}, "/iban", "blank"),
        ("bank_accounts", {"balance": -1}, "/balance", "out_of_range"),
        ("bank_accounts", {"balance": 1.0}, "/balance", "not_an_integer"),
        ("deposits", {"amount": 0}, "/amount", "too_small"),
        ("deposits", {"amount": "1"}, "/amount", "not_an_integer"),
        ("deposits", {"wallet": "x"}, "/wallet", "invalid_id"),
        ("withdrawals", {"amount": False}, "/amount", "not_an_integer"),
        ("withdrawals", {"bank_account": []}, "/bank_account", "not_a_string"),
    ],
)
def test_each_fault_is_pointed_at_and_stores_nothing(api, customer, resource, change, pointer, code):
    usual = {
        "wallets": {"customer": customer.public_id, "currency": "EUR"},
        "bank_accounts": {"customer": customer.public_id, "iban": IBAN, "currency": "EUR"},
        "deposits": {"wallet": new_id("wal"), "bank_account": new_id("ba"), "amount": 1, "currency": "EUR"},
        "withdrawals": {
            "wallet": new_id("wal"),
            "bank_account": new_id("ba"),
            "amount": 1,
            "currency": "EUR",
        },
    }

    refused = api.post(resource, {**usual[resource], **change}, key="k")

    assert refused.status_code == 400
    assert (pointer, code) in {(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]}
    assert not Wallet.objects.exists()
    assert not BankAccount.objects.exists()


def test_a_balance_is_told_of_any_instant(api, customer):
    wallet = make_wallet(customer, balance=1_000)
    path = f"wallets/{wallet.public_id}/balances"
    between = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    place_hold(
        account_id=wallet.account_id,
        amount=Money(300, "EUR"),
        source="test",
        source_key="one",
        expires_at=None,
        now=NOW,
    )

    now, then, before = (
        api.get(path),
        api.get(f"{path}?at={between}"),
        api.get(f"{path}?at=2020-01-01T00:00:00Z"),
    )

    names = ("posted", "held", "available", "pending", "owed", "entries")
    assert [now.json()[name] for name in names] == [1_000, 300, 700, 0, 0, 1]
    assert [then.json()[name] for name in names] == [1_000, 0, 1_000, 0, 0, 1]
    assert [before.json()[name] for name in names] == [0, 0, 0, 0, 0, 0]
    assert (now.json()["at"], set(now.json()) == set(then.json())) == (None, True)
    for query in ("at=yesterday", "at=2026-11-02T09:30:00", "when=now", "at="):
        refused = api.get(f"{path}?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"][:7]) == (400, "/query/")


def test_foreign_and_missing_objects_look_alike_everywhere(api, customer, other_partner):
    stranger = make_customer(other_partner, "Eli Moen")
    wallet, account = make_wallet(stranger), make_bank_account(stranger)
    mine = make_wallet(customer)

    paths = (
        f"wallets/{wallet.public_id}",
        f"wallets/{wallet.public_id}/balances",
        f"bank_accounts/{account.public_id}",
    )
    assert {api.get(path).status_code for path in paths} == {404}
    assert api.get(f"wallets/{wallet.public_id}/transactions").status_code == 404
    assert api.get(f"wallets/{wallet.public_id}/holds").status_code == 404
    assert api.post(f"wallets/{wallet.public_id}/freeze", {"reason": "lost_access"}).status_code == 404
    assert (
        api.post("wallets", {"customer": stranger.public_id, "currency": "EUR"}, key="1").status_code == 404
    )
    body = {"wallet": mine.public_id, "bank_account": account.public_id, "amount": 1, "currency": "EUR"}
    refused = api.post("deposits", body, key="2")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/bank_account")
    assert [row["id"] for row in api.get("wallets").json()["data"]] == [mine.public_id]


def test_lists_are_filtered(api, customer, partner):
    euros, dollars = make_wallet(customer), make_wallet(customer, currency="USD")
    other = make_wallet(make_customer(partner, "Ola Nilsen"))

    def ids(query):
        return {row["id"] for row in api.get(f"wallets?{query}").json()["data"]}

    assert ids(f"customer={customer.public_id}") == {euros.public_id, dollars.public_id}
    assert ids("currency=EUR") == {euros.public_id, other.public_id}
    assert ids("status=frozen") == set()
    assert api.get("wallets?status=gone").status_code == 400


def test_a_partner_reads_what_is_left_of_a_customers_limits(api, customer):
    wallet = make_wallet(customer)
    make_bank_account(customer)
    body = {
        "wallet": wallet.public_id,
        "bank_account": BankAccount.objects.get().public_id,
        "currency": "EUR",
    }
    api.post("deposits", {**body, "amount": 30_000}, key="d")

    answer = api.get(f"customers/{customer.public_id}/limits").json()
    refused = api.post("deposits", {**body, "amount": 120_001}, key="e")

    day = next(limit for limit in answer["limits"] if (limit["kind"], limit["interval"]) == ("in", "day"))
    assert answer["tier"] == "basic"
    assert (day["limit"] - day["used"], day["used"] >= 0) == (day["left"], True)
    assert {limit["currency"] for limit in answer["limits"]} == {"EUR"}
    assert (refused.status_code, refused.json()["code"]) == (422, "limit_exceeded")
    assert api.get("customers/cus_01K8Z5M3W4J7T2R9QX6V0BND1C/limits").status_code == 404


def test_a_partner_watches_balances_of_its_own_wallets(api, partner, other_partner):
    own, foreign = make_wallet(make_customer(partner)), make_wallet(make_customer(other_partner, "Ola Ek"))

    made = api.post(f"wallets/{own.public_id}/monitors", {"side": "below", "threshold": 5_000}, key="m-1")
    other = api.post(f"wallets/{foreign.public_id}/monitors", {"side": "below", "threshold": 1}, key="m-2")
    wrong = api.post(f"wallets/{own.public_id}/monitors", {"side": "sideways", "threshold": 1}, key="m-3")

    assert (made.status_code, other.status_code, wrong.status_code) == (201, 404, 400)
    listed = api.get(f"wallets/{own.public_id}/monitors").json()["data"]
    assert [(row["side"], row["threshold"], row["currency"]) for row in listed] == [("below", 5_000, "EUR")]
    assert api.post(f"monitors/{listed[0]['id']}/end", {}).json()["ended_at"]
    assert api.post(f"monitors/{new_id('mon')}/end", {}).status_code == 404


def test_a_partner_cancels_what_waits_for_the_next_run(api, partner):
    wallet = make_wallet(make_customer(partner), balance=10_000)
    body = {
        "wallet": wallet.public_id,
        "bank_account": make_bank_account(wallet.customer).public_id,
        "amount": 2_000,
        "currency": "EUR",
        "execution": "next_run",
    }
    cash = {
        "wallet": wallet.public_id,
        "method": "cash",
        "location": "Kiosk 4",
        "amount": 1,
        "currency": "EUR",
    }

    waiting = api.post("withdrawals", body, key="w-1").json()
    cancelled = api.post(f"withdrawals/{waiting['id']}/cancel", {})
    again = api.post(f"withdrawals/{waiting['id']}/cancel", {})
    coming = api.post("deposits", body, key="d-1").json()
    never = api.post("deposits", {**cash, "execution": "next_run"}, key="d-2")

    assert (waiting["status"], cancelled.json()["status"]) == ("pending", "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "movement_not_pending")
    assert api.post(f"deposits/{coming['id']}/cancel", {}).json()["status"] == "cancelled"
    assert (never.status_code, never.json()["errors"][0]["pointer"]) == (400, "/execution")
