"""Identification over the API: what a partner sends, and the few words it hears."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from compliance.models.kyc import KycApplication, KycDocument
from compliance.operations.kyc_decisions import decide_kyc
from compliance.tests.kyc_factories import make_applicant, make_form
from flowlet.audit.models import AuditRecord
from flowlet.demo.specimens import draw_identity, draw_letter
from flowlet.gateway.middleware import BODY_MAX, UPLOAD_MAX
from flowlet.gateway.tests.factories import Api, bearer, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


@pytest.fixture
def applicant(live_list, partner, now):
    return make_applicant(partner, make_form(), now=now)


def body(**more):
    values = make_form().stored()
    values["document_type"] = values["document_type"].lower()
    return {**values, "tier": "standard", **more}


def send(api, customer, data, *, purpose="identity_front", zone="", key="d", name="passport.jpg", **more):
    parts = {"purpose": purpose, "file": SimpleUploadedFile(name, data), **more}
    if zone:
        parts["mrz"] = zone
    return api.http.post(
        f"/api/v1/customers/{customer.public_id}/documents",
        parts,
        headers={**bearer(api.client), "Idempotency-Key": key},
    )


def shown(api, customer):
    return api.get(f"customers/{customer.public_id}/kyc").json()


def test_a_person_is_identified_with_two_requests(api, applicant):
    before = shown(api, applicant)
    opened = api.post(f"customers/{applicant.public_id}/kyc", body(), key="k")
    side = draw_identity(make_form(), seed="a")[0]
    sent = send(api, applicant, side.jpeg, zone=side.zone)
    after = shown(api, applicant)

    assert (before["state"], before["missing"], before["id"]) == ("information_needed", ["data"], None)
    assert (opened.status_code, opened.json()["missing"]) == (201, ["identity_front"])
    assert (sent.status_code, sent.json()["media_type"]) == (201, "image/jpeg")
    assert (after["state"], after["tier"], after["missing"]) == ("approved", "standard", [])
    assert [row["status"] for row in after["documents"]] == ["accepted"]
    assert api.get(f"customers/{applicant.public_id}").json()["tier"] == "standard"


def test_a_replayed_upload_gives_the_first_answer_and_stores_nothing_twice(api, applicant):
    api.post(f"customers/{applicant.public_id}/kyc", body(tier="plus"), key="k")
    side = draw_identity(make_form(), seed="a")[0]

    first, again = (send(api, applicant, side.jpeg, zone=side.zone) for _ in range(2))
    other = send(api, applicant, draw_identity(make_form(), seed="b")[0].jpeg, zone=side.zone)

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.json()["code"] == "idempotency_key_reused"
    assert KycDocument.objects.count() == 1


def test_what_is_asked_for_is_told_in_plain_words_and_nothing_of_ours_leaks(api, applicant, now):
    api.post(f"customers/{applicant.public_id}/kyc", body(tier="plus", residence="VN"), key="k")
    side = draw_identity(make_form(), seed="a")[0]
    send(api, applicant, side.jpeg, zone=side.zone)
    letter = draw_letter(make_form(), seed="l", on=now.date())
    send(api, applicant, letter.jpeg, purpose="proof_of_address", key="l")
    assert shown(api, applicant)["state"] == "pending"
    decide_kyc(
        application_id=KycApplication.objects.get().public_id,
        outcome="INFORMATION_NEEDED",
        reason_code="PICTURE_UNREADABLE",
        note="Looks like glue at the edge.",
        now=now,
    )

    answer = shown(api, applicant)

    assert (answer["state"], answer["missing"]) == ("information_needed", ["identity_front"])
    assert answer["requests"] == [
        {
            "reason": "picture_unreadable",
            "text": "Send a sharp picture of the whole document, without glare.",
        }
    ]
    text = json.dumps(answer).lower()
    assert not [
        word for word in ("glue", "risk", "points", "check", "screening", "hit", "fatf") if word in text
    ]


def test_a_refused_customer_hears_not_permitted_only(api, applicant, now):
    api.post(f"customers/{applicant.public_id}/kyc", body(document_number="X1"), key="k")
    side = draw_identity(make_form(), seed="a")[0]
    send(api, applicant, side.jpeg, zone=side.zone)
    decide_kyc(
        application_id=KycApplication.objects.get().public_id,
        outcome="REJECTED",
        reason_code="FORGED",
        note="The zone was altered.",
        now=now,
    )

    answer = shown(api, applicant)

    assert (answer["state"], answer["requests"], answer["missing"]) == ("not_permitted", [], [])
    assert "forged" not in json.dumps(answer).lower()


def _bomb():
    buffer = io.BytesIO()
    Image.new("L", (5_001, 5_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "The file is no JPEG, PNG or PDF, whatever its name says.",
        ),
        (b"\0" * 900, "The file is empty."),
        (_bomb(), "The picture has more than 25 million pixels."),
    ],
)
def test_a_bad_file_gets_one_plain_reason_and_leaves_its_trace(api, applicant, data, detail):
    api.post(f"customers/{applicant.public_id}/kyc", body(), key="k")

    refused = send(api, applicant, data, name="passport.png")

    assert (refused.status_code, refused.json()["code"], refused.json()["detail"]) == (
        422,
        "document_rejected",
        detail,
    )
    assert not KycDocument.objects.exists()
    assert AuditRecord.objects.filter(outcome="REFUSED", reason_code="document_rejected").exists()


def test_files_are_taken_up_to_ten_megabytes_here_and_nowhere_else(api, applicant):
    api.post(f"customers/{applicant.public_id}/kyc", body(), key="k")
    too_large = send(api, applicant, b"\xff\xd8\xff" + b"1" * UPLOAD_MAX, key="a")
    large = send(api, applicant, b"\xff\xd8\xff" + b"1" * (2 * BODY_MAX), key="b")
    elsewhere = api.http.post(
        "/api/v1/customers",
        b"1" * (2 * BODY_MAX),
        content_type="application/json",
        headers={**bearer(api.client), "Idempotency-Key": "c"},
    )

    assert (too_large.status_code, elsewhere.status_code) == (413, 413)
    assert (large.status_code, large.json()["code"]) == (422, "document_rejected")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"birth_date": "1890-01-01"}, "/birth_date"),
        ({"birth_date": "1990-02-30"}, "/birth_date"),
        ({"nationality": "XX"}, "/nationality"),
        ({"tier": "basic"}, "/tier"),
        ({"document_type": "library_card"}, "/document_type"),
        ({"given_name": "a\u202eb"}, "/given_name"),
        ({"risk": "low"}, "/risk"),
    ],
)
def test_faults_in_the_data_are_pointed_at(api, applicant, change, pointer):
    answer = api.post(f"customers/{applicant.public_id}/kyc", body(**change), key="k")

    assert answer.status_code == 400
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


def test_a_form_that_is_no_upload_is_refused_before_anything_is_read(api, applicant):
    path, headers = (
        f"/api/v1/customers/{applicant.public_id}/documents",
        {**bearer(api.client), "Idempotency-Key": "x"},
    )
    as_json = api.http.post(path, {}, content_type="application/json", headers=headers)
    no_file = api.http.post(path, {"purpose": "identity_front"}, headers=headers)
    broken = api.http.post(path, b"--x\r\n", content_type="multipart/form-data; boundary=", headers=headers)
    purpose = send(api, applicant, b"x", purpose="selfie", key="y")
    twice = api.http.post(
        path,
        {"purpose": ["identity_front", "identity_back"], "file": SimpleUploadedFile("a", b"x")},
        headers=headers,
    )

    assert [one.status_code for one in (as_json, no_file, broken, purpose, twice)] == [
        415,
        400,
        400,
        400,
        400,
    ]


def test_a_document_before_the_data_is_told_what_comes_first(api, applicant):
    side = draw_identity(make_form(), seed="a")[0]

    refused = send(api, applicant, side.jpeg)

    assert (refused.status_code, refused.json()["code"]) == (409, "kyc_missing")


def test_somebody_elses_customer_looks_like_nobody(other_partner, applicant):
    api = Api(make_client(other_partner))
    side = draw_identity(make_form(), seed="a")[0]

    answers = [
        api.get(f"customers/{applicant.public_id}/kyc"),
        api.post(f"customers/{applicant.public_id}/kyc", body(), key="k"),
        send(api, applicant, side.jpeg),
    ]

    assert [one.status_code for one in answers] == [404, 404, 404]


def test_the_scopes_are_kept(partner, applicant):
    api = Api(make_client(partner, scopes=["customers:read"]))

    assert api.get(f"customers/{applicant.public_id}/kyc").status_code == 403
    assert Client().get(f"/api/v1/customers/{applicant.public_id}/kyc").status_code == 401
