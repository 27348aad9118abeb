"""Pages of identity, audit and events, the customer page, search, Today; and the addresses that do not exist."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from flowlet.audit import trail
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cards import FIGURES, HOUSE, Figure, FigureValue
from flowlet.backoffice.charts import Series, bars, scale_top
from flowlet.backoffice.panels import PANELS, CustomerPanel, facts_panel
from flowlet.backoffice.search import SEARCH, Found, SimpleSource, mark
from flowlet.backoffice.site import register, site
from flowlet.core.registry import Registry
from flowlet.events.models import Event
from flowlet.identity import operations
from flowlet.identity.models import Customer, Partner, User


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name or ""


def test_the_site_answers_only_what_it_declares() -> None:
    found = set(names(site.get_urls()))

    assert {"index", "login", "logout", "search", "do", "identity_customer_changelist"} <= found
    for stock in ("jsi18n", "autocomplete", "view_on_site", "password_change", "app_list"):
        assert stock not in found
    assert not [name for name in found if name.endswith(("_add", "_delete", "_history"))]


@pytest.mark.parametrize(
    "address",
    ["customers/add/", "customers/1/delete/", "customers/1/history/", "jsi18n/", "r/1/1/", "identity/"],
)
def test_stock_pages_are_missing(root_desk: Client, address: str) -> None:
    assert root_desk.get(f"/admin/{address}").status_code == 404


def test_an_address_that_is_not_there_tells_strangers_nothing(client: Client) -> None:
    assert client.get("/admin/nowhere/").status_code == client.get("/admin/customers/").status_code == 302


def test_every_list_opens_and_every_view_of_it(root_desk: Client, customer: Customer) -> None:
    for known in site.house_admins():
        for view in [*(view.key for view in known.views), ""]:
            answer = root_desk.get(reverse(known.list_name), {"view": view} if view else {})
            assert answer.status_code == 200, (known, view)
            assert "warning" not in answer.content.decode().partition('id="main"')[2].partition(
                '<div class="card">'
            )[0].replace("message-warning", "", 1)


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        ("support", "/admin/customers/", 200),
        ("analyst", "/admin/customers/", 403),
        ("access", "/admin/customers/", 403),
        ("access", "/admin/users/", 200),
        ("ops", "/admin/users/", 403),
        ("ops", "/admin/audit/", 403),
        ("auditor", "/admin/audit/", 200),
        ("auditor", "/admin/events/", 200),
        ("auditor", "/admin/api-clients/", 200),
    ],
)
def test_a_role_sees_what_is_its_and_the_side_bar_agrees(
    db: None, desk: Callable[[User], Client], role: str, address: str, status: int
) -> None:
    person = operations.create_user(
        email=f"{role}@x.example", full_name="Some One", password="correct-horse-battery", roles=[role]
    )
    client = desk(person)

    assert client.get(address).status_code == status
    assert (f'class="side-item" href="{address}"' in client.get("/admin/").content.decode()) == (
        status == 200
    )


def test_the_customer_page_shows_restrictions_and_hides_personal_data(
    ops_desk: Client, partner: Partner, now: datetime
) -> None:
    person = operations.create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name="Mirela",
        family_name="Sandvik",
        country="NO",
        email="mirela@private.example",
        phone="+4799988777",
        now=now,
    )
    operations.freeze_customer(customer_id=person.pk, reason_code="COURT_ORDER", now=now)

    page = ops_desk.get(f"/admin/customers/{person.public_id}/").content.decode()

    assert "Frozen: court order" in page
    assert "mirela@private.example" not in page
    assert "99988777" not in page
    assert "Unfreeze…" in page
    assert "Freeze…" not in page.replace("Unfreeze…", "")


def test_the_customer_page_stays_within_its_queries(
    root_desk: Client, customer: Customer, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        root_desk.get(f"/admin/customers/{customer.public_id}/")


def test_the_time_line_tells_what_happened_in_words(
    ops_desk: Client, ops: User, customer: Customer, now: datetime
) -> None:
    with trail.acting(trail.Actor("STAFF", ops.public_id, "Paula Reis")):
        operations.freeze_customer(customer_id=customer.pk, reason_code="COURT_ORDER", now=now)

    page = ops_desk.get(f"/admin/customers/{customer.public_id}/?tab=Time+line").content.decode()

    assert page.index("Customer frozen") < page.index("Customer created")
    assert "Paula Reis · Reason: court order" in page


@pytest.mark.parametrize("object_id", ["cus_none", "1", "%00", "cus_01\0", "x" * 300])
def test_a_customer_that_is_not_there_is_missing(ops_desk: Client, object_id: str) -> None:
    assert ops_desk.get(f"/admin/customers/{object_id}/").status_code == 404


def test_an_act_opens_before_and_after_note_and_digest(
    auditor_desk: Client, customer: Customer, now: datetime
) -> None:
    operations.freeze_customer(
        customer_id=customer.pk, reason_code="COURT_ORDER", note="Letter of 1 May", now=now
    )
    record = AuditRecord.objects.get(action="customer.restrict")

    page = auditor_desk.get(f"/admin/audit/{record.pk}/").content.decode()

    assert record.mac is not None
    assert bytes(record.mac).hex() in page
    assert "Letter of 1 May" in page
    assert ">frozen<" in page
    for number in ("0", "x", "9" * 30):
        assert auditor_desk.get(f"/admin/audit/{number}/").status_code == 404


def test_partner_client_user_and_event_pages_open(
    root_desk: Client, partner: Partner, superuser: User, customer: Customer, now: datetime
) -> None:
    api_client, secret = operations.create_api_client(
        partner_id=partner.pk, name="Server", scopes=[], now=now
    )
    event = Event.objects.order_by("pk").first()
    assert event is not None

    for address in (
        f"/admin/partners/{partner.public_id}/",
        f"/admin/api-clients/{api_client.public_id}/",
        f"/admin/users/{superuser.public_id}/",
        f"/admin/events/{event.public_id}/",
    ):
        answer = root_desk.get(address)
        assert answer.status_code == 200
        assert secret not in answer.content.decode()


def test_search_finds_customers_and_pages_marks_the_match_and_escapes(
    root_desk: Client, customer: Customer
) -> None:
    page = root_desk.get("/admin/search/", {"q": "sand"}).content.decode()
    assert "Mirela <mark>Sand</mark>vik" in page

    by_id = root_desk.get("/admin/search/", {"q": customer.public_id}).content.decode()
    assert f'href="/admin/customers/{customer.public_id}/"' in by_id

    options = root_desk.get("/admin/search/", {"q": "audit"}, headers={"X-Part": "palette"}).content.decode()
    assert 'role="option"' in options
    assert "<html" not in options

    nothing = root_desk.get("/admin/search/", {"q": "<script>zzz\0"}).content.decode()
    assert "Nothing found" in nothing
    assert "<script>zzz" not in nothing


def test_marking_escapes_and_marks_each_word_once() -> None:
    assert mark("A & <b> Sand sand", "sand b") == "A &amp; &lt;<mark>b</mark>&gt; <mark>Sand</mark> sand"
    assert mark("İstanbul", "stan") == "İstanbul"
    assert mark("plain", "") == "plain"


def test_search_shows_nobody_what_he_may_not_see(desk: Callable[[User], Client], customer: Customer) -> None:
    access = operations.create_user(
        email="vera@x.example", full_name="Vera", password="correct-horse-battery", roles=["access"]
    )

    page = desk(access).get("/admin/search/", {"q": "sandvik"}).content.decode()

    assert "Mirela" not in page


def test_today_shows_figures_that_link_to_their_rows(
    root_desk: Client, customer: Customer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The page shows four; those of the rooms above would push this room's own out of sight.
    own = {name: FIGURES.get(name) for name in ("customers", "restricted")}
    monkeypatch.setattr(FIGURES, "_entries", own)
    operations.freeze_customer(customer_id=customer.pk, reason_code="X", now=now)

    page = root_desk.get("/admin/").content.decode()

    assert 'href="/admin/customers/?view=restricted"' in page
    assert "New customers" in page
    assert "The house" in page
    assert "Show numbers" in page


def test_a_new_figure_panel_and_search_source_is_one_registration(
    root_desk: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for registry in (FIGURES, PANELS, SEARCH):
        fresh: Registry[object] = Registry(registry.name)
        fresh._entries.update(registry._entries)
        monkeypatch.setattr(registry, "_entries", fresh._entries)
    FIGURES.register("t")(
        Figure(
            title="Lighthouses",
            permission="",
            icon="flag",
            value=lambda _person, _now: FigureValue(value="7"),
            href=lambda: "/admin/customers/",
            order=0,
        )
    )
    PANELS.register("t")(
        CustomerPanel(build=lambda c, _p, _n: facts_panel("Harbour", [("Name", c.name)]), permission="")
    )
    SEARCH.register("t")(
        SimpleSource(
            title="Ships",
            icon="flag",
            permission="",
            find=lambda _t, _p: [Found(title="Aurora", href="/admin/")],
        )
    )

    assert "Lighthouses" in root_desk.get("/admin/").content.decode()
    assert "Harbour" in root_desk.get(f"/admin/customers/{customer.public_id}/").content.decode()
    assert "<mark>Aur</mark>ora" in root_desk.get("/admin/search/", {"q": "aur"}).content.decode()


def test_a_broken_trail_shows_on_the_house_panel(root_desk: Client, customer: Customer) -> None:
    assert "audit" in HOUSE
    assert "Signed" in root_desk.get("/admin/").content.decode()


def test_only_our_own_model_admin_can_be_registered() -> None:
    with pytest.raises(TypeError, match="must be built on"):
        register(LogEntry)(type("Foreign", (), {}))  # type: ignore[type-var]


def test_bars_stand_on_zero_and_end_at_a_round_number() -> None:
    drawn = bars(["1 Nov", "2 Nov"], [Series("In", [0, 37]), Series("Out", [5, 0])])

    assert [text for _, text in drawn.grid] == ["0", "10", "20", "30", "40"]
    assert (drawn.bars[0].height, drawn.bars[0].text) == (0, "1 Nov: 0 in")
    assert drawn.rows == [("1 Nov", [0, 5]), ("2 Nov", [37, 0])]
    assert [scale_top(value) for value in (0, 4, 5, 9, 21, 81, 100_001)] == [4, 4, 8, 20, 40, 200, 200_000]


def test_nothing_is_written_to_the_stock_log(root_desk: Client, customer: Customer) -> None:
    root_desk.get("/admin/customers/")

    assert not LogEntry.objects.exists()
