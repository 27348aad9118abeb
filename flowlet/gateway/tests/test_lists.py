from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowlet.gateway.tests.factories import Api
from flowlet.identity import operations
from flowlet.identity.models import Customer, Partner

START = datetime(2026, 10, 1, tzinfo=UTC)


def make(partner: Partner, count: int, *, step: timedelta = timedelta(minutes=1)) -> list[str]:
    """Return ids of new customers, oldest first."""
    made = [
        operations.create_customer(
            partner_id=partner.pk,
            kind="PERSON",
            given_name="Ada",
            family_name=f"Number {n}",
            country="NO",
            reference=f"u-{n}-{step}",
            now=START + n * step,
        )
        for n in range(count)
    ]
    return [customer.public_id for customer in made]


def walk(api: Api, query: str = "", between: Any = None) -> list[str]:
    found, cursor = [], ""
    while True:
        answer = api.get(f"customers?limit=7{query}{cursor}").json()
        found += [row["id"] for row in answer["data"]]
        assert (answer["next"] is not None) == answer["has_more"]
        if not answer["has_more"]:
            return found
        cursor = f"&cursor={answer['next']}"
        if between is not None:
            between()


def test_pages_hold_every_row_once_newest_first(partner: Partner, api: Api) -> None:
    ids = make(partner, 30)

    assert walk(api) == ids[::-1]


def test_rows_of_one_instant_are_neither_lost_nor_doubled(partner: Partner, api: Api) -> None:
    ids = make(partner, 30, step=timedelta(0))

    assert walk(api) == sorted(ids, reverse=True)


def test_rows_inserted_meanwhile_move_nothing(partner: Partner, api: Api) -> None:
    ids = make(partner, 30)
    later = iter(range(100))

    def insert() -> None:
        operations.create_customer(
            partner_id=partner.pk,
            kind="BUSINESS",
            legal_name="New AS",
            country="NO",
            now=START + timedelta(days=1, minutes=next(later)),
        )

    assert walk(api, between=insert) == ids[::-1]


def test_an_empty_list_is_a_list(api: Api) -> None:
    assert api.get("customers").json() == {"object": "list", "data": [], "has_more": False, "next": None}


def test_filters_narrow_the_list(partner: Partner, api: Api) -> None:
    ids = make(partner, 10)

    since = api.get("customers?created[gte]=2026-10-01T00:08:00Z").json()["data"]
    before = api.get("customers?created[lt]=2026-10-01T02:01:00%2B02:00").json()["data"]
    one = api.get("customers?reference=u-3-0:01:00&kind=person").json()["data"]
    none = api.get("customers?kind=business").json()["data"]

    assert [row["id"] for row in since] == [ids[9], ids[8]]
    assert [row["id"] for row in before] == [ids[0]]
    assert [row["id"] for row in one] == [ids[3]]
    assert none == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=101", "/query/limit"),
        ("limit=ten", "/query/limit"),
        ("limit=1.5", "/query/limit"),
        ("limit=", "/query/limit"),
        ("limit=%D9%A1", "/query/limit"),
        ("limit=1&limit=2", "/query/limit"),
        ("cursor=abc", "/query/cursor"),
        ("cursor=%20", "/query/cursor"),
        ("cursor=ä", "/query/cursor"),
        ("created[gte]=yesterday", "/query/created[gte]"),
        ("created[lt]=2026-13-01T00:00:00Z", "/query/created[lt]"),
        ("status=active", "/query/status"),
        ("kind=PERSON", "/query/kind"),
        ("reference=%00", "/query"),
        ("reference=%ff", "/query"),
    ],
)
def test_a_bad_query_is_pointed_at(api: Api, query: str, pointer: str) -> None:
    answer = api.get(f"customers?{query}")

    assert answer.status_code == 400
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_a_cursor_belongs_to_its_list_its_filters_and_its_partner(
    partner: Partner, other_partner: Partner, api: Api, foreign_api: Api
) -> None:
    make(partner, 3)
    make(other_partner, 3)
    cursor = api.get("customers?limit=1").json()["next"]
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]

    assert api.get(f"customers?limit=2&cursor={cursor}").status_code == 200
    for answer in (
        api.get(f"customers?cursor={cursor}&kind=person"),
        api.get(f"events?cursor={cursor}"),
        api.get(f"customers?cursor={changed}"),
        foreign_api.get(f"customers?cursor={cursor}"),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "bad_cursor"


def test_a_read_takes_few_queries(partner: Partner, api: Api, django_assert_num_queries: Any) -> None:
    customer_id = make(partner, 3)[0]
    api.get("me")  # the test's own look at the client's partner

    with django_assert_num_queries(2):
        api.get(f"customers/{customer_id}")
    with django_assert_num_queries(2):
        api.get("customers")


def test_events_are_read_in_the_objects_own_order_without_gaps(partner: Partner, api: Api) -> None:
    customer = Customer.objects.get(public_id=make(partner, 1)[0])
    for number in range(4):
        operations.place_restriction(
            customer_id=customer.pk,
            kind="NO_OUT",
            source="OPS",
            source_ref=f"r-{number}",
            reason_code="CHECK",
            now=START,
        )

    everything = api.get(f"events?object={customer.public_id}").json()["data"]
    missed = api.get(f"events?object={customer.public_id}&after_sequence=2&limit=2").json()
    rest = api.get(
        f"events?object={customer.public_id}&after_sequence=2&limit=2&cursor={missed['next']}"
    ).json()
    one = api.get(f"events/{everything[0]['id']}").json()

    assert sorted(event["sequence"] for event in everything) == [1, 2, 3, 4, 5]
    assert [event["sequence"] for event in missed["data"]] == [3, 4]
    assert [event["sequence"] for event in rest["data"]] == [5]
    assert one == everything[0]
    assert "CHECK" not in str(everything)


def test_events_of_another_partner_are_absent(partner: Partner, api: Api, foreign_api: Api) -> None:
    customer_id = make(partner, 1)[0]
    event_id = api.get("events").json()["data"][0]["id"]

    assert foreign_api.get("events").json()["data"] == []
    assert foreign_api.get(f"events?object={customer_id}").json()["data"] == []
    assert foreign_api.get(f"events/{event_id}").status_code == 404


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after_sequence=1", "/query/object"),
        ("object=x&after_sequence=-1", "/query/after_sequence"),
        ("object=x&after_sequence=9223372036854775808", "/query/after_sequence"),
        ("object=x&after_sequence=1&created[gte]=2026-01-01T00:00:00Z", "/query/created[gte]"),
    ],
)
def test_a_bad_event_query_is_pointed_at(api: Api, query: str, pointer: str) -> None:
    answer = api.get(f"events?{query}")

    assert answer.status_code == 400
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
