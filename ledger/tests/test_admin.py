"""The ledger's pages: what finance sees, what it costs, and who may not look."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from flowlet.identity.models import Customer, User
from ledger.choices import HoldDirection
from ledger.operations.owing import post_forced
from ledger.operations.posting import post
from ledger.operations.posting import reverse as undo
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, move, wallet_account
from ledger.tests.holding import hold

pytestmark = pytest.mark.django_db

Pages = Callable[..., str]


@pytest.fixture
def read(finance: User, desk: Callable[[User], Client], django_assert_max_num_queries: Callable) -> Pages:
    client = desk(finance)

    def get(name: str, *args: str, query: str = "") -> str:
        with django_assert_max_num_queries(12):
            answer = client.get(reverse(f"admin:{name}", args=args) + query)
        assert answer.status_code == 200
        return str(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")

    return get


def test_accounts_show_balances_with_the_digits_of_their_currency(read: Pages, customer: Customer) -> None:
    dinars = wallet_account("KWD", customer_id=customer.pk, partner_id=customer.partner_id)
    fund(dinars, 1_234_567)
    for _ in range(30):
        wallet_account("JPY")

    assert "1,234.567 <small>KWD" in read("ledger_account_changelist", query="?currency=KWD")
    assert dinars.public_id in read("ledger_account_changelist", query=f"?q={dinars.public_id}")
    assert dinars.public_id not in read("ledger_account_changelist")
    shown = read("ledger_account_change", dinars.public_id)
    assert customer.name in shown
    assert "Credits" in shown
    assert "1,234.567 <small>KWD" in shown


def test_an_account_shows_what_is_held_announced_and_owed(read: Pages, customer: Customer) -> None:
    account = wallet_account("KWD", customer_id=customer.pk)
    assert "Open holds" not in read("ledger_account_change", account.public_id)
    fund(account, 5_000)
    for number in range(27):
        hold(account, 100 + number, key=f"hold_{number}", seconds=60)
    hold(account, 700, key="on_its_way", direction=HoldDirection.IN)
    post_forced(draft=draft((account, 3_000), (bank("KWD"), -3_000)), now=NOW)

    shown = read("ledger_account_change", account.public_id)

    assert ">Open holds<" in shown
    assert "The newest 25" in shown
    assert "on_its_way" in shown
    assert "Test (announced)" in shown
    assert ">hold_26<" in shown
    assert ">hold_0<" not in shown
    for label, amount in (
        ("Held", "3.051"),
        ("Announced", "0.700"),
        ("Owed", "1.051"),
        ("Available", "0.000"),
    ):
        assert f"<dt>{label}</dt>" in shown
        assert f"{amount} <small>KWD" in shown


def test_a_transaction_shows_its_legs_and_that_they_sum_to_zero(read: Pages) -> None:
    euros, dollars = wallet_account("EUR"), wallet_account("USD")
    fund(euros, 10_000)
    posted = post(
        draft=draft(
            (euros, 10_000),
            (bank("EUR"), -10_000),
            (bank("USD"), 10_890),
            (dollars, -10_890),
            context={"quote": "quo_7"},
            text="Holiday",
        ),
        now=NOW,
    )

    shown = read("ledger_ledgertransaction_change", posted.public_id)

    assert "Sum zero" in shown
    assert shown.count("Sum, ") == 2
    assert shown.count("108.90 <small>USD") >= 4
    assert "quo_7" in shown
    assert "kept encrypted" in shown
    assert "Holiday" not in shown


def test_transactions_are_found_by_id_and_by_cause(read: Pages) -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300, key="pay_1")
    reversal = undo(
        transaction_public_id=original.public_id, source="test", source_key="u", effective_date=TODAY, now=NOW
    )

    for query in (f"?q={original.public_id}", "?q=pay_1"):
        shown = read("ledger_ledgertransaction_changelist", query=query)
        assert original.public_id in shown
        assert reversal.public_id not in shown
    assert reversal.public_id in read("ledger_ledgertransaction_changelist", query="?view=reversals")
    assert reversal.public_id in read("ledger_ledgertransaction_change", original.public_id)
    assert original.public_id in read("ledger_ledgertransaction_change", reversal.public_id)


def test_postings_of_one_account_stand_on_their_sides(read: Pages) -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    move(payer, payee, 250)

    shown = read("ledger_posting_changelist", query=f"?account={payee.public_id}")

    assert shown.count('class="link-row"') == 0
    assert shown.count("2.50 <small>EUR") == 1
    assert payer.public_id not in shown


def test_the_trial_balance_shows_each_currency_even(read: Pages) -> None:
    assert "Nothing booked yet" in read("ledger_trial_balance")
    fund(wallet_account("EUR"), 1_050)
    fund(wallet_account("CLF"), 12_345)

    shown = read("ledger_trial_balance")

    assert "Even" in shown
    assert shown.count("<b>Sum, ") == 2
    assert shown.count("1.2345 <small>CLF") == 4
    assert "1000 Client money at banks" in shown


@pytest.mark.parametrize(
    "name",
    [
        "ledger_account_changelist",
        "ledger_ledgertransaction_changelist",
        "ledger_posting_changelist",
        "ledger_trial_balance",
    ],
)
def test_ops_staff_do_not_see_the_ledger(name: str, ops: User, desk: Callable[[User], Client]) -> None:
    assert desk(ops).get(reverse(f"admin:{name}")).status_code == 403


def test_nothing_can_be_added_changed_or_deleted_here(auditor: User, desk: Callable[[User], Client]) -> None:
    account, client = wallet_account(), desk(auditor)
    page = reverse("admin:ledger_account_change", args=[account.public_id])

    assert client.get(page).status_code == 200
    for address in (f"{page}delete/", f"{page}change/", reverse("admin:ledger_account_changelist") + "add/"):
        assert client.get(address).status_code == 404
