"""The reference page in a real browser, under the real policy."""

from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from flowlet.gateway.tests.factories import bearer, make_client
from flowlet.identity.models import Partner

CHROMIUM = "/usr/bin/chromium"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_reference_shows_every_call_tries_one_and_breaks_no_rule(
    live_server: Any, partner: Partner, scheme: Any
) -> None:
    token = bearer(make_client(partner))["Authorization"].removeprefix("Bearer ")
    seen: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme)
        page.on("console", lambda m: seen.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: seen.append(str(error)))

        page.goto(f"{live_server.url}/api/v1/docs/")
        page.get_by_text("Create a customer").click()
        page.get_by_text("Show who calls").click()
        page.get_by_role("button", name="Authorize").first.click()
        bearer_form = page.locator(".dialog-ux .auth-container").last
        bearer_form.locator("input").fill(token)
        bearer_form.locator(".authorize").click()
        bearer_form.locator(".btn-done").click()
        call = page.locator("#operations-me-get_me")
        call.get_by_role("button", name="Try it out").click()
        call.get_by_role("button", name="Execute").click()
        call.locator(".live-responses-table .response-col_status").first.wait_for()
        status = call.locator(".live-responses-table tbody .response-col_status").first.inner_text()
        dark = page.locator("html").get_attribute("class") or ""
        browser.close()

    assert seen == []
    assert status.startswith("200")
    assert ("dark-mode" in dark) == (scheme == "dark")
