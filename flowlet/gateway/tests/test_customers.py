import pytest

from flowlet.gateway.tests.factories import Api
from flowlet.identity.models import Customer

PERSON = {"kind": "person", "given_name": "Mirela", "family_name": "Sandvik", "country": "NO"}


def test_a_person_is_created_and_read_back(api: Api) -> None:
    body = {**PERSON, "birth_date": "1990-05-17", "email": "Mirela@Example.com", "reference": "u-1"}

    made = api.post("customers", body, key="k-1")
    read = api.get(f"customers/{made.json()['id']}")

    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/customers/{made.json()['id']}"
    assert made.json() == read.json()
    assert read.json()["name"] == "Mirela Sandvik"
    assert read.json()["birth_date"] == "1990-05-17"
    assert read.json()["email"] == "mirela@example.com"
    assert "risk_level" not in read.json()


def test_a_business_has_a_legal_name_and_nothing_of_a_person(api: Api) -> None:
    good = api.post("customers", {"kind": "business", "legal_name": "Fjord AS", "country": "NO"}, key="k-1")
    bad = api.post(
        "customers",
        {"kind": "business", "given_name": "A", "birth_date": "1990-01-01", "country": "NO"},
        key="k-2",
    )

    assert good.status_code == 201
    assert bad.status_code == 400
    assert {e["pointer"]: e["code"] for e in bad.json()["errors"]} == {
        "/legal_name": "required",
        "/given_name": "not_applicable",
        "/birth_date": "not_applicable",
    }


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"kind": "alien"}, "/kind", "invalid_choice"),
        ({"kind": True}, "/kind", "invalid_choice"),
        ({"country": "no"}, "/country", "unknown_country"),
        ({"country": 47}, "/country", "not_a_string"),
        ({"given_name": 5}, "/given_name", "invalid"),
        ({"given_name": "Mi\u202erela"}, "/given_name", "control_character"),
        ({"given_name": "Mi\nrela"}, "/given_name", "control_character"),
        ({"given_name": "x" * 101}, "/given_name", "max_length"),
        ({"given_name": ""}, "/given_name", "blank"),
        ({"given_name": None}, "/given_name", "null"),
        ({"birth_date": "1990-02-30"}, "/birth_date", "invalid_date"),
        ({"birth_date": "19900203"}, "/birth_date", "invalid_date"),
        ({"birth_date": "2990-02-03"}, "/birth_date", "out_of_range"),
        ({"email": "mirela"}, "/email", "invalid_email"),
        ({"phone": "0151"}, "/phone", "invalid_phone"),
        ({"tier": "plus"}, "/tier", "unknown_field"),
        ({"partner_id": 2}, "/partner_id", "unknown_field"),
        ({"status/x~y": 1}, "/status~1x~0y", "unknown_field"),
    ],
)
def test_a_fault_in_the_body_is_pointed_at_and_nothing_is_stored(
    api: Api, change: dict[str, object], pointer: str, code: str
) -> None:
    answer = api.post("customers", {**PERSON, **change}, key="k-1")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid_request"
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(pointer, code)]
    assert problem["request_id"] == answer.headers["Request-Id"]
    assert Customer.objects.count() == 0


def test_a_reference_is_taken_once(api: Api) -> None:
    api.post("customers", {**PERSON, "reference": "u-1"}, key="k-1")

    answer = api.post("customers", {**PERSON, "reference": "u-1"}, key="k-2")

    assert answer.status_code == 409
    assert answer.json()["code"] == "reference_taken"


def test_another_partners_customer_is_as_absent_as_a_missing_one(api: Api, foreign_api: Api) -> None:
    customer_id = api.post("customers", PERSON, key="k-1").json()["id"]

    foreign = foreign_api.get(f"customers/{customer_id}")
    missing = foreign_api.get("customers/cus_01J9ZC5B7T0000000000000000")
    listed = foreign_api.get("customers").json()["data"]

    assert (foreign.status_code, missing.status_code, listed) == (404, 404, [])
    ignored = {"instance", "request_id"}
    assert {k: v for k, v in foreign.json().items() if k not in ignored} == {
        k: v for k, v in missing.json().items() if k not in ignored
    }
