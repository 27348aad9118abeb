"""Twilio as the house uses it: text messages with delivery reports, one-time codes. The real SDK does the talking."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from flowlet.core.messages import DeliveryState, Sms
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.calls import perform
from flowlet.integrations.twilio.outcomes import delivery_state, explain
from flowlet.integrations.vendors import Vendor, get_vendor, public_url

HOOK_PATH = "/hooks/twilio/"
_LOOKED_AT_MAX = 200
_PENDING, _APPROVED = "pending", "approved"

Value = TypeVar("Value")


class _HttpClient(TwilioHttpClient):  # type: ignore[misc] # the SDK ships no types
    """
    Twilio's own HTTP client with a time limit, which it does not have, and with another host for the sandbox.

    The SDK knows no base address. Its hosts are told apart by the first label (api., verify.), which becomes the
    first part of the path's target: the simulator answers for all of them at one address.
    """

    def __init__(self, base_url: str, timeout: tuple[float, float]) -> None:
        super().__init__()
        self.base_url = base_url
        # Connect and read apart: the SDK's own argument takes one number, requests takes two.
        self.timeout = timeout

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.base_url:
            address = urlsplit(url)
            url = self.base_url + address.path + (f"?{address.query}" if address.query else "")
        return super().request(method, url, *args, **kwargs)


class SmsSender:
    """Text messages through Twilio; `SMS_BACKEND` names this class."""

    def send(self, message: Sms) -> Answer[DeliveryState]:
        """
        Hand one message over. Twilio knows no idempotency key: after UNKNOWN look with `find`, never send again.

        Our reference goes along in the address that delivery reports come back to.
        """
        vendor = get_vendor("twilio")
        callback = public_url(HOOK_PATH) + "?" + urlencode({"ref": message.our_reference})
        return _call(
            "message.create",
            message.our_reference,
            lambda client: _message_answer(
                client.messages.create(
                    to=message.to,
                    body=message.text,
                    status_callback=callback,
                    **_sender(vendor),
                )
            ),
        )

    def find(self, message: Sms, *, since: datetime) -> Answer[DeliveryState]:
        """
        Look for a message by number, time and text.

        NOT_SENT with code `not_found` if Twilio has none; a request may still be on its way for as long as our read
        time-out.
        """

        def look(client: Client) -> Answer[DeliveryState]:
            for found in client.messages.list(to=message.to, date_sent_after=since, limit=_LOOKED_AT_MAX):
                if found.body == message.text and found.date_created and found.date_created >= since:
                    return _message_answer(found)
            return Answer(Outcome.NOT_SENT, code="not_found")

        return _call("message.find", message.our_reference, look, is_lookup=True)


class CodeSender:
    """One-time codes through Twilio Verify; `CODE_BACKEND` names this class. We never see the code before the person."""

    def start(self, *, to: str, language: str, our_reference: str) -> Answer[str]:
        """Send a code by text message to a number in E.164; ACCEPTED with Twilio's id of the verification."""

        def send(client: Client) -> Answer[str]:
            made = _service(client).verifications.create(to=to, channel="sms", locale=language)
            sid = str(made.sid)
            return Answer(Outcome.ACCEPTED, sid, value=sid)

        return _call("verification.create", our_reference, send)

    def check(self, *, reference: str, code: str) -> Answer[bool]:
        """Compare a code. REFUSED with `not_found` when it has expired or was used, `too_many_checks` after five."""

        def send(client: Client) -> Answer[bool]:
            checked = _service(client).verification_checks.create(verification_sid=reference, code=code)
            right = checked.status == _APPROVED and checked.valid is True
            if not right and checked.status != _PENDING:
                return Answer(Outcome.REFUSED, reference, code="used_up")
            return Answer(Outcome.DONE, reference, value=right)

        return _call("verification.check", reference, send)


def _sender(vendor: Vendor) -> dict[str, Any]:
    service = vendor.options.get("messaging_service", "")
    return {"messaging_service_sid": service} if service else {"from_": vendor.options["from"]}


def _service(client: Client) -> Any:
    return client.verify.v2.services(get_vendor("twilio").options["verify_service"])


@lru_cache(maxsize=4)
def _client(account: str, key: str, base_url: str, timeout: tuple[float, float]) -> Client:
    return Client(account, key, http_client=_HttpClient(base_url, timeout))


def _call(
    operation: str, our_reference: str, send: Callable[[Client], Answer[Value]], *, is_lookup: bool = False
) -> Answer[Value]:
    vendor = get_vendor("twilio")
    timeout = (vendor.connect_timeout_s, vendor.read_timeout_s)
    return perform(
        vendor="twilio",
        operation=operation,
        our_reference=our_reference,
        send=lambda: send(_client(vendor.account, vendor.key, vendor.base_url, timeout)),
        explain=_explain_lookup if is_lookup else explain,
        is_lookup=is_lookup,
    )


def _explain_lookup(error: Exception) -> Answer[Any]:
    answer = explain(error)
    if answer.outcome is Outcome.REFUSED:
        return Answer(Outcome.UNKNOWN, code=answer.code, alarm=True)
    return answer


def _message_answer(message: Any) -> Answer[DeliveryState]:
    state, outcome = delivery_state(str(message.sid), str(message.status), message.error_code)
    return Answer(outcome, state.vendor_reference, state.code, state)
