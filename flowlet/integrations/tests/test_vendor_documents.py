"""Every answer that the house uses, judged by the vendors' own OpenAPI documents, which lie beside the project."""

import json

import pytest
import requests
from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from flowlet.integrations.simulation.defaults import TWILIO_ACCOUNT, TWILIO_SERVICE
from flowlet.integrations.tests.documents import SPECS

STRIPE, PLAID, OPENAI = "stripe-payments", "plaid", "openai"
SMS, VERIFY = "twilio-messages", "twilio-verify"
_MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
_PLAID = {"client_id": "simulator", "secret": "simulator"}
_PAY = {"amount": "2500", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}


def _stripe(base, method, path, form=None):
    headers = {"Authorization": "Bearer sk_test_simulator"}
    return requests.request(method, base["stripe"] + path, data=form, headers=headers, timeout=5)


def _plaid(base, path, body):
    return requests.post(base["plaid"] + path, json={**_PLAID, **body}, timeout=5)


def _twilio(base, method, path, form=None):
    auth = (TWILIO_ACCOUNT, "simulator")
    return requests.request(method, base["twilio"] + path, data=form, auth=auth, timeout=5)


def _openai(base, method, path, body=None):
    headers = {"Authorization": "Bearer sk-simulator"}
    return requests.request(method, base["openai"] + path, json=body, headers=headers, timeout=5)


def _stripe_answers(base):
    intent = _stripe(base, "POST", "/v1/payment_intents", _PAY)
    yield "post", "/v1/payment_intents", intent
    challenge = _stripe(
        base, "POST", "/v1/payment_intents", {**_PAY, "payment_method": "pm_card_authenticationRequired"}
    )
    yield "post", "/v1/payment_intents", challenge
    name = challenge.json()["id"]
    yield (
        "post",
        "/v1/payment_intents/{intent}/confirm",
        _stripe(base, "POST", f"/v1/payment_intents/{name}/confirm"),
    )
    waiting = _stripe(base, "POST", "/v1/payment_intents", {"amount": "900", "currency": "eur"}).json()["id"]
    yield (
        "post",
        "/v1/payment_intents/{intent}/cancel",
        _stripe(base, "POST", f"/v1/payment_intents/{waiting}/cancel"),
    )
    refund = _stripe(base, "POST", "/v1/refunds", {"payment_intent": intent.json()["id"], "amount": "500"})
    yield "post", "/v1/refunds", refund
    movement = _stripe(base, "GET", "/v1/balance_transactions")
    yield "get", "/v1/balance_transactions", movement
    event = _stripe(base, "GET", "/v1/events")
    yield "get", "/v1/events", event
    singles = {
        "/v1/payment_intents/{intent}": intent.json()["id"],
        "/v1/refunds/{refund}": refund.json()["id"],
        "/v1/charges/{charge}": intent.json()["latest_charge"],
        "/v1/balance_transactions/{id}": movement.json()["data"][0]["id"],
        "/v1/events/{id}": event.json()["data"][0]["id"],
    }
    for path, key in singles.items():
        yield "get", path, _stripe(base, "GET", path.rpartition("/")[0] + f"/{key}")
    yield from _dispute_answers(base)
    yield from _payout_answers(base)
    for path in ("/v1/payment_intents", "/v1/refunds", "/v1/balance"):
        yield "get", path, _stripe(base, "GET", path)
    yield (
        "post",
        "/v1/payment_intents",
        _stripe(base, "POST", "/v1/payment_intents", {**_PAY, "payment_method": "pm_card_chargeDeclined"}),
    )


def _dispute_answers(base):
    form = {**_PAY, "payment_method": "pm_card_createDispute"}
    charge = _stripe(base, "POST", "/v1/payment_intents", form).json()["latest_charge"]
    requests.post(f"{base['stripe']}/_control/clock", json={"advance_s": 700}, timeout=5)
    disputes = _stripe(base, "GET", "/v1/disputes")
    (dispute,) = disputes.json()["data"]
    yield "get", "/v1/disputes", disputes
    yield "get", "/v1/disputes/{dispute}", _stripe(base, "GET", f"/v1/disputes/{dispute['id']}")
    yield "get", "/v1/balance_transactions", _stripe(base, "GET", "/v1/balance_transactions")
    yield "post", "/v1/refunds", _stripe(base, "POST", "/v1/refunds", {"charge": charge})
    yield "get", "/v1/events", _stripe(base, "GET", "/v1/events")


def _payout_answers(base):
    form = {
        "amount": "2592",
        "currency": "eur",
        "destination": "ba_1",
        "metadata[flowlet_reference]": "pay_1-1",
    }
    made = _stripe(base, "POST", "/v1/payouts", form)
    yield "post", "/v1/payouts", made
    yield "post", "/v1/payouts", _stripe(base, "POST", "/v1/payouts", {**form, "amount": "2593"})
    requests.post(f"{base['stripe']}/_control/clock", json={"advance_s": 5}, timeout=5)
    failed = f"/v1/payouts/{made.json()['id']}"
    yield "get", "/v1/payouts/{payout}", _stripe(base, "GET", failed)
    other = _stripe(base, "POST", "/v1/payouts", {**form, "amount": "2500"}).json()["id"]
    yield "post", "/v1/payouts/{payout}/cancel", _stripe(base, "POST", f"/v1/payouts/{other}/cancel")
    yield "get", "/v1/payouts", _stripe(base, "GET", "/v1/payouts")


def _plaid_answers(base):
    def ask(path, body):
        return "post", path, _plaid(base, path, body)

    yield ask("/link/token/create", {"user": {"client_user_id": "cus_1"}})
    yield ask("/link/token/create", {"user": {"client_user_id": "cus_1"}, "hosted_link": {}})
    yield ask("/webhook_verification_key/get", {"key_id": "nobody"})
    for institution in ("ins_117650", "ins_118923", "ins_109508"):
        public = ask(
            "/sandbox/public_token/create", {"institution_id": institution, "initial_products": ["auth"]}
        )
        yield public
        exchanged = ask("/item/public_token/exchange", {"public_token": public[2].json()["public_token"]})
        yield exchanged
        token = {"access_token": exchanged[2].json()["access_token"]}
        for path in ("/item/get", "/accounts/get", "/accounts/balance/get", "/auth/get"):
            yield ask(path, token)
        yield ask("/identity/match", {**token, "user": {"legal_name": "Alberta Charleson"}})
    account = {**token, "account_id": ask("/accounts/get", token)[2].json()["accounts"][0]["account_id"]}
    wanted = {"type": "debit", "network": "ach", "user": {"legal_name": "Alberta Charleson"}}
    for amount in ("999999.00", "10.00"):
        authorized = ask("/transfer/authorization/create", {**account, **wanted, "amount": amount})
        yield authorized
    made = ask(
        "/transfer/create",
        {
            **account,
            "authorization_id": authorized[2].json()["authorization"]["id"],
            "description": "TOPUP",
            "metadata": {"flowlet_reference": "pay_1"},
        },
    )
    yield made
    transfer = {"transfer_id": made[2].json()["transfer"]["id"]}
    for happens in ("posted", "returned"):
        yield ask("/sandbox/transfer/simulate", {**transfer, "event_type": happens})
    yield ask("/transfer/get", transfer)
    yield ask("/transfer/list", {})
    yield ask("/transfer/event/sync", {"after_id": 0})
    yield ask("/transfer/cancel", transfer)
    yield ask("/item/remove", token)


def _sms_answers(base):
    path = f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages"
    sent = _twilio(
        base, "POST", f"{path}.json", {"To": "+4915112345678", "From": "+15005550006", "Body": "Hello"}
    )
    yield "post", _MESSAGES, sent
    yield "get", _MESSAGES, _twilio(base, "GET", f"{path}.json")
    one = _twilio(base, "GET", f"{path}/{sent.json()['sid']}.json")
    yield "get", "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", one


def _verify_answers(base):
    path = f"/v2/Services/{TWILIO_SERVICE}"
    started = _twilio(base, "POST", f"{path}/Verifications", {"To": "+4915112345678", "Channel": "sms"})
    yield "post", "/v2/Services/{ServiceSid}/Verifications", started
    sid = started.json()["sid"]
    one = _twilio(base, "GET", f"{path}/Verifications/{sid}")
    yield "get", "/v2/Services/{ServiceSid}/Verifications/{Sid}", one
    check = _twilio(base, "POST", f"{path}/VerificationCheck", {"VerificationSid": sid, "Code": "1"})
    yield "post", "/v2/Services/{ServiceSid}/VerificationCheck", check


def _openai_answers(base):
    chat = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}
    yield "post", "/chat/completions", _openai(base, "POST", "/chat/completions", chat)
    ask = {"model": "gpt-5-mini", "input": "Hello", "instructions": "Be short."}
    made = _openai(base, "POST", "/responses", ask)
    yield "post", "/responses", made
    yield "post", "/responses", _openai(base, "POST", "/responses", {**ask, "background": True})
    tool = {"type": "function", "name": "get_balances", "strict": True, "parameters": {"type": "object"}}
    question = [{"role": "user", "content": "What is my balance?"}]
    called = _openai(base, "POST", "/responses", {**ask, "input": question, "tools": [tool]})
    yield "post", "/responses", called
    one = _openai(base, "GET", f"/responses/{made.json()['id']}")
    yield "get", "/responses/{response_id}", one
    embed = {"model": "text-embedding-3-small", "input": ["Hello"]}
    yield "post", "/embeddings", _openai(base, "POST", "/embeddings", embed)
    yield "post", "/moderations", _openai(base, "POST", "/moderations", {"input": ["Hello", "bomb"]})
    yield "get", "/models", _openai(base, "GET", "/models")
    yield "get", "/models/{model}", _openai(base, "GET", "/models/gpt-5-mini")


ANSWERS = {
    STRIPE: _stripe_answers,
    PLAID: _plaid_answers,
    SMS: _sms_answers,
    VERIFY: _verify_answers,
    OPENAI: _openai_answers,
}


def _adjusted(node):
    """Say "may be null" to enum, anyOf and allOf as well, which OpenAPI 3.0's `nullable` forgets."""
    if isinstance(node, list):
        return [_adjusted(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: _adjusted(item) for name, item in node.items()}
    if node.get("nullable") is True:
        if "enum" in node and None not in node["enum"]:
            node["enum"] = [*node["enum"], None]
        if "$ref" in node or "allOf" in node or "anyOf" in node:
            inner = {name: item for name, item in node.items() if name != "nullable"}
            return {"anyOf": [inner, {"enum": [None]}]}
    return node


class Judge:
    """One vendor's document, ready to be asked about answers."""

    def __init__(self, name):
        self.document = json.loads((SPECS / f"{name}.openapi.json").read_text())
        self.document = {**self.document, "components": _adjusted(self.document["components"])}
        self.validator = OAS31Validator if self.document["openapi"].startswith("3.1") else OAS30Validator
        resource = Resource(contents=self.document, specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:document", resource)

    def faults(self, method, path, status, body):
        responses = self.document["paths"][path][method]["responses"]
        answer = responses.get(str(status)) or responses["default"]
        schema = _adjusted(next(iter(answer["content"].values()))["schema"])
        rooted = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
        validator = self.validator(rooted, registry=self.registry)
        return [f"{error.json_path}: {error.message}"[:200] for error in validator.iter_errors(body)]


def _spoiled(body):
    """Yield the answer with the type of one field wrong, field by field, the nested ones too."""
    for name, value in body.items():
        yield {
            **body,
            name: 42 if not isinstance(value, int | float) or isinstance(value, bool) else {"no": 1},
        }
        if isinstance(value, dict) and value:
            for inner in _spoiled(value):
                yield {**body, name: inner}


@pytest.mark.parametrize("document", ANSWERS)
def test_every_answer_is_valid_by_the_vendors_document_and_the_judge_is_awake(vendors, document):
    judge = Judge(document)
    judged = 0

    for method, path, answer in ANSWERS[document](vendors.urls()):
        body = answer.json()
        if method == "post" and "error" not in body and "error_code" not in body:
            assert answer.status_code in (200, 201)
        faults = judge.faults(method, path, answer.status_code, body)
        assert faults == [], f"{method} {path}"
        awake = any(judge.faults(method, path, answer.status_code, spoiled) for spoiled in _spoiled(body))
        assert awake, f"no judge for {method} {path}"
        judged += 1

    assert judged >= 3
