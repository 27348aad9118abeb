"""What every call to the simulated Stripe passes: keys, idempotency, errors, events, pages. Standard library only."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any

from flowlet.integrations.simulation.defaults import SECRETS
from flowlet.integrations.simulation.protocol import Call, Delivery, Json, Reply, Simulator, VendorProblem
from flowlet.integrations.stripe import shapes
from flowlet.integrations.stripe.shapes import CARDS

_PAGE_MAX = 100
_AVAILABLE_S = 2 * 24 * 3600
_FAILURES = {
    404: ("invalid_request_error", ""),
    429: ("invalid_request_error", "rate_limit"),
}


@dataclass(slots=True)
class _Used:
    """An idempotency key: what it was used for, and the first answer once there is one."""

    fingerprint: bytes
    reply: Reply | None = None


class StripeGround(Simulator):
    """The part of Stripe that knows nothing about payments."""

    vendor = "stripe"

    def reset(self) -> None:
        """Forget everything."""
        self.movements: dict[str, Json] = {}
        self.events: dict[str, Json] = {}
        self.keys: dict[str, _Used] = {}

    def begin(self, call: Call) -> Reply | None:
        """Check the key, then the idempotency key: same request, same answer; other parameters, conflict."""
        bearer = call.headers.get("authorization", "")
        if self.world.replaying is None and not bearer.startswith("Bearer sk_test_"):
            return problem(401, "invalid_request_error", "", "Invalid API Key provided.")
        name = call.headers.get("idempotency-key")
        if not name or call.method != "POST":
            return None
        fingerprint = hashlib.sha256(f"{call.path}|".encode() + call.body).digest()
        used = self.keys.get(name)
        if used is None:
            self.keys[name] = _Used(fingerprint)
            return None
        if used.fingerprint != fingerprint:
            return problem(
                400,
                "idempotency_error",
                "",
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            )
        if used.reply is None:
            return problem(
                409,
                "invalid_request_error",
                "idempotency_key_in_use",
                "There is currently another in-progress request using this idempotency key.",
            )
        return Reply(
            used.reply.status, used.reply.body, {**used.reply.headers, "Idempotent-Replayed": "true"}
        )

    def finish(self, call: Call, reply: Reply) -> None:
        """Keep the first answer under its key, a 500 too; a request that failed validation does not use the key up."""
        name = call.headers.get("idempotency-key")
        if not name or call.method != "POST" or name not in self.keys:
            return
        if reply.status in (400, 404):
            del self.keys[name]
        else:
            self.keys[name].reply = reply

    def failure(self, status: int) -> Reply:
        """Return Stripe's words for its own fault, for too many requests, for an unknown address."""
        kind, code = _FAILURES.get(status, ("api_error", ""))
        return problem(status, kind, code, "Something went wrong on Stripe's end.", self.request_id())

    def signed(self, delivery: Delivery, now: int) -> tuple[bytes, dict[str, str]]:
        """Sign `t.body` with HMAC-SHA-256; a forged one is signed with another secret."""
        body = json.dumps(delivery.event).encode()
        secret = "whsec_somebody_else" if delivery.forged else SECRETS["stripe"]
        digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={digest}"}

    def _move(self, kind: str, amount: int, fee: int, source: Json, *, category: str = "") -> Json:
        now = int(self.world.now())
        movement = shapes.new_movement(
            kind=kind,
            category=category,
            amount=amount,
            fee=fee,
            source=source,
            id=self.world.new_id("movement", "txn_3"),
            created=now,
            available_on=now + _AVAILABLE_S,
        )
        self.movements[movement["id"]] = movement
        return movement

    def _tell(self, kind: str, subject: Json) -> None:
        event: Json = {
            "id": self.world.new_id("event", "evt_3"),
            "object": "event",
            "api_version": shapes.API_VERSION,
            "created": int(self.world.now()),
            "data": {"object": copied(subject)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.events[event["id"]] = event
        self.send(Delivery(self.vendor, self.hook_url, kind, event, self.world.now()))

    def _reply(self, subject: Json) -> Reply:
        return Reply(200, copied(subject), {"Request-Id": self.request_id()})

    def _find(self, shelf: dict[str, Json], key: str, kind: str) -> Json:
        if key not in shelf:
            raise VendorProblem(
                problem(
                    404, "invalid_request_error", "resource_missing", f"No such {kind}", self.request_id()
                )
            )
        return shelf[key]

    def _page(self, call: Call, shelf: dict[str, Json]) -> Reply:
        form = call.form()
        limit = min(int(form.get("limit", 10)), _PAGE_MAX)
        items = [item for item in reversed(list(shelf.values())) if _asked_for(item, form)]
        after = form.get("starting_after")
        if after:
            items = items[[item["id"] for item in items].index(after) + 1 :]
        page = shapes.new_list(call.path, items[:limit], has_more=len(items) > limit)
        return self._reply(page)


def copied(value: Json) -> Json:
    """Return the value as it is now."""
    # The books go on changing; what was said stays as it was said.
    fresh: Json = json.loads(json.dumps(value))
    return fresh


def problem(status: int, kind: str, code: str, message: str, request_id: str = "req_refused") -> Reply:
    """Return an error in Stripe's shape."""
    error: dict[str, Any] = {"message": message, "type": kind}
    if code:
        error["code"] = code
    return Reply(status, {"error": error}, {"Request-Id": request_id})


def refusal(code: str, param: str) -> VendorProblem:
    """Return a 400 to be raised."""
    reply = problem(400, "invalid_request_error", code, "The request was refused.")
    if param and isinstance(reply.body, dict):
        reply.body["error"]["param"] = param
    return VendorProblem(reply)


def positive(form: Json, name: str) -> int:
    """Return a positive whole number of the form."""
    text = form.get(name, "")
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) < 1:
        raise refusal("parameter_invalid_integer", name)
    return int(text)


def card_of(method: str) -> shapes.TestCard:
    """Return the test card behind a payment method."""
    card = CARDS.get(method)
    if card is None:
        raise refusal("resource_missing", "payment_method")
    return card


def _asked_for(item: Json, form: Json) -> bool:
    created = form.get("created", {})
    bounds = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}
    if isinstance(created, dict) and not all(
        bounds[name](item["created"], int(value)) for name, value in created.items()
    ):
        return False
    same = ("payment_intent", "charge", "customer", "type", "source", "destination", "status")
    return all(item.get(name) == form[name] for name in same if name in form)
