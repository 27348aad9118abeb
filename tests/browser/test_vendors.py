"""Linked banks, messages, chats and drafts in the browser; every page by axe, light, dark and narrow."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flowlet.assistant.operations import ask, open_chat
from flowlet.backoffice.pages.drafts import draft_href
from flowlet.core import clock
from flowlet.identity.models import Partner, User
from flowlet.identity.operations import create_customer, create_user
from flowlet.integrations import links
from flowlet.integrations.plaid.client import create_sandbox_public_token
from flowlet.integrations.simulation.server import Simulation
from flowlet.notifications.operations import queue_sms
from tests.browser.conftest import Visit
from tests.browser.test_cases import case as case  # noqa: PLC0414 - the fixture
from wallets.tests.factories import make_wallet

Open = Callable[..., Visit]
SHOTS = os.environ.get("FLOWLET_SHOTS", "")  # a folder to keep pictures in, to be looked at


@pytest.fixture
def support(transactional_db: None) -> User:
    return create_user(
        email="dilan@house.example",
        full_name="Dilan Yavuz",
        password="correct-horse-battery",
        roles=["support"],
    )


@pytest.fixture
def pages(transactional_db: None, partner: Partner, vendors: Simulation) -> tuple[str, ...]:
    """Return the pages of a customer with a linked bank, a message and a chat."""
    now = clock.now() - timedelta(hours=5)
    customer = create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name="Mirela",
        family_name="Sandvik",
        country="US",
        phone="+4915112345678",
        now=now,
    )
    make_wallet(customer, balance=90_000)
    token = create_sandbox_public_token(institution="ins_109508", owner="Mirela Sandvik").value
    link = links.finish_link(customer_id=customer.pk, public_token=token or "", now=now)
    values = {"partner": partner.name, "amount": "12.50 EUR", "reference": "pay_1"}
    message = queue_sms(customer_id=customer.pk, cause="c", template="payment_sent", values=values, now=now)
    chat = open_chat(customer_id=customer.pk, now=now)
    for text in ("What is my balance?", "Mirela here: why was my payment refused?", "Xyzzy?"):
        ask(chat_id=chat.pk, text=text, idempotency_key=None, now=now)
    return (
        "/admin/bank-links/",
        f"/admin/bank-links/{link.public_id}/",
        "/admin/messages/",
        f"/admin/messages/{message.public_id}/",
        "/admin/chats/",
        f"/admin/chats/{chat.public_id}/",
    )


def _look_at(window: Visit, name: str) -> None:
    window.look()
    assert window.axe() == [], name
    _keep(window, name)
    window.look(dark=True)
    assert window.axe() == [], f"{name}, dark"
    _keep(window, f"{name}-dark")
    window.look(width=390, height=844)
    assert not window.scrolls_sideways(), name
    _keep(window, f"{name}-narrow")


def _keep(window: Visit, name: str) -> None:
    if SHOTS:
        window.page.screenshot(path=str(Path(SHOTS) / f"{name.strip('/').replace('/', '_')}.png"))


def test_every_page_is_accessible_in_both_schemes_and_narrow(
    visit: Open, pages: tuple[str, ...], support: User
) -> None:
    window = visit(support)

    for number, path in enumerate(pages):
        window.look()
        window.go(path)
        _look_at(window, f"vendors{number}")


def test_an_officer_reads_a_draft_edits_it_and_keeps_it(
    visit: Open, case: object, officer: User, vendors: Simulation
) -> None:
    window = visit(officer)
    href = draft_href("case_summary", case.public_id)  # type: ignore[attr-defined]
    window.go(f"/admin/cases/{case.public_id}/")  # type: ignore[attr-defined]
    window.page.get_by_role("link", name="Draft summary").click()
    window.page.wait_for_url(f"**{href}")
    _look_at(window, "draft-before")
    window.look()

    window.page.get_by_role("button", name="Write a draft").click()
    window.page.get_by_text("Written by a model").wait_for()
    _look_at(window, "draft-after")
    window.look()
    window.page.get_by_label("Your note").fill("Four cash deposits just under the limit.")
    window.page.get_by_role("button", name="Keep as my note").click()

    window.page.get_by_text("Saved as your note.").wait_for()
    assert window.page.get_by_text("Four cash deposits just under the limit.").count() == 1
