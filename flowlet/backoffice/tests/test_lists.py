"""The list engine: views, search, filters, order, pages, and what stands in a query string that should not."""

from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Length
from django.test import Client, RequestFactory

from flowlet.audit.models import AuditRecord
from flowlet.backoffice import lists
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.filters import AmountSpan, Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, ListPlan, View
from flowlet.backoffice.site import site
from flowlet.identity import operations
from flowlet.identity.models import Customer, Partner, User

PLAN = ListPlan(
    columns=(Column(title="Name", cell=lambda c: c.name, order="name"),),
    order=("-created_at", "-id"),
    views=(
        View(key="all", title="All"),
        View(key="business", title="Businesses", condition=Q(kind="BUSINESS"), order=("name", "id")),
    ),
    filters=(
        Choice("country", "Country", (("NO", "Norway"), ("DE", "Germany"))),
        DateSpan("created", "Created", lookup="created_at"),
        Text("reference", "Reference"),
    ),
    search=lambda term: Q(name__icontains=term),
    page_size=4,
)


@pytest.fixture
def crowd(partner: Partner, now: datetime) -> list[Customer]:
    people = [
        operations.create_customer(
            partner_id=partner.pk,
            kind="PERSON",
            given_name=f"Given{number}",
            family_name="Nordahl" if number % 2 else "Berg",
            country="NO" if number % 3 else "DE",
            reference=f"r{number}",
            now=now - timedelta(days=number),
        )
        for number in range(9)
    ]
    house = operations.create_customer(
        partner_id=partner.pk, kind="BUSINESS", legal_name="Acme", country="DE", now=now - timedelta(days=20)
    )
    return [*people, house]


def build(**params: str) -> lists.ListPage:
    return lists.build(PLAN, Customer.objects.all(), params)


def follow(href: str) -> lists.ListPage:
    return build(**dict(parse_qsl(href.removeprefix("?"))))


def test_the_first_view_is_shown_with_counts_on_every_tab(crowd: list[Customer]) -> None:
    page = build()

    assert [(tab.title, tab.count, tab.current) for tab in page.tabs] == [
        ("All", "10", True),
        ("Businesses", "1", False),
    ]
    assert page.rows == crowd[:4]
    assert page.span_text == "1\N{EN DASH}4"
    assert page.total_text == "10"


def test_pages_follow_each_other_and_lose_no_row(crowd: list[Customer]) -> None:
    page, seen = build(), []
    seen += page.rows
    while page.next_href:
        page = follow(page.next_href)
        seen += page.rows

    assert seen == crowd
    assert follow(page.previous_href).rows == crowd[4:8]


def test_a_view_has_its_own_rows_and_order(crowd: list[Customer]) -> None:
    assert build(view="business").rows == crowd[-1:]


def test_search_and_filters_narrow_together_and_can_be_taken_off_one_by_one(crowd: list[Customer]) -> None:
    page = build(q="nordahl", country="NO", created_from="2026-10-28", created_to="2026-11-02")

    assert [row.reference for row in page.rows] == ["r1", "r5"]
    assert [(chip.title, chip.text) for chip in page.chips] == [
        ("Country", "Norway"),
        ("Created", "28 Oct 2026 to 2 Nov 2026"),
    ]
    assert [row.reference for row in follow(page.chips[0].href).rows] == ["r1", "r3", "r5"]
    assert not follow(page.clear_href).narrowed


def test_a_head_sorts_up_then_down(crowd: list[Customer]) -> None:
    up = follow(build().heads[0].href)
    down = follow(up.heads[0].href)

    assert (up.heads[0].sort, up.rows[0].name) == ("ascending", "Acme")
    assert (down.heads[0].sort, down.rows[0].name) == ("descending", "Given8 Berg")


@pytest.mark.parametrize(
    "params",
    [
        {"view": "nonsense"},
        {"colour": "blue"},
        {"country": "XX"},
        {"created_from": "yesterday"},
        {"created_from": "9999-12-31"},
        {"created_from": "2026-11-02", "created_to": "2026-11-01"},
        {"o": "password"},
        {"reference": "nul\0"},
    ],
)
def test_what_makes_no_sense_is_left_out_and_said(crowd: list[Customer], params: dict[str, str]) -> None:
    page = build(**params)

    assert len(page.faults) == 1
    assert page.rows == crowd[:4]


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "", "1e3", "٣", "9" * 40])
def test_a_page_number_out_of_range_shows_a_page_that_exists(crowd: list[Customer], number: str) -> None:
    assert build(page=number).rows


def test_a_hostile_search_term_finds_nothing_and_breaks_nothing(crowd: list[Customer]) -> None:
    assert build(q="'; DROP TABLE identity_customer; --\0%_\\").rows == []


def test_amounts_are_read_exactly_in_their_currency() -> None:
    span = AmountSpan("amount", "Amount", ("EUR", "JPY"))

    found = span.read({"amount_currency": "EUR", "amount_from": "12.50", "amount_to": "100"})

    assert found is not None
    assert found.condition == Q(currency="EUR") & Q(amount_minor__gte=1250) & Q(amount_minor__lte=10000)
    for params in (
        {"amount_from": "1"},
        {"amount_currency": "JPY", "amount_from": "1.5"},
        {"amount_currency": "EUR", "amount_to": "NaN"},
        {"amount_currency": "EUR", "amount_to": "9" * 30},
    ):
        with pytest.raises(ValueError, match="Amount"):
            span.read(params)


def test_many_counts_cost_one_query_and_stop_at_their_ceiling(
    crowd: list[Customer], django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        numbers = count_each(
            {
                "all": Customer.objects.all(),
                "none": Customer.objects.none(),
                "de": Customer.objects.filter(country="DE"),
            },
            ceilings={"all": 5},
        )

    assert numbers == {"all": 6, "none": 0, "de": 4}
    assert (shown(6, ceiling=5), shown(4)) == ("5+", "4")


def test_a_large_list_pages_by_key_in_both_directions(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditrecord (epoch, xid, origin, customer, actor_kind, actor, actor_label, ip, request_id,"
            " action, object_type, object_id, outcome, reason_code, changes, note_digest, db_user)"
            " SELECT 1, 0, 'DATABASE', '', 'SYSTEM', 'job:x', '', '', '', 'x.y', 'x', n::text, 'DONE', '', '{}', '', ''"
            " FROM generate_series(1, 10060) AS n"
        )
    plan = ListPlan(columns=PLAN.columns, order=("-recorded_at", "-id"), page_size=25)
    rows = AuditRecord.objects.all()

    first = lists.build(plan, rows, {})
    second = lists.build(plan, rows, dict(parse_qsl(first.next_href.removeprefix("?"))))
    back = lists.build(plan, rows, dict(parse_qsl(second.previous_href.removeprefix("?"))))

    expected = [row.pk for row in rows.order_by("-recorded_at", "-id")[:50]]
    assert [row.pk for row in [*first.rows, *second.rows]] == expected
    assert back.rows == first.rows
    assert not back.previous_href
    assert first.total_text == "10,000+"
    for forged in ("x", "WzFd", "WyJ4IiwieSJd", "WzEsMl0=", "é"):
        faulty = lists.build(plan, rows, {"after": forged})
        assert (len(faulty.faults), len(faulty.rows)) == (1, 25)


@pytest.mark.parametrize(
    "order",
    [
        ("-pk",),
        ("partner__name", "-pk"),
        ("reference", "pk"),
        ("-reference", "-pk"),
        ("-kind", "words", "-id"),
    ],
)
def test_a_large_list_of_any_order_is_paged_without_losing_or_repeating_a_row(
    crowd: list[Customer], order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "CEILING", 3)
    plan = ListPlan(columns=PLAN.columns, order=order, page_size=3)
    Customer.objects.filter(pk__in=[one.pk for one in crowd[::2]]).update(reference=None)
    rows = Customer.objects.annotate(words=Length("name"))

    page = lists.build(plan, rows, {})
    there = [*page.rows]
    while page.next_href:
        page = lists.build(plan, rows, dict(parse_qsl(page.next_href.removeprefix("?"))))
        there += page.rows
    back = [*page.rows]
    while page.previous_href:
        page = lists.build(plan, rows, dict(parse_qsl(page.previous_href.removeprefix("?"))))
        back = [*page.rows, *back]

    assert there == back == list(rows.order_by(*order))
    assert len(there) == len(crowd)


def test_every_list_of_the_house_can_be_paged_by_the_key_of_its_order(officer: User) -> None:
    request = RequestFactory().get("/")
    request.user = officer
    for model, admin in site._registry.items():
        queryset = admin.get_queryset(request)
        for name in {*admin.list_order, *(column.order for column in admin.columns if column.order)}:
            assert lists.column_of(queryset, name) is not None, (model, name)


def test_a_full_page_is_light_and_costs_few_queries_whatever_its_rows(
    root_desk: Client, partner: Partner, now: datetime, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        operations.create_customer(
            partner_id=partner.pk,
            kind="BUSINESS",
            legal_name=f"Harbour Light Trading {number}",
            country="DE",
            now=now,
        )

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        answer = root_desk.get("/admin/customers/")

    assert answer.content.count(b'<tr class="link-row">') == 25
    assert len(answer.content) < 60_000


def test_a_fault_is_said_on_the_page_with_status_200(ops_desk: Client, customer: Customer) -> None:
    answer = ops_desk.get("/admin/customers/?colour=blue&password=x")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "colour" in page
    assert "Mirela Sandvik" in page
