"""What those who write messages and those who carry them agree on, so that neither has to know the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flowlet.core.outcomes import Answer
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message: `to` in E.164, `our_reference` the public id it is found by later."""

    to: str
    text: str
    our_reference: str


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """
    How far a message has come at its carrier.

    `status` is SENT, DELIVERED, UNDELIVERED or FAILED; `code` the carrier's error code or ''.
    """

    status: str
    vendor_reference: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A carrier's word about one message; `our_reference` may be '' when the carrier does not return it."""

    our_reference: str
    state: DeliveryState


class SmsBackend(Protocol):
    """Carries text messages; named by the setting `SMS_BACKEND`."""

    def send(self, message: Sms) -> Answer[DeliveryState]:
        """Hand one message over. Never called inside a database transaction."""

    def find(self, message: Sms, *, since: datetime) -> Answer[DeliveryState]:
        """Look for a message whose sending ended UNKNOWN; NOT_SENT with code `not_found` if the carrier has none."""


class CodeBackend(Protocol):
    """Sends and checks one-time codes; named by the setting `CODE_BACKEND`. The code itself never comes to us."""

    def start(self, *, to: str, language: str, our_reference: str) -> Answer[str]:
        """Send a code; the value is the carrier's id of this verification."""

    def check(self, *, reference: str, code: str) -> Answer[bool]:
        """Compare a code: value True when right, False when wrong; REFUSED when used up, expired or unknown."""


# Called with each report, at least once and in any order; a receiver must be safe to run twice. It returns whether
# it knew the message.
DELIVERY_RECEIVERS: Registry[Callable[[DeliveryReport, datetime], bool]] = Registry("core.delivery_receivers")
