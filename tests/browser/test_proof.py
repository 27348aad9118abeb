"""The proof of the ledger in the browser: clean, with faults, while a check runs; the balance as of a day."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from flowlet.core import clock
from flowlet.identity.models import User
from ledger.models.accounts import Account
from ledger.models.seals import LedgerCheck
from ledger.operations.anchoring import anchor
from ledger.operations.checking import check_now
from ledger.tests.factories import fund, move, wallet_account
from tests.browser.conftest import Visit

Open = Callable[..., Visit]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")


@pytest.fixture
def account(transactional_db: None, tmp_path: Path, settings: Any) -> Account:
    """A booked, sealed, anchored ledger that was checked twice: clean, and after somebody changed a row."""
    settings.FLOWLET_ANCHOR_DIR = str(tmp_path)
    payer, now = wallet_account(), clock.now()
    for minor in (120_000, 45_050, 9_995):
        fund(payer, minor)
        move(payer, wallet_account(), minor // 10)
        anchor(now=now)
    check_now(since=now - timedelta(days=1), now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_posting SET amount = amount - 1 WHERE leg = 1")
        cursor.execute("SET session_replication_role = DEFAULT")
    check_now(since=None, now=now)
    return payer


def test_every_page_is_accessible_in_both_schemes_and_narrow(
    visit: Open, account: Account, finance: User
) -> None:
    window = visit(finance)
    today = clock.now().date()
    pages = {
        "proof": "/admin/ledger/chain/",
        "as-of": f"/admin/ledger/accounts/{account.public_id}/?as_of={today}&known={today - timedelta(days=1)}",
        "as-of-fault": f"/admin/ledger/accounts/{account.public_id}/?as_of={today}&known={today}",
        "running": "/admin/ledger/chain/",
    }

    for name, path in pages.items():
        if name == "running":
            LedgerCheck.objects.create(scope="ALL", asked_by="STAFF:usr_1", asked_at=clock.now())
        window.go(path)
        for looked, how in (("light", {}), ("dark", {"dark": True}), ("narrow", {"width": 720})):
            window.look(**how)
            assert window.axe() == [], f"{name}, {looked}"
            assert not window.scrolls_sideways(), f"{name}, {looked}"
            if SHOTS:
                window.page.screenshot(path=str(Path(SHOTS) / f"{name}-{looked}.png"))
