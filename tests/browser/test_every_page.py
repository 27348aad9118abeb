"""
Every page of the back office on demo data, as a person with every right sees it.

Each is loaded once; the scheme and the width change around it. What the page holds does not depend on the scheme, so the
second run of axe asks for colours only.
"""

import re
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import resolve

from flowlet.identity.models import User
from tests.browser.conftest import Visit
from tests.browser.pages import pages, routes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLOURS = ("color-contrast", "link-in-text-block")
CODE = re.compile(r"(?<![\w/:.-])[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
# The demo trains no model, and its vendors call nobody's webhook.
NOT_IN_THE_DEMO = {
    "fraud_modelartefact_change",
    "fraud_trainingrun_change",
    "integrations_vendorevent_change",
}


def _faults(window: Visit, href: str) -> Iterator[str]:
    window.look()
    page = window.go(href)
    answer = page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
    if answer != 200:
        yield f"answers {answer}"
    yield from window.axe()
    if window.scrolls_sideways():
        yield "scrolls sideways at 1440"
    if found := CODE.findall(page.locator("main").inner_text()):
        yield f"shows codes: {found}"
    window.look(dark=True)
    yield from (f"dark: {fault}" for fault in window.axe(*COLOURS))
    window.look(width=720)
    if window.scrolls_sideways():
        yield "scrolls sideways at 720"


def test_every_page_is_whole_accessible_in_both_schemes_and_fits_its_window(
    visit: Callable[..., Visit], db: None
) -> None:
    call_command("load_demo", scale=0.06, processes=1, stdout=StringIO())
    window = visit(User.objects.create_superuser("root@house.example", "correct-horse-battery"))
    todo = pages()
    seen = {resolve(href.partition("?")[0]).url_name for href in todo}
    assert set(routes()) - seen <= NOT_IN_THE_DEMO

    faults = {href: found for href in todo if (found := list(_faults(window, href)))}

    assert faults == {}
    assert window.unexpected() == []
