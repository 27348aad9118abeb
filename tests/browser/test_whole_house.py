"""The whole story with people in a browser: officer, lead, operations and finance, each in a window of their own."""

from collections.abc import Callable

import pytest

from flowlet.core import clock
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Partner, User
from tests.browser.conftest import Visit
from tests.journeys.story import load_watchlist, play

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Window:
    """A desk in a browser window."""

    def __init__(self, window: Visit) -> None:
        self.window = window

    def look(self, href: str) -> str:
        return self.window.go(href).content()

    def press(self, act: str, object_id: str, *, reason: str = "", note: str = "") -> None:
        page = self.window.go(f"/admin/do/{act}/{object_id}/")
        form = page.locator("form[data-ask-form]")
        if reason:
            form.locator(f'input[name="reason"][value="{reason}"]').check()
        if note:
            form.locator('textarea[name="note"]').fill(note)
        form.locator('button[type="submit"]').click()
        page.wait_for_url(lambda url: "/admin/do/" not in url)

    def sees_picture(self, href: str) -> bool:
        page = self.window.go(href)
        picture = page.locator("img.sheet-picture").first
        return bool(picture.evaluate("image => image.complete && image.naturalWidth > 0"))

    def statement(self, wallet: str) -> str:
        page = self.window.go(f"/admin/statements/?wallet={wallet}")
        page.locator('select[name="month"]').select_option(f"{clock.now():%Y-%m}")
        page.locator('input[name="format"][value="csv"]').check()
        with page.expect_download() as taken:
            page.locator('main button[type="submit"]').click()
        return taken.value.path().read_text()


def test_people_in_a_browser_take_a_customer_through_every_room(
    visit: Callable[..., Visit],
    partner: Partner,
    officer: User,
    lead: User,
    ops: User,
    finance: User,
    vendors: object,
) -> None:
    load_watchlist()
    people = {"officer": officer, "lead": lead, "ops": ops, "finance": finance}

    play(Api(make_client(partner)), {name: Window(visit(user)) for name, user in people.items()})
