"""The frame in a real browser: log-in, lists, freezing a customer, search, keys, colours, narrow windows, axe."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.site import site
from flowlet.identity import operations
from flowlet.identity.models import Customer, Partner, Restriction, User
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser
PASSWORD = "correct-horse-battery"


@pytest.fixture
def superuser(transactional_db: None) -> User:
    return User.objects.create_superuser("root@house.example", PASSWORD, full_name="Robin Ek")


@pytest.fixture
def crowd(partner: Partner, now: datetime) -> list[Customer]:
    names = ("Harbour Light Trading", "Nordwind Logistik", "Casa Verde Alimentos")
    return [
        operations.create_customer(
            partner_id=partner.pk, kind="BUSINESS", legal_name=name, country="DE", now=now
        )
        for name in names
    ]


def open_customer(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_person_logs_in_freezes_a_customer_in_three_clicks_and_logs_out(
    visit: Callable[..., Visit], crowd: list[Customer], ops: User
) -> None:
    window = visit()
    page = window.go("/admin/customers/")
    page.get_by_label("E-mail").fill(ops.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{window.base}/admin/customers/")

    open_customer(page, "Nordwind Logistik")
    page.get_by_role("link", name="Freeze…").click()
    dialog = page.get_by_role("dialog", name="Freeze Nordwind Logistik?")
    expect(dialog).to_be_visible()
    page.keyboard.press("3")
    dialog.get_by_label("Note").fill("Two unknown devices")
    dialog.get_by_role("button", name="Freeze").click()

    expect(page.get_by_text("Nordwind Logistik is frozen.")).to_be_visible()
    expect(page.get_by_text("Frozen: fraud suspected")).to_be_visible()
    assert Restriction.objects.get().customer.name == "Nordwind Logistik"
    assert AuditRecord.objects.get(action="customer.restrict").actor == ops.public_id
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_missing_reason_stays_in_the_dialog_with_the_text_kept(
    visit: Callable[..., Visit], crowd: list[Customer], ops: User
) -> None:
    window = visit(ops)
    window.expected.append("status of 400")
    page = window.go(f"/admin/customers/{crowd[0].public_id}/")

    page.keyboard.press("f")
    page.get_by_role("dialog").get_by_label("Note").fill("Kept")
    page.get_by_role("dialog").get_by_role("button", name="Freeze").click()

    expect(page.get_by_text("Choose a reason.")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_label("Note")).to_have_value("Kept")
    assert window.axe() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_without_javascript_the_same_is_done_on_full_pages(
    visit: Callable[..., Visit], crowd: list[Customer], ops: User
) -> None:
    page = visit(ops, javascript=False).go(f"/admin/customers/{crowd[0].public_id}/")

    page.get_by_role("link", name="Freeze…").click()
    page.get_by_label("Court or authority order").check()
    page.get_by_role("button", name="Freeze").click()

    expect(page.get_by_text("Harbour Light Trading is frozen.")).to_be_visible()
    page.goto(f"{page.url.partition('/admin')[0]}/admin/search/?q=casa")
    expect(page.get_by_role("link", name="Casa Verde Alimentos")).to_be_visible()


def test_the_palette_opens_by_keyboard_marks_the_match_and_opens_the_chosen_row(
    visit: Callable[..., Visit], crowd: list[Customer], ops: User
) -> None:
    window = visit(ops)
    page = window.go("/admin/")

    page.keyboard.press("Control+k")
    page.keyboard.type("nordw")
    expect(page.get_by_role("option", name="Nordwind Logistik")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#found mark")).to_have_text("Nordw")
    assert window.axe() == []
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Nordwind Logistik")


def test_enter_on_a_search_that_found_nothing_opens_the_page_of_the_search(
    visit: Callable[..., Visit], ops: User
) -> None:
    page = visit(ops).go("/admin/")

    page.keyboard.press("Control+k")
    page.keyboard.type("nobody-of-this-name")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    assert page.url.endswith("/admin/search/?q=nobody-of-this-name")


def test_single_keys_walk_a_list_and_rest_while_typing_or_switched_off(
    visit: Callable[..., Visit], crowd: list[Customer], ops: User
) -> None:
    page = visit(ops).go("/admin/customers/")
    page.keyboard.press("/")
    page.keyboard.type("jjo?")
    expect(page.get_by_role("searchbox")).to_have_value("jjo?")
    page.get_by_role("searchbox").blur()

    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_be_visible()
    shortcuts.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(shortcuts).to_have_count(0)
    page.evaluate("localStorage.clear()")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nordwind Logistik")


def test_the_colours_change_at_once_and_stay_for_the_next_page(
    visit: Callable[..., Visit], ops: User
) -> None:
    page = visit(ops).go("/admin/")
    button = page.locator("[data-theme-form] button")

    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 18, 25)"


def addresses(crowd: list[Customer]) -> list[str]:
    act = AuditRecord.objects.order_by("-pk").first()
    assert act is not None
    person = f"/admin/customers/{crowd[0].public_id}/"
    return [
        "/admin/",
        *(reverse(known.list_name) for known in site.house_admins()),
        person,
        f"{person}?tab=Time+line",
        f"/admin/do/customer.freeze/{crowd[1].public_id}/",
        f"/admin/audit/{act.pk}/",
        "/admin/search/?q=nord",
        "/admin/keys/",
        "/admin/customers/?q=nothing-like-it&country=",
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024])
def test_axe_finds_nothing_on_any_page(
    visit: Callable[..., Visit],
    crowd: list[Customer],
    superuser: User,
    now: datetime,
    *,
    dark: bool,
    width: int,
) -> None:
    operations.freeze_customer(customer_id=crowd[0].pk, reason_code="COURT_ORDER", now=now)
    window = visit(superuser)
    window.look(dark=dark, width=width)

    found = {}
    for address in addresses(crowd):
        window.go(address)
        found[address] = (window.axe(), window.scrolls_sideways())

    assert found == dict.fromkeys(found, ([], False))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_at_the_door(visit: Callable[..., Visit], superuser: User, *, dark: bool) -> None:
    window = visit()
    window.look(dark=dark)
    window.expected.append("status of 404")

    window.go("/admin/login/?next=/admin/customers/")
    assert window.axe() == []
    window.page.get_by_label("E-mail").fill("nobody@house.example")
    window.page.get_by_label("Password").fill("x")
    window.page.get_by_role("button", name="Log in").click()
    expect(window.page.get_by_role("alert")).to_be_visible()
    assert window.axe() == []


@pytest.mark.parametrize("width", [390, 720])
def test_narrow_windows_and_double_zoom_do_not_scroll_sideways(
    visit: Callable[..., Visit], crowd: list[Customer], superuser: User, width: int
) -> None:
    window = visit(superuser)
    window.look(width=width, height=800)

    found = {}
    for address in addresses(crowd):
        window.go(address)
        found[address] = window.scrolls_sideways()
    assert found == dict.fromkeys(found, False)
    page = window.page
    page.get_by_role("link", name="Open menu").click()
    expect(page.get_by_role("link", name="Customers")).to_be_visible()
    assert window.axe() == []
    page.get_by_role("link", name="Customers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers")
