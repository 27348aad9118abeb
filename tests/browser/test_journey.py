"""
One story through the whole house: a partner's program takes a customer on whose name is listed, an officer decides and
freezes him in the browser, the program sees what happened, finance takes the statement, and the books are proved.
"""

from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from compliance.models.screening import ScreeningHit
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Customer, Partner, Restriction, User
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct-horse-battery"
SAMPLE = Path(__file__).parents[2] / "compliance" / "data" / "ofac-sample"
EUR = "EUR"
DONE, REFUSED = 201, 422


@pytest.fixture
def program(partner: Partner) -> Api:
    files = {name: SAMPLE / f"{name}.csv" for name in ("sdn", "alt", "add")}
    call_command("load_watchlist", "ofac-sdn", **files, stdout=StringIO(), stderr=StringIO())
    return Api(make_client(partner))


def _take_on(program: Api, given: str, family: str) -> tuple[str, str, str]:
    """Create a customer with a EUR wallet and a bank account and return their ids."""
    customer = _made(
        program.post(
            "customers",
            {"kind": "person", "given_name": given, "family_name": family, "country": "DE"},
            key=f"customer-{family}",
        )
    )
    wallet = _made(program.post("wallets", {"customer": customer, "currency": EUR}, key=f"wallet-{family}"))
    account = _made(
        program.post(
            "bank_accounts",
            {"customer": customer, "iban": "DE89370400440532013000", "currency": EUR},
            key=f"bank-{family}",
        )
    )
    return customer, wallet, account


def _made(answer: object) -> str:
    assert answer.status_code == DONE, answer.content
    return answer.json()["id"]


def _pay(program: Api, payer: str, payee: str, key: str) -> object:
    body = {"payer_wallet": payer, "payee_wallet": payee, "amount": 1250, "currency": EUR}
    return program.post("payments", body, key=key)


def _log_in(window: Visit, user: User) -> Page:
    page = window.go("/admin/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    return page


def _axe_in_both_schemes(window: Visit) -> None:
    for dark in (False, True):
        window.look(dark=dark)
        assert window.axe() == []


def test_a_listed_name_is_stopped_cleared_by_an_officer_paid_frozen_and_proved(
    visit: Callable[..., Visit], program: Api, officer: User, finance: User, now: datetime
) -> None:
    listed, wallet, account = _take_on(program, "Xhevat", "Ademi")
    _, payee, _ = _take_on(program, "Mirela", "Sandvik")
    deposit = {"wallet": wallet, "bank_account": account, "amount": 10_000, "currency": EUR}
    assert program.post("deposits", deposit, key="deposit").status_code == DONE
    refused = _pay(program, wallet, payee, "too-early")
    assert (refused.status_code, refused.json()["code"]) == (REFUSED, "under_review")

    window = visit()
    page = _log_in(window, officer)
    _axe_in_both_schemes(window)
    page.get_by_role("link", name="Xhevat Ademi").first.click()
    _axe_in_both_schemes(window)
    page.get_by_label("Common name, nothing else agrees").check()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hits")
    assert ScreeningHit.objects.get().status == "FALSE_POSITIVE"
    assert not Restriction.objects.filter(lifted_at__isnull=True).exists()

    paid = _pay(program, wallet, payee, "now")
    assert paid.status_code == DONE
    again = _pay(program, wallet, payee, "now")
    assert (again.content, again["Idempotent-Replayed"]) == (paid.content, "true")
    assert program.get(f"wallets/{wallet}/balances").json()["posted"] == 8_750

    page = window.go(f"/admin/customers/{listed}/")
    page.get_by_role("link", name="Freeze…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Suspected fraud").check()
    _axe_in_both_schemes(window)
    dialog.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("is frozen.")).to_be_visible()
    assert _pay(program, wallet, payee, "frozen").status_code == REFUSED

    desk = visit()
    page = _log_in(desk, finance)
    page = desk.go(f"/admin/wallets/{wallet}/")
    _axe_in_both_schemes(desk)

    seen = [event["type"] for event in program.get(f"events?object={listed}").json()["data"]]
    assert seen.count("customer.restricted") == 2
    assert seen.count("customer.released") == 1
    assert Customer.objects.get(public_id=listed).restrictions.filter(lifted_at__isnull=True).count() == 1
    call_command("verify_ledger", stdout=StringIO(), stderr=StringIO())
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO())
