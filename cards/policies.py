"""Pure decisions about cards: what a set of network messages adds up to, and what an authorisation must pass."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from cards.choices import DECLINE_RANK, AuthorizationState, Channel, EventKind, LimitSpan

_INTERCHANGE = Decimal("0.002")
_PLUS = (EventKind.AUTHORIZE, EventKind.INCREMENT)

# How far a clearing may go above its authorisation before somebody looks, in percent, by merchant category
# (ISO 18245): tips and final bills of restaurants, bars, taxis, lodging, car rental.
_TOLERANCE_PERCENT = {"5812": 20, "5813": 20, "4121": 20, "7011": 15, "7512": 15}
# How long a promise holds, in days: present or merchant-initiated 5, lodging, car rental and cruise 30, else 10.
_LONG_STAYS = frozenset({"7011", "7512", "4411"})
_EXPIRY_LONG, _EXPIRY_PRESENT, _EXPIRY_ABSENT = timedelta(days=30), timedelta(days=5), timedelta(days=10)
_AIRLINES, _CAR_RENTAL, _LODGING = range(3000, 3351), range(3351, 3501), range(3501, 4000)


class Told(Protocol):
    """What `position` reads of a network event; amounts in minor units."""

    @property
    def kind(self) -> str:
        """A code of `EventKind`."""

    @property
    def amount_minor(self) -> int:
        """The amount in the card's currency."""

    @property
    def final(self) -> bool:
        """Whether no clearing follows."""


@dataclass(frozen=True, slots=True)
class Position:
    """What an authorisation has come to, in minor units of the card's currency."""

    authorized: int
    cleared: int
    refunded: int
    held: int
    state: AuthorizationState

    @property
    def counted(self) -> int:
        """What limits count: the promise while it is open, what was cleared once it is over."""
        return max(self.authorized, self.cleared) if self.state == AuthorizationState.OPEN else self.cleared


def position(events: Iterable[Told]) -> Position:
    """
    Return what is authorised, cleared, refunded and held, and the state, whatever order the events came in.

    A pure function of the set: sums do not depend on order, and what ends an authorisation ends it at any place.
    """
    promised = reversed_ = cleared = refunded = 0
    final = expired = False
    for event in events:
        kind = EventKind(event.kind)
        if kind in _PLUS:
            promised += event.amount_minor
        elif kind == EventKind.REVERSE:
            reversed_ += event.amount_minor
        elif kind == EventKind.CLEAR:
            cleared += event.amount_minor
            final = final or event.final
        elif kind == EventKind.REFUND:
            refunded += event.amount_minor
        else:
            expired = True
    authorized = max(0, promised - reversed_)
    emptied = reversed_ > 0 and authorized == 0
    # An amount of zero verifies an account: there is nothing to clear, so it is over at once.
    over = final or expired or emptied or cleared >= authorized
    state = AuthorizationState.OPEN
    if over:
        state = AuthorizationState.CLEARED
        if cleared == 0 and promised > 0:
            state = AuthorizationState.REVERSED if emptied else AuthorizationState.EXPIRED
    return Position(authorized, cleared, refunded, 0 if over else authorized - cleared, state)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an authorisation: what it saw, what it compares with, what would be left; minor units or words."""

    name: str
    passed: bool
    value: int | str = ""
    limit: int | str | None = None
    left: int | None = None

    def stored(self) -> dict[str, object]:
        """Return the check as it is kept."""
        return {
            "name": self.name,
            "passed": self.passed,
            "value": self.value,
            "limit": self.limit,
            "left": self.left,
        }


def first_reason(failed: Collection[str]) -> str:
    """Return the reason that is told: the most telling of those that failed."""
    return min(failed, key=lambda code: DECLINE_RANK[code])


def check_limit(name: str, *, asked: int, limit: int | None, used: int) -> Check:
    """Compare what is asked for with what is left of a limit; None is no limit, 0 is nothing at all."""
    if limit is None:
        return Check(name, passed=True, value=asked, limit="none")
    left = max(0, limit - used)
    return Check(name, passed=asked <= left, value=asked, limit=limit, left=left)


def check_list(name: str, *, value: str, allow: Collection[str] | None, block: Collection[str]) -> Check:
    """Look a code up in the lists: block wins over allow; a code that is in no table is legal input."""
    blocked = value in block or (allow is not None and value not in allow)
    return Check(name, passed=not blocked, value=value)


def buckets(at: datetime, zone: str) -> dict[LimitSpan, date]:
    """Return the day and month an instant counts for, by the programme's zone; a month is named by its first day."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return {LimitSpan.DAY: day, LimitSpan.MONTH: day.replace(day=1)}


def expiry_of(*, mcc: str, channel: str) -> timedelta:
    """Return how long an authorisation holds, by merchant category and channel."""
    number = int(mcc)
    if mcc in _LONG_STAYS or number in _CAR_RENTAL or number in _LODGING:
        return _EXPIRY_LONG
    return _EXPIRY_ABSENT if channel == Channel.ECOMMERCE or number in _AIRLINES else _EXPIRY_PRESENT


def is_over(*, mcc: str, authorized: int, cleared: int) -> bool:
    """Tell whether so much was cleared that somebody should look: beyond the tolerance of the merchant's category."""
    number = int(mcc or 0)
    kind = "7011" if number in _LODGING else "7512" if number in _CAR_RENTAL else mcc
    return cleared * 100 > authorized * (100 + _TOLERANCE_PERCENT.get(kind, 0))


def luhn_digit(digits: str) -> str:
    """Return the check digit of a number without it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the cross sum of two digits
    return str(-total % 10)


def interchange(minor: int) -> int:
    """
    Return the interchange fee on an amount of minor units, with its sign, half to even.

    0.2 % as for consumer debit cards: Regulation (EU) 2015/751, Article 3(1).
    """
    return int((Decimal(minor) * _INTERCHANGE).to_integral_value(ROUND_HALF_EVEN))
