"""Bad input: always a problem with a pointer, never a 500, nothing stored."""

import pytest

from flowlet.gateway.models import IdempotencyRecord
from flowlet.gateway.tests.factories import Api

pytestmark = pytest.mark.urls("flowlet.gateway.tests.urls")
ORDER = {"wallet": "wal_01J9ZC5B7T0000000000000000", "price": {"minor": 1250, "currency": "EUR"}}


def test_a_good_order_passes_with_its_time_in_utc(api: Api) -> None:
    answer = api.post("test/orders", {**ORDER, "due": "2026-11-02T10:30:00+01:00"}, key="k-1")

    assert answer.status_code == 201
    assert answer.json() == {"id": "ord_1", "minor": 1250, "due": "2026-11-02T09:30:00Z"}


@pytest.mark.parametrize(
    ("minor", "code"),
    [
        ("12.50", "not_an_integer"),
        ("12.0", "not_an_integer"),
        ("1e3", "not_an_integer"),
        ("true", "not_an_integer"),
        ("null", "null"),
        ('"1250"', "not_an_integer"),
        ("[1250]", "not_an_integer"),
        ("{}", "not_an_integer"),
        ("0", "too_small"),
        ("-1", "too_small"),
        ("-0", "too_small"),
        ("1000000000001", "too_large"),
        ("9223372036854775808", "too_large"),
        ("18446744073709551616", "too_large"),
    ],
)
def test_an_amount_is_an_integer_from_one_to_a_million_million(api: Api, minor: str, code: str) -> None:
    body = f'{{"wallet":"{ORDER["wallet"]}","price":{{"minor":{minor},"currency":"EUR"}}}}'

    answer = api.post_raw("test/orders", body.encode())

    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/price/minor", code)]
    assert IdempotencyRecord.objects.count() == 0


def test_the_largest_amount_passes(api: Api) -> None:
    answer = api.post("test/orders", {**ORDER, "price": {"minor": 10**12, "currency": "JPY"}}, key="k-1")

    assert answer.json()["minor"] == 10**12


@pytest.mark.parametrize("currency", ["eur", "EURO", "XXX", "", "XAU", "EUR ", "E\u200bUR"])
def test_a_currency_is_a_code_of_the_table(api: Api, currency: str) -> None:
    answer = api.post("test/orders", {**ORDER, "price": {"minor": 1, "currency": currency}}, key="k-1")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/price/currency"
    assert answer.json()["errors"][0]["code"] == "unknown_currency"


def test_unknown_fields_are_refused_at_every_level(api: Api) -> None:
    price = {"minor": 1, "currency": "EUR", "fee": 0}
    body = {**ORDER, "price": price, "parts": [{"minor": 1, "currency": "EUR"}, price], "status": "paid"}

    answer = api.post("test/orders", body, key="k-1")

    assert answer.status_code == 400
    assert {e["pointer"]: e["code"] for e in answer.json()["errors"]} == {
        "/price/fee": "unknown_field",
        "/parts/1/fee": "unknown_field",
        "/status": "unknown_field",
    }


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"price": 5}, "/price"),
        ({"price": None}, "/price"),
        ({"price": []}, "/price"),
        ({"parts": {}}, "/parts"),
        ({"parts": [5]}, "/parts/0"),
        ({"wallet": "pay_01J9ZC5B7T0000000000000000"}, "/wallet"),
        ({"wallet": "wal_1"}, "/wallet"),
        ({"wallet": 7}, "/wallet"),
        ({"note": "a\u0007"}, "/note"),
        ({"note": "x" * 21}, "/note"),
        ({"due": "2026-11-02"}, "/due"),
        ({"due": "2026-11-02T10:30:00"}, "/due"),
        ({"due": "2026-02-30T10:30:00Z"}, "/due"),
        ({"due": "0001-01-01T00:00:00+23:00"}, "/due"),
    ],
)
def test_a_wrong_type_or_form_is_pointed_at(api: Api, change: dict[str, object], pointer: str) -> None:
    answer = api.post("test/orders", {**ORDER, **change}, key="k-1")

    assert answer.status_code == 400
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{]}",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":1,"a":2}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b"[" * 100_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        b'{"a":' + b"9" * 5000 + b"}",
        b"{} {}",
        b'{"a":1}\0',
    ],
)
def test_what_is_not_json_or_can_be_read_in_two_ways_is_refused(api: Api, body: bytes) -> None:
    answer = api.post_raw("test/orders", body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed_json"
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.parametrize("body", [b"[]", b"5", b'"text"', b"null", b"true"])
def test_json_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    answer = api.post_raw("test/orders", body)

    assert answer.status_code == 400
    assert [e["pointer"] for e in answer.json()["errors"]] == [""]


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/xml",
        "",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "application/jsonx",
    ],
)
def test_another_media_type_is_a_415(api: Api, kind: str) -> None:
    answer = api.post_raw("test/orders", b"{}", content_type=kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_over_a_megabyte_is_a_413_before_it_is_read(api: Api) -> None:
    answer = api.post_raw("test/orders", b" " * (1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("header", "value"), [("Transfer-Encoding", "chunked"), ("Content-Length", "-1")])
def test_a_body_without_a_plain_length_is_refused(api: Api, header: str, value: str) -> None:
    answer = api.post_raw("test/orders", b"{}", **{header: value})

    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
