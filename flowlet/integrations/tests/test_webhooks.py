"""Webhooks in: the genuine ones are stored once; wrong, stale, early, repeated and garbled ones change nothing."""

import base64
import json

import pytest

from flowlet.audit.models import AuditRecord
from flowlet.integrations.models import VendorEvent
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.tests import signers
from flowlet.integrations.tests.signers import Hook

pytestmark = pytest.mark.django_db

GOOD = {
    "stripe": lambda vendors: signers.stripe(),
    "plaid": signers.plaid,
    "twilio": lambda vendors: signers.twilio(),
    "openai": lambda vendors: signers.openai(),
}


def _with(hook: Hook, **headers) -> Hook:
    hook.headers = {**hook.headers, **headers}
    return hook


def _body(hook: Hook, body: bytes) -> Hook:
    hook.body = body
    return hook


def _none_token(vendors) -> Hook:
    hook = signers.plaid(vendors)
    kid = json.loads(base64.urlsafe_b64decode(hook.headers["Plaid-Verification"].split(".")[0] + "=="))["kid"]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": kid}).encode()).decode().rstrip("=")
    claims = hook.headers["Plaid-Verification"].split(".")[1]
    return _with(hook, **{"Plaid-Verification": f"{head}.{claims}."})


BAD = {
    "stripe: no signature": lambda v: Hook("stripe", signers.STRIPE, {}),
    "stripe: another secret": lambda v: signers.stripe(secret="whsec_other"),
    "stripe: changed body": lambda v: _body(signers.stripe(), signers.STRIPE.replace(b"pi_1", b"pi_2")),
    "stripe: stale": lambda v: signers.stripe(age=301),
    "stripe: early": lambda v: signers.stripe(age=-310),
    "stripe: no time": lambda v: _with(signers.stripe(), **{"Stripe-Signature": "v1=abc"}),
    "stripe: two times": lambda v: _with(
        signers.stripe(), **{"Stripe-Signature": "t=1,t=2," + signers.stripe().headers["Stripe-Signature"]}
    ),
    "stripe: time is a word": lambda v: _with(signers.stripe(), **{"Stripe-Signature": "t=now,v1=abc"}),
    "stripe: time beyond all": lambda v: _with(
        signers.stripe(), **{"Stripe-Signature": "t=" + "9" * 400 + ",v1=abc"}
    ),
    "stripe: old scheme": lambda v: _with(
        signers.stripe(),
        **{"Stripe-Signature": signers.stripe().headers["Stripe-Signature"].replace("v1", "v0")},
    ),
    "stripe: garbled though signed": lambda v: signers.stripe(b'{"id": '),
    "stripe: no text though signed": lambda v: signers.stripe(b"\xff\xfe\x00"),
    "stripe: not an event though signed": lambda v: signers.stripe(b'{"id":"evt_1","object":"charge"}'),
    "stripe: a list though signed": lambda v: signers.stripe(b"[]"),
    "stripe: id is a number though signed": lambda v: signers.stripe(
        b'{"id":7,"object":"event","created":1,"type":"x","data":{}}'
    ),
    "stripe: a name twice though signed": lambda v: signers.stripe(
        b'{"id":"evt_1","id":"evt_2","object":"event","created":1,"type":"x"}'
    ),
    "stripe: empty": lambda v: signers.stripe(b""),
    "plaid: no token": lambda v: Hook("plaid", signers.PLAID, {}),
    "plaid: rubbish token": lambda v: Hook("plaid", signers.PLAID, {"Plaid-Verification": "a.b.c"}),
    "plaid: another key": lambda v: signers.plaid(v, key=signers.stranger()),
    "plaid: unknown key": lambda v: signers.plaid(v, kid="nobody", key=signers.stranger()),
    "plaid: key id beyond all": lambda v: signers.plaid(v, kid="k" * 4000, key=signers.stranger()),
    "plaid: shared secret instead": lambda v: signers.plaid(v, key="s" * 40, algorithm="HS256"),
    "plaid: no algorithm": _none_token,
    "plaid: changed body": lambda v: _body(signers.plaid(v), signers.PLAID + b" "),
    "plaid: stale": lambda v: signers.plaid(v, age=301),
    "plaid: early": lambda v: signers.plaid(v, age=-310),
    "plaid: time is a word": lambda v: signers.plaid(v, claims={"iat": "now"}),
    "plaid: no digest": lambda v: signers.plaid(v, claims={"request_body_sha256": None}),
    "plaid: garbled though signed": lambda v: signers.plaid(v, b"{"),
    "plaid: no code though signed": lambda v: signers.plaid(v, b'{"webhook_type": "TRANSFER"}'),
    "twilio: no signature": lambda v: Hook(
        "twilio", b"MessageSid=SM1", {"Content-Type": "application/x-www-form-urlencoded"}
    ),
    "twilio: another secret": lambda v: signers.twilio(secret="other"),
    "twilio: changed body": lambda v: _body(
        signers.twilio(), signers.twilio().body.replace(b"delivered", b"failed")
    ),
    "twilio: another address": lambda v: signers.twilio(query="ref=msg_2", signed_query="ref=msg_1"),
    "twilio: another account": lambda v: signers.twilio({"AccountSid": "AC" + "0" * 32}),
    "twilio: a field twice": lambda v: _body(
        signers.twilio(), signers.twilio().body + b"&To=%2B4915112345678"
    ),
    "twilio: not a form": lambda v: _with(signers.twilio(), **{"Content-Type": "application/json"}),
    "twilio: no status": lambda v: signers.twilio({"MessageStatus": ""}),
    "twilio: garbled": lambda v: signers.twilio(body=b"%ff%zz=&&&\xff"),
    "twilio: empty": lambda v: signers.twilio(body=b""),
    "openai: no signature": lambda v: Hook("openai", signers.OPENAI, {}),
    "openai: another secret": lambda v: signers.openai(secret="whsec_b3RoZXI="),
    "openai: changed body": lambda v: _body(signers.openai(), signers.OPENAI + b" "),
    "openai: another id": lambda v: _with(signers.openai(), **{"webhook-id": "wh_2"}),
    "openai: stale": lambda v: signers.openai(age=301),
    "openai: early": lambda v: signers.openai(age=-310),
    "openai: time is a word": lambda v: _with(signers.openai(), **{"webhook-timestamp": "now"}),
    "openai: garbled though signed": lambda v: signers.openai(b'{"id"'),
    "openai: no type though signed": lambda v: signers.openai(b'{"created_at": 1}'),
}


@pytest.mark.parametrize("vendor", GOOD)
def test_a_genuine_webhook_is_stored_once_however_often_it_comes(vendors, client, vendor):
    hook = GOOD[vendor](vendors)

    answers = [hook.send(client).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    event = VendorEvent.objects.get()
    assert (event.vendor, event.status) == (vendor, "RECEIVED")


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_genuine_is_refused_and_leaves_nothing(vendors, client, name):
    hook = BAD[name](vendors)

    answer = hook.send(client)

    assert answer.status_code == 400
    assert not VendorEvent.objects.exists()


def test_refusals_are_audited_once_a_minute_not_each_time(vendors, client):
    for _ in range(5):
        signers.stripe(secret="whsec_other").send(client)

    record = AuditRecord.objects.filter(action="webhook.refuse")[0]

    assert (record.object_id, record.outcome, record.reason_code) == ("stripe", "REFUSED", "BAD_SIGNATURE")
    assert AuditRecord.objects.filter(action="webhook.refuse").count() <= 2  # the minute may turn meanwhile


def test_a_body_that_is_too_large_is_not_read(vendors, client):
    answer = Hook("stripe", b"x" * (1024 * 1024 + 1), {}).send(client)

    assert answer.status_code == 413


def test_unknown_vendors_and_other_methods_have_no_door(vendors, client):
    assert client.post("/hooks/nobody/").status_code == 404
    assert client.get("/hooks/stripe/").status_code == 405


def test_a_flood_is_held_off(vendors, client, settings, monkeypatch):
    from flowlet.integrations import views

    monkeypatch.setattr(views, "PER_MINUTE", 2)

    answers = {signers.stripe().send(client).status_code for _ in range(6)}

    assert 429 in answers


def test_both_secrets_are_good_while_one_replaces_the_other(vendors, client, settings):
    settings.VENDORS["stripe"]["secrets"] = ["whsec_new", "whsec_simulator"]

    old = signers.stripe().send(client)
    new = signers.stripe(signers.STRIPE.replace(b"evt_1", b"evt_2"), secret="whsec_new").send(client)

    assert (old.status_code, new.status_code) == (200, 200)


def test_a_retired_key_of_plaids_is_refused(vendors, client):
    hook = signers.plaid(vendors)
    vendors.vendors["plaid"].keys.rotate()
    vendors.vendors["plaid"].keys._expires[next(iter(vendors.vendors["plaid"].keys._keys))] = 1

    assert hook.send(client).status_code == 400


def test_plaid_is_asked_once_about_a_key_it_does_not_know(vendors, client):
    asked = Plan.read({"match": {"path": "/webhook_verification_key/get"}, "do": "delay", "seconds": 0})
    vendors.faults.plans = [asked]

    for _ in range(4):
        signers.plaid(vendors, kid="nobody", key=signers.stranger()).send(client)

    assert asked.seen == 1


def test_without_redis_genuine_webhooks_still_come_in(vendors, client, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0", "KEY_PREFIX": "gone"}
    }

    answers = [hook(vendors).send(client).status_code for hook in GOOD.values()]

    assert answers == [200, 200, 200, 200]


def test_the_same_news_of_plaids_at_two_times_are_two_events(vendors, client):
    signers.plaid(vendors).send(client)
    signers.plaid(vendors).send(client)

    assert VendorEvent.objects.count() == 2


def test_the_address_that_twilio_signed_is_ours_not_the_senders(vendors, client):
    hook = signers.twilio()
    hook.headers["X-Forwarded-Host"] = "elsewhere.example"

    assert hook.send(client).status_code == 200
