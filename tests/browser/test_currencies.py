"""Rates, deals, positions and quotes in the browser; every page by axe, light, dark and narrow."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.identity.models import Customer, User
from ledger.operations.deals import realise_results
from ledger.tests.factories import make_rate
from tests.browser.conftest import Visit
from wallets.operations.exchange import exchange, quote_exchange
from wallets.tests.factories import make_wallet

Open = Callable[..., Visit]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")


@pytest.fixture
def quotes(transactional_db: None, customer: Customer) -> list[str]:
    """Four currencies, exchanges there and a part back, and one quote that nobody used."""
    now = clock.now() - timedelta(minutes=20)
    euros, made = make_wallet(customer, balance=90_000), []
    for code, rate in (("USD", "1.0850"), ("JPY", "162.40"), ("KWD", "0.3334"), ("CLF", "0.0268")):
        make_rate("EUR", code, rate, at=now)
        make_rate("EUR", code, rate, kind="CLOSING", at=now)
        other = make_wallet(customer, code)
        there = quote_exchange(
            sell_wallet_id=euros.pk, buy_wallet_id=other.pk, amount=Money(20_000, "EUR"), now=now
        )
        exchange(quote_id=there.pk, idempotency_key=None, now=now)
        back = quote_exchange(
            sell_wallet_id=other.pk, buy_wallet_id=euros.pk, amount=Money(3_000, "EUR"), now=now
        )
        exchange(quote_id=back.pk, idempotency_key=None, now=now)
        made += [there.public_id, back.public_id]
    later = now + timedelta(minutes=19)
    make_rate("EUR", "USD", "1.0610", at=later)
    realise_results(now=now)
    unused = quote_exchange(
        sell_wallet_id=euros.pk, buy_wallet_id=other.pk, amount=Money(500, "EUR"), now=clock.now()
    )
    return [*made, unused.public_id]


def test_every_page_is_accessible_in_both_schemes_and_narrow(
    visit: Open, quotes: list[str], finance: User
) -> None:
    window = visit(finance)

    for name, path in {
        "rates": "/admin/ledger/rates/",
        "rate": "/admin/ledger/rates/new/",
        "deals": "/admin/ledger/deals/",
        "positions": "/admin/ledger/positions/",
        "quotes": "/admin/quotes/",
        "quote": f"/admin/quotes/{quotes[0]}/",
        "quote-open": f"/admin/quotes/{quotes[-1]}/",
    }.items():
        window.go(path)
        for looked, how in (("light", {}), ("dark", {"dark": True}), ("narrow", {"width": 720})):
            window.look(**how)
            assert window.axe() == [], f"{name}, {looked}"
            assert not window.scrolls_sideways(), f"{name}, {looked}"
            if SHOTS:
                window.page.screenshot(path=str(Path(SHOTS) / f"{name}-{looked}.png"))


def test_finance_records_a_rate_and_finds_it_in_the_list(
    visit: Open, quotes: list[str], finance: User
) -> None:
    page = visit(finance).go("/admin/ledger/rates/")
    page.get_by_role("link", name="Record a rate").click()

    page.get_by_label("To currency").fill("SEK")
    page.get_by_label("Rate", exact=True).fill("11.305")
    page.get_by_role("button", name="Record rate").click()

    page.get_by_text("Recorded: 1 EUR = 11.305 SEK.").wait_for()
    assert page.get_by_text("1 EUR = 11.305 SEK", exact=True).count() == 1
