"""A Twilio that can be asked to misbehave: messages with callbacks, Verify. Standard library only."""

import base64
import hashlib
import hmac
import math
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import urlencode

from flowlet.integrations.simulation.defaults import SECRETS, TWILIO_ACCOUNT
from flowlet.integrations.simulation.protocol import Call, Delivery, Json, Reply, Simulator, VendorProblem

# Numbers that fail at once. Source: Twilio's documentation, "Test credentials"; read 2026-11-24.
_MAGIC = {
    "+15005550001": (21211, "Invalid 'To' Phone Number"),
    "+15005550002": (21612, "The 'To' phone number is not currently reachable via SMS"),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}
# Numbers that end in one of these are accepted and not delivered, with that code.
_UNDELIVERED = ("30003", "30005", "30006", "30007")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_GSM = 160
_GSM_PART = 153
_CHECKS_MAX = 5
_SENDS_MAX = 5
_CODE_LIFE_S = 600.0


class TwilioSimulator(Simulator):
    """Messages and Verify for one account. The codes that were sent stand in the books."""

    vendor = "twilio"
    routes: ClassVar = {
        "POST /2010-04-01/Accounts/{account}/Messages.json": "create_message",
        "GET /2010-04-01/Accounts/{account}/Messages.json": "list_messages",
        "GET /2010-04-01/Accounts/{account}/Messages/{sid}.json": "get_message",
        "POST /v2/Services/{service}/Verifications": "create_verification",
        "GET /v2/Services/{service}/Verifications/{sid}": "get_verification",
        "POST /v2/Services/{service}/VerificationCheck": "check_verification",
    }

    def reset(self) -> None:
        """Forget everything."""
        self.messages: dict[str, Json] = {}
        self.callbacks: dict[str, str] = {}
        self.verifications: dict[str, Json] = {}
        self.codes: dict[str, str] = {}
        self.checks: dict[str, int] = {}

    def books(self) -> Json:
        """Return every message, every verification and its code."""
        return {"messages": self.messages, "verifications": self.verifications, "codes": self.codes}

    def begin(self, call: Call) -> Reply | None:
        """Check account and token."""
        kind, _, encoded = call.headers.get("authorization", "").partition(" ")
        given = base64.b64decode(encoded).decode() if kind == "Basic" else ""
        if self.world.replaying is None and not given.startswith(f"{TWILIO_ACCOUNT}:"):
            return _problem(401, 20003, "Authenticate")
        return None

    def failure(self, status: int) -> Reply:
        """Return Twilio's words for its own fault, for too many requests, for an unknown address."""
        return _problem(status, {429: 20429, 404: 20404}.get(status, 20500), "Something went wrong")

    def signed(self, delivery: Delivery, _now: int) -> tuple[bytes, dict[str, str]]:
        """Sign address and sorted fields; a forged one is signed with another token."""
        secret = "somebody else" if delivery.forged else SECRETS["twilio"]
        text = delivery.url + "".join(name + delivery.event[name] for name in sorted(delivery.event))
        digest = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
        }
        return urlencode(delivery.event).encode(), headers

    # --- messages -------------------------------------------------------------------------------------------------

    def create_message(self, call: Call, account: str) -> Reply:
        """Take a message; it is sent and delivered in steps, each with a callback."""
        form = call.form()
        to, body = str(form.get("To", "")), str(form.get("Body", ""))
        if to in _MAGIC:
            raise VendorProblem(_problem(400, *_MAGIC[to]))
        if not _NUMBER.fullmatch(to):
            raise VendorProblem(_problem(400, 21211, "Invalid 'To' Phone Number"))
        if not body:
            raise VendorProblem(_problem(400, 21602, "Message body is required"))
        sid, now = self.world.new_hex("message", "SM"), self._rfc2822()
        path = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        self.messages[sid] = {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": str(1 if len(body) <= _GSM else math.ceil(len(body) / _GSM_PART)),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": to,
            "uri": f"{path}.json",
        }
        self.callbacks[sid] = str(form.get("StatusCallback", ""))
        fails = next((code for code in _UNDELIVERED if to.endswith(code)), "")
        self.world.plan(0.0, self.vendor, "move", {"sid": sid, "status": "sent", "code": ""})
        final = "undelivered" if fails else "delivered"
        self.world.plan(0.1, self.vendor, "move", {"sid": sid, "status": final, "code": fails})
        return Reply(201, dict(self.messages[sid]))

    def step_move(self, sid: str, status: str, code: str) -> None:
        """Move a message on and report it."""
        message = self.messages[sid]
        message.update(status=status, date_updated=self._rfc2822(), error_code=int(code) if code else None)
        message["date_sent"] = message["date_sent"] or self._rfc2822()
        event = {
            "AccountSid": message["account_sid"],
            "ApiVersion": "2010-04-01",
            "From": message["from"] or "",
            "MessageSid": sid,
            "MessageStatus": status,
            "SmsSid": sid,
            "SmsStatus": status,
            "To": message["to"],
        }
        if code:
            event["ErrorCode"] = code
        self.send(Delivery(self.vendor, self.callbacks[sid], f"message.{status}", event, self.world.now()))

    def get_message(self, _call: Call, account: str, sid: str) -> Reply:
        """Return one message."""
        if sid not in self.messages or self.messages[sid]["account_sid"] != account:
            raise VendorProblem(self.failure(404))
        return Reply(200, dict(self.messages[sid]))

    def list_messages(self, call: Call, account: str) -> Reply:
        """Return messages, newest first, to one number if asked; days are not looked at, callers filter by time."""
        form = call.form()
        found = [
            dict(message)
            for message in reversed(list(self.messages.values()))
            if message["account_sid"] == account and form.get("To", message["to"]) == message["to"]
        ]
        size = min(int(form.get("PageSize", 50)), 1000)
        uri = f"/2010-04-01/Accounts/{account}/Messages.json"
        page = {
            "messages": found[:size],
            "end": max(len(found[:size]) - 1, 0),
            "first_page_uri": f"{uri}?Page=0",
            "next_page_uri": None,
            "page": 0,
            "page_size": size,
            "previous_page_uri": None,
            "start": 0,
            "uri": uri,
        }
        return Reply(200, page)

    # --- Verify ---------------------------------------------------------------------------------------------------

    def create_verification(self, call: Call, service: str) -> Reply:
        """Send a code; the same code again while one is pending for this number, five times at most."""
        form = call.form()
        to = str(form.get("To", ""))
        if to in _MAGIC or not _NUMBER.fullmatch(to):
            raise VendorProblem(_problem(400, 60200, "Invalid parameter `To`"))
        pending = next((one for one in self.verifications.values() if self._is_pending(one, to)), None)
        now = self._iso()
        if pending is None:
            sid = self.world.new_hex("verification", "VE")
            code = int.from_bytes(self.world.digest("code", sid)[:4], "big") % 1_000_000
            self.codes[sid] = f"{code:06d}"
            self.checks[sid] = 0
            pending = self.verifications[sid] = {
                "account_sid": TWILIO_ACCOUNT,
                "amount": None,
                "channel": form.get("Channel", "sms"),
                "date_created": now,
                "lookup": {},
                "payee": None,
                "send_code_attempts": [],
                "service_sid": service,
                "sid": sid,
                "sna": None,
                "status": "pending",
                "to": to,
                "url": f"https://verify.twilio.com/v2/Services/{service}/Verifications/{sid}",
                "valid": False,
            }
        if len(pending["send_code_attempts"]) >= _SENDS_MAX:
            raise VendorProblem(_problem(429, 60203, "Max send attempts reached"))
        attempt = {"attempt_sid": self.world.new_hex("attempt", "VL"), "channel": "sms", "time": now}
        pending["send_code_attempts"].append(attempt)
        pending["date_updated"] = now
        return Reply(201, dict(pending))

    def get_verification(self, _call: Call, service: str, sid: str) -> Reply:
        """Return one verification that is not over."""
        return Reply(200, dict(self._live(sid, service)))

    def check_verification(self, call: Call, service: str) -> Reply:
        """Compare a code: approved ends the verification, five wrong ones end it too."""
        form = call.form()
        sid = str(form.get("VerificationSid", ""))
        to = form.get("To")
        if to:
            sid = next((one["sid"] for one in self.verifications.values() if self._is_pending(one, to)), "")
        known = self._live(sid, service)
        if self.checks[sid] >= _CHECKS_MAX:
            raise VendorProblem(_problem(429, 60202, "Max check attempts reached"))
        self.checks[sid] += 1
        right = hmac.compare_digest(self.codes[sid].encode(), str(form.get("Code", "")).encode())
        if right:
            known.update(status="approved", valid=True)
        known["date_updated"] = self._iso()
        shown = (
            "account_sid",
            "amount",
            "channel",
            "date_created",
            "date_updated",
            "payee",
            "service_sid",
            "sid",
        )
        answer = {name: known[name] for name in (*shown, "status", "to", "valid")}
        return Reply(201, {**answer, "sna_attempts_error_codes": []})

    def _is_pending(self, verification: Json, to: object) -> bool:
        return (
            verification["to"] == to
            and verification["status"] == "pending"
            and not self._expired(verification)
        )

    def _expired(self, verification: Json) -> bool:
        made = datetime.fromisoformat(verification["date_created"]).timestamp()
        return self.world.now() - made > _CODE_LIFE_S

    def _live(self, sid: str, service: str) -> Json:
        known = self.verifications.get(sid)
        if (
            known is None
            or known["service_sid"] != service
            or known["status"] != "pending"
            or self._expired(known)
        ):
            raise VendorProblem(_problem(404, 20404, "The requested resource was not found"))
        return known

    def _rfc2822(self) -> str:
        return format_datetime(datetime.fromtimestamp(int(self.world.now()), tz=UTC))

    def _iso(self) -> str:
        return datetime.fromtimestamp(int(self.world.now()), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _problem(status: int, code: int, message: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": message, "more_info": more, "status": status})
