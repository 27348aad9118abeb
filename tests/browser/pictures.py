"""
Take the pictures of the guides anew: `python -m tests.browser.pictures http://127.0.0.1:8000` beside a running demo.

Each page is taken as the role that works on it sees it, light and dark, and stored with 160 colours in `docs/images`.
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from flowlet.demo.people import PASSWORD
from tests.browser.chromium import CHROMIUM, FLAGS

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLOURS = 160
# Name: role, list, and the link to follow from it ("" takes the list itself, "*" the first row).
PICTURES = {
    "today": ("lead", "/admin/", ""),
    "hits": ("officer", "/admin/hits/", ""),
    "hit": ("officer", "/admin/hits/", "*"),
    "customer": ("ops", "/admin/customers/?q=Sandvik", "Mirela Sandvik"),
    "identity": ("officer", "/admin/identities/", "*"),
    "case": ("officer", "/admin/cases/", "*"),
    "approvals": ("lead", "/admin/approvals/", ""),
    "report": ("officer", "/admin/activity-reports/", "*"),
    "card": ("ops", "/admin/cards/?q=Sandvik", "*"),
    "payment": ("ops", "/admin/payments/?view=held", "*"),
    "decision": ("analyst", "/admin/fraud-decisions/?action=REVIEW", "*"),
    "model": ("analyst", "/admin/fraud-models/?status=CHAMPION", "*"),
    "dashboard": ("finance", "/admin/dashboards/overview/", ""),
    "jobs": ("auditor", "/admin/jobs/", ""),
}


def take(base: str, names: list[str]) -> None:
    """Take these pictures, or all, and the log-in page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name in names or ["login", *PICTURES]:
            page = browser.new_context(
                viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
            ).new_page()
            role, path, link = PICTURES.get(name, ("", "/admin/login/", ""))
            if role:
                _log_in(page, base, role)
            page.goto(f"{base}{path}")
            if link:
                rows = page.locator("main table a.cell-main")
                (rows.first if link == "*" else rows.filter(has_text=link).first).click()
                page.wait_for_load_state("load")
            _store(page, name)
            page.context.close()
        browser.close()


def _log_in(page: Page, base: str, role: str) -> None:
    page.goto(f"{base}/admin/login/")
    page.get_by_label("E-mail").fill(f"{role}@flowlet.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


def _store(page: Page, name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(IMAGES / f"{name}-{scheme}.png", optimize=True)


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/"), sys.argv[2:])
