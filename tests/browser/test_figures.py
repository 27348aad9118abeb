"""Dashboards and reports in the browser: readable by everyone, in both schemes, on narrow windows."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.tests.factories import catch_up, pay
from cards.tests.factories import make_card, told
from cards.tests.factories import pay as pay_by_card
from flowlet.core import clock
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")
REPORT = (
    "reports/?fact=payment_day&measure=count&measure=settled&dimension=status&grain=month&period=last_90_days"
)


@pytest.fixture
def month(partner, monkeypatch):
    """Thirty days of payments that end now."""
    start = clock.now().replace(hour=0, minute=5) - timedelta(days=28)
    payer = make_wallet(make_customer(partner, "Anna Berg"), balance=90_000)
    payee = make_wallet(make_customer(partner, "Jonas Falk"))
    assert start > NOW - timedelta(days=400)
    for day in range(29):
        for number in range(2 + day * 5 % 7):
            pay(payer, payee, 100 + 10 * number, at=start + timedelta(days=day, minutes=number))
        if day % 4 == 0:
            pay(payee, payer, 9_999_999, at=start + timedelta(days=day))
    card = make_card(payer.customer)
    for day in range(0, 29, 2):
        at = start + timedelta(days=day)
        told(card, "CLEAR", 1_500, of=pay_by_card(card, 1_500, now=at, network_time=at), now=at)
    catch_up(clock.now())


def test_every_page_of_figures_is_accessible_in_both_schemes_and_fits_a_phone(month, finance, visit):
    window = visit(finance)

    for path in ("overview", "payments", "cards", "finance", "customers", REPORT):
        address = f"/admin/{path if '?' in path else f'dashboards/{path}/'}"
        for dark in (False, True):
            window.look(dark=dark)
            page = window.go(address)
            _keep(page, f"{path.split('/')[0]}-{'dark' if dark else 'light'}")
            assert window.axe() == []
        window.look(width=390, height=800)
        page = window.go(address)
        _keep(page, f"{path.split('/')[0]}-narrow")
        assert not window.scrolls_sideways()


def test_the_numbers_behind_a_chart_open_without_javascript(month, finance, visit):
    window = visit(finance, javascript=False)
    page = window.go("/admin/dashboards/payments/")

    page.get_by_text("Show numbers").first.click()

    assert page.get_by_role("table").first.is_visible()


def _keep(page, name):
    """Keep a picture where somebody wants to look at it."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
