"""What every call to the simulated Plaid passes: keys, errors, tokens, signed webhooks."""

import hashlib
import json

from flowlet.integrations.plaid import banks
from flowlet.integrations.plaid.signing import KeyRoom
from flowlet.integrations.simulation.protocol import Call, Delivery, Json, Reply, Simulator, VendorProblem

_FAILURES = {
    404: ("INVALID_REQUEST", "NOT_FOUND"),
    429: ("RATE_LIMIT_EXCEEDED", "RATE_LIMIT"),
}


class PlaidGround(Simulator):
    """The part of Plaid that knows nothing about transfers."""

    vendor = "plaid"

    def reset(self) -> None:
        """Forget everything."""
        self.items: dict[str, Json] = {}
        self.tokens: dict[str, str] = {}
        self.keys = KeyRoom(self.world)

    def begin(self, call: Call) -> Reply | None:
        """Check client and secret, in headers as the SDK sends them or in the body as others do."""
        if call.path.startswith("/hosted/"):
            return None  # a page for people, who have no keys
        body = call.json() if call.body else {}
        known = call.headers.get("plaid-client-id") or body.get("client_id")
        secret = call.headers.get("plaid-secret") or body.get("secret")
        if self.world.replaying is None and not (known and secret and not secret.startswith("wrong")):
            return self._problem(
                400, "INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided"
            )
        return None

    def failure(self, status: int) -> Reply:
        """Return Plaid's words for its own fault, for too many requests, for an unknown address."""
        kind, code = _FAILURES.get(status, ("API_ERROR", "INTERNAL_SERVER_ERROR"))
        return self._problem(status, kind, code, "an unexpected error occurred")

    def signed(self, delivery: Delivery, now: int) -> tuple[bytes, dict[str, str]]:
        """Sign the digest of the body as a JWT; a forged one is signed with a key that Plaid does not know."""
        body = json.dumps(delivery.event).encode()
        claims = {"iat": now, "request_body_sha256": hashlib.sha256(body).hexdigest()}
        token = self.keys.sign(claims, forged=delivery.forged)
        return body, {"Content-Type": "application/json", "Plaid-Verification": token}

    def _reply(self, body: Json) -> Reply:
        copied: Json = json.loads(json.dumps(body))
        return Reply(200, {**copied, "request_id": self.request_id()})

    def _problem(self, status: int, kind: str, code: str, message: str) -> Reply:
        return Reply(
            status,
            {
                "display_message": None,
                "error_code": code,
                "error_message": message,
                "error_type": kind,
                "request_id": self.request_id(),
            },
        )

    def _refusal(self, code: str, field: str) -> VendorProblem:
        return VendorProblem(self._problem(400, "INVALID_INPUT", code, f"check {field}"))

    def _item(self, call: Call) -> Json:
        item_id = self.tokens.get(call.json().get("access_token", ""))
        if item_id is None:
            raise self._refusal("INVALID_ACCESS_TOKEN", "access_token")
        return self.items[item_id]

    def _accounts(self, call: Call, item: Json) -> list[Json]:
        wanted = (call.json().get("options") or {}).get("account_ids")
        return [
            banks.shown(account)
            for account in item["accounts"]
            if wanted is None or account["account_id"] in wanted
        ]

    def _account(self, call: Call) -> Json:
        wanted = call.json().get("account_id")
        for account in self._item(call)["accounts"]:
            if account["account_id"] == wanted:
                found: Json = account
                return found
        raise self._refusal("INVALID_ACCOUNT_ID", "account_id")
