"""The page that decides an identity file, in a browser: picture in view, zoom and turn, keys, both schemes, narrow."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from compliance.admin_kyc import kyc_href, queue_href
from compliance.models.kyc import KycApplication
from compliance.operations.lists import load_list
from compliance.tests.conftest import sample
from compliance.tests.kyc_factories import hand_in
from flowlet.identity.models import Partner, User
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
Open = Callable[[User], Visit]


@pytest.fixture
def waiting(partner: Partner) -> KycApplication:
    load_list(code="ofac-sdn", files=sample(), now=NOW)
    return hand_in(partner, now=NOW, tier="PLUS", document_type="ID_CARD")


def test_the_picture_zooms_and_turns_and_a_key_approves(
    visit: Open, officer: User, waiting: KycApplication
) -> None:
    window = visit(officer)
    page = window.go(kyc_href(waiting))

    shown = page.locator(".sheet-picture")
    assert shown.evaluate("picture => picture.complete && picture.naturalWidth > 400")
    page.keyboard.press("z")
    page.keyboard.press("t")
    assert page.locator(".viewer.zoom-2.turn-1").count() == 1
    page.keyboard.press("1")
    page.keyboard.press("a")
    page.wait_for_url(f"**{queue_href()}")

    waiting.refresh_from_db()
    assert waiting.state == "APPROVED"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 720])
def test_the_page_is_accessible_in_both_schemes_and_narrow(
    visit: Open, officer: User, waiting: KycApplication, scheme: str, width: int
) -> None:
    window = visit(officer)
    window.look(dark=scheme == "dark", width=width)
    window.go(kyc_href(waiting))

    assert window.axe() == []
    assert not window.scrolls_sideways()
