"""What a processor does for us: it keeps card numbers and gives tokens for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Issued:
    """What we may know of a number: token, first six, last four, and a keyed digest of the whole."""

    token: str
    bin: str
    last_four: str
    fingerprint: bytes


class Processor(Protocol):
    """One processor of cards."""

    def issue(self, *, prefix: str, now: datetime) -> Issued:
        """Make a new number in the range and return its token."""


PROCESSORS: Registry[Processor] = Registry("cards.processors")
