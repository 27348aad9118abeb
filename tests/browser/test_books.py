"""The books in the browser: every page by axe, light, dark and narrow; the sums of a journal while it is typed."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.identity.models import User
from ledger.models.accounts import Account
from ledger.operations.accounts import house_account
from ledger.operations.journals import WrittenLine, ask_to_post, save_journal
from ledger.operations.periods import begin_close
from ledger.operations.posting import post
from ledger.operations.sealing import seal
from ledger.tests.booking import closed_month, month
from ledger.tests.factories import NOW, draft
from tests.browser.conftest import Visit

Open = Callable[..., Visit]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")  # a folder to keep pictures in, to be looked at


def _house(code: str, currency: str = "EUR") -> Account:
    return house_account(chart_code=code, currency=currency, now=NOW)


@pytest.fixture
def pages(transactional_db: None, finance: User) -> dict[str, str]:
    """Return the pages of the books: a closed month, one being closed, a journal that waits."""
    for minor, code, currency, day in (
        (1_250_000, "CUSTOMER_WALLETS", "EUR", date(2026, 9, 3)),
        (48_125, "FEE_INCOME", "EUR", date(2026, 10, 9)),
        (9_876_543, "CUSTOMER_WALLETS", "KWD", date(2026, 10, 12)),
    ):
        legs = ((_house("CLIENT_MONEY_BANK", currency), minor), (_house(code, currency), -minor))
        posted = post(draft=draft(*legs, effective_date=day, kind="DEPOSIT", text="Opening"), now=NOW)
    seal()
    closed = closed_month(2026, 9)
    october = month(2026, 10)
    begin_close(period_id=october.pk, now=NOW)
    lines = [
        WrittenLine(_house(code).pk, Money(minor, "EUR"), "Bank")
        for code, minor in (("BANK_CHARGES", 1_250), ("OPERATING_BANK", -1_250))
    ]
    journal = save_journal(
        journal_id=None,
        maker_id=finance.pk,
        title="Charge of our own bank",
        text="As the statement shows",
        effective_date=date(2026, 11, 2),
        lines=lines,
        now=NOW,
    )
    ask_to_post(
        journal_id=journal.public_id, maker_id=finance.pk, reason_code="BANK", note="", now=clock.now()
    )
    return {
        "chart": "/admin/ledger/chart/",
        "trial": "/admin/ledger/trial-balance/?as_of=2026-10-31",
        "periods": "/admin/ledger/periods/",
        "period-closed": f"/admin/ledger/periods/{closed.public_id}/",
        "period-closing": f"/admin/ledger/periods/{october.public_id}/",
        "journals": "/admin/ledger/journals/",
        "journal": f"/admin/ledger/journals/{journal.public_id}/",
        "journal-form": "/admin/ledger/journals/new/?template=bank_charge",
        "books": "/admin/ledger/books/",
        "transaction": f"/admin/ledger/transactions/{posted.public_id}/",
    }


def _look_at(window: Visit, name: str) -> None:
    window.look()
    assert window.axe() == [], name
    _keep(window, name, "light")
    window.look(dark=True)
    assert window.axe() == [], f"{name}, dark"
    _keep(window, name, "dark")
    window.look(width=720)
    assert window.axe() == [], f"{name}, narrow"
    assert not window.scrolls_sideways(), name
    _keep(window, name, "narrow")


def _keep(window: Visit, name: str, how: str) -> None:
    if SHOTS:
        window.page.screenshot(path=str(Path(SHOTS) / f"{name}-{how}.png"), full_page=True)


@pytest.mark.browser
def test_every_page_of_the_books_can_be_read_by_everybody(
    visit: Open, finance: User, pages: dict[str, str]
) -> None:
    window = visit(finance)

    for name, address in pages.items():
        window.go(address)
        _look_at(window, name)


@pytest.mark.browser
@pytest.mark.parametrize("javascript", [True, False])
def test_a_journal_shows_its_sums_while_it_is_typed_and_without_a_script(
    visit: Open, finance: User, pages: dict[str, str], *, javascript: bool
) -> None:
    window = visit(finance, javascript=javascript)
    page = window.go(pages["journal-form"])

    page.get_by_label("Debit, line 1", exact=True).fill("1,234.50")
    page.get_by_label("Credit, line 2", exact=True).fill("1234.05")
    if not javascript:
        page.get_by_role("button", name="Check the sums").click()
    assert "Off by 0.45" in " ".join(page.get_by_label("Sums").inner_text().split())
    page.get_by_label("Credit, line 2", exact=True).fill("1234.50")
    page.get_by_role("button", name="Keep as draft").click()

    page.wait_for_load_state("load")
    assert "The draft is kept" in page.inner_text("main")
    assert "Debits equal credits" in page.inner_text("main")
