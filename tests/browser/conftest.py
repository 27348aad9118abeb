"""
Fixtures that drive the system's Chromium against a live server.

Collected only where Chromium is found on PATH and FLOWLET_BROWSER=1: a browser is slow, and not every machine has one.
A test takes `visit`, which opens a page for a person; when the test ends, every page must have had no console error, no
violation of the content security policy and no request to a foreign host.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.models import User
from tests.browser.chromium import CHROMIUM, FLAGS

if os.environ.get("FLOWLET_BROWSER") != "1" or not CHROMIUM:
    collect_ignore_glob = ["test_*.py"]

# Playwright keeps an event loop running in this thread, where Django would refuse every query.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@dataclass(slots=True)
class Visit:
    """One person's browser window, with everything that went wrong in it."""

    page: Page
    context: BrowserContext
    base: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the house and wait until it and its scripts are loaded."""
        self.page.goto(f"{self.base}{path}")
        self.page.wait_for_load_state("load")
        return self.page

    def look(self, *, dark: bool = False, width: int = 1440, height: int = 900) -> None:
        """Change the colour scheme and the size of the window."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.set_viewport_size({"width": width, "height": height})

    def axe(self, *rules: str) -> list[str]:
        """Return what axe finds on the page as it stands: by these rules, else by all, best practice included."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        asked = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        found = self.page.evaluate("asked => axe.run(document, asked)", asked)
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def scrolls_sideways(self) -> bool:
        """Tell whether the page is wider than its window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

    def unexpected(self) -> list[str]:
        """Return the faults but those that the test announced by a part of their text in `expected`."""
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start one browser for the whole run, with an empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(live_server: LiveServer, chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a window, logged in as a user, or as nobody."""
    opened: list[Visit] = []

    def open_window(user: User | None = None, *, javascript: bool = True) -> Visit:
        context = chromium.new_context(
            viewport={"width": 1440, "height": 900}, java_script_enabled=javascript, reduced_motion="reduce"
        )
        window = Visit(context.new_page(), context, live_server.url)
        _watch(window)
        if user is not None:
            context.add_cookies([_log_in(user, live_server.url)])
        opened.append(window)
        return window

    yield open_window
    faults = [fault for window in opened for fault in window.unexpected()]
    for window in opened:
        window.context.close()
    assert faults == []


def _watch(window: Visit) -> None:
    def note(kind: str, text: str) -> None:
        window.faults.append(f"{kind} on {window.page.url}: {text}")

    def request(sent: Any) -> None:
        if not sent.url.startswith(window.base):
            note("foreign request", sent.url)

    window.context.expose_binding("reportViolation", lambda _source, text: note("policy", text))
    window.context.add_init_script(WATCH)
    window.page.on(
        "console", lambda line: note(line.type, line.text) if line.type in ("error", "warning") else None
    )
    window.page.on("pageerror", lambda error: note("script", str(error)))
    window.page.on("request", request)


def _log_in(user: User, base: str) -> Any:
    cookie = log_in(user).cookies[settings.SESSION_COOKIE_NAME]
    return {"name": cookie.key, "value": cookie.value, "url": base}
