"""How each vendor signs, written once more from the vendors' documents, so that the simulators do not judge themselves."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from flowlet.integrations.simulation.defaults import SECRETS, TWILIO_ACCOUNT

MESSAGE = "SM" + "a" * 32


@dataclass
class Hook:
    """One webhook as it goes over the wire."""

    vendor: str
    body: bytes
    headers: dict
    query: str = ""

    def send(self, client):
        address = f"/hooks/{self.vendor}/" + (f"?{self.query}" if self.query else "")
        kind = self.headers.get("Content-Type", "application/json")
        headers = {name: value for name, value in self.headers.items() if name != "Content-Type"}
        return client.post(address, data=self.body, content_type=kind, headers=headers)


STRIPE = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "created": 1_790_000_000,
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1"}},
    }
).encode()
PLAID = json.dumps(
    {"webhook_type": "TRANSFER", "webhook_code": "TRANSFER_EVENTS_UPDATE", "environment": "sandbox"}
).encode()
TWILIO = {
    "AccountSid": TWILIO_ACCOUNT,
    "MessageSid": MESSAGE,
    "MessageStatus": "delivered",
    "To": "+4915112345678",
}
OPENAI = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "created_at": 1_790_000_000,
        "type": "response.completed",
        "data": {"id": "resp_1"},
    }
).encode()


def stripe(body=STRIPE, *, age=0, secret=SECRETS["stripe"]):
    at = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return Hook("stripe", body, {"Stripe-Signature": f"t={at},v1={digest}"})


def plaid(vendors, body=PLAID, *, age=0, key=None, algorithm="ES256", kid=None, claims=None):
    room = vendors.vendors["plaid"].keys
    name = list(room._keys)[-1]
    given = {"iat": int(time.time()) - age, "request_body_sha256": hashlib.sha256(body).hexdigest()}
    token = jwt.encode(
        {**given, **(claims or {})},
        key or room._keys[name],
        algorithm=algorithm,
        headers={"kid": kid or name},
    )
    return Hook("plaid", body, {"Plaid-Verification": token})


def twilio(fields=None, *, query="ref=msg_1", secret=SECRETS["twilio"], signed_query=None, body=None):
    fields = {**TWILIO, **(fields or {})}
    text = f"http://testserver/hooks/twilio/?{query if signed_query is None else signed_query}"
    text += "".join(name + fields[name] for name in sorted(fields))
    digest = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    headers = {"X-Twilio-Signature": digest, "Content-Type": "application/x-www-form-urlencoded"}
    return Hook("twilio", urlencode(fields).encode() if body is None else body, headers, query)


def openai(body=OPENAI, *, age=0, secret=SECRETS["openai"], name="wh_1"):
    at = str(int(time.time()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    headers = {"webhook-id": name, "webhook-timestamp": at, "webhook-signature": signature}
    return Hook("openai", body, headers)


def stranger() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
