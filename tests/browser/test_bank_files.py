"""Bank accounts, files, statements and mappings in the browser; every page by axe, light, dark and narrow."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flowlet.identity.models import User
from flowlet.identity.operations import create_user
from ledger.models.reconciliation import BankFile, BankLine, BankStatement
from ledger.operations.reconciliation import import_file
from ledger.reconciliation.write import camt053, csv_file
from ledger.tests.banking import bring_in, house_bank, line, statement
from ledger.tests.factories import NOW, bank
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")  # a folder to keep pictures in, to be looked at


@pytest.fixture
def lead(transactional_db: None) -> User:
    return create_user(
        email="lena@house.example",
        full_name="Lena Brandt",
        password="correct-horse-battery",
        roles=["finance_lead"],
    )


@pytest.fixture
def pages(transactional_db: None) -> dict[str, str]:
    """Every page of this part, by a short name."""
    account = house_bank()
    bank("GBP")
    bring_in(*[statement(line(10_000, 1), line(-2_550, 2), opening=500)], name="monday.xml")
    gap = bring_in(statement(line(100, 4), opening=9_000, number=4), name="thursday.xml")
    unread = import_file(data=csv_file(statement(line(1_000, 7))), name="export.csv", now=NOW)
    found, first = BankStatement.objects.get(), BankLine.objects.order_by("pk").first()
    return {
        "accounts": "/admin/ledger/bank-accounts/",
        "account": f"/admin/ledger/bank-accounts/{account.public_id}/",
        "new-account": "/admin/ledger/bank-accounts/new/",
        "files": "/admin/ledger/bank-files/",
        "import": "/admin/ledger/bank-files/import/",
        "quarantined": f"/admin/ledger/bank-files/{gap.public_id}/",
        "unread": f"/admin/ledger/bank-files/{unread.public_id}/",
        "mapping": f"/admin/ledger/csv-mappings/new/?file={unread.public_id}",
        "mappings": "/admin/ledger/csv-mappings/",
        "statements": "/admin/ledger/bank-statements/",
        "statement": f"/admin/ledger/bank-statements/{found.public_id}/",
        "lines": "/admin/ledger/bank-lines/",
        "line": f"/admin/ledger/bank-lines/{first.public_id if first else ''}/",
    }


def test_every_page_is_accessible_light_dark_and_narrow(
    visit: Open, lead: User, pages: dict[str, str]
) -> None:
    window = visit(lead)
    faults = []

    for name, path in pages.items():
        for dark, width in ((False, 1440), (True, 1440), (False, 720)):
            window.look(dark=dark, width=width)
            page = window.go(path)
            if SHOTS:
                look = f"{'dark' if dark else 'light'}-{width}"
                page.screenshot(path=str(Path(SHOTS) / f"{name}-{look}.png"), full_page=True)
            faults += [f"{path} {width}: {fault}" for fault in window.axe()]
            faults += [f"{path} {width}: scrolls sideways"] if window.scrolls_sideways() else []

    assert faults == []


def test_a_file_is_dropped_on_the_form_and_shown(visit: Open, lead: User, tmp_path: Path) -> None:
    house_bank()
    file = tmp_path / "tuesday.xml"
    file.write_bytes(camt053([statement(line(10_000, 1))]))
    window = visit(lead, javascript=False)

    page = window.go("/admin/ledger/bank-files/import/")
    page.set_input_files("input[type=file]", str(file))
    page.click("text=Bring in >> nth=-1")
    page.wait_for_load_state("load")

    assert "tuesday.xml was accepted: 1 line." in page.inner_text("main")
    assert BankFile.objects.get().state == "ACCEPTED"
