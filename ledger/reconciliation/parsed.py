"""What a reader makes of a bank file, whatever its format: statements and lines as plain values, nothing looked up."""

import re
from dataclasses import dataclass, field
from datetime import date

from flowlet.core.currencies import EXPONENTS
from flowlet.core.money import MINOR_MAX
from ledger.errors_bank import UnreadableBankFile

_DECIMAL = re.compile(r"([+-]?)(\d{1,18})(?:[.,](\d{0,5}))?")
_BLANKS = re.compile(r"\s+")
# What banks write where they have nothing to write.
_NOTHING = {"NOTPROVIDED", "NONREF", "NOT PROVIDED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLine:
    """
    One line. `amount_minor` is signed: money in is above zero.

    `details` holds (end-to-end id, reference, signed minor units or None) of each movement booked in one sum.
    """

    booking_date: date
    value_date: date
    amount_minor: int
    currency: str
    place: str
    end_to_end_id: str = ""
    bank_reference: str = ""
    batch_id: str = ""
    name: str = ""
    iban: str = ""
    text: str = ""
    kind: str = ""
    reversal: bool = False
    pending: bool = False
    details: tuple[tuple[str, str, int | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedStatement:
    """
    One statement (or page of one) of one account.

    `account` is an IBAN or another number, normal form. One that `announces` has no balances and books nothing.
    """

    account: str
    currency: str
    place: str
    lines: tuple[ParsedLine, ...]
    opening_date: date
    closing_date: date
    opening_minor: int = 0
    closing_minor: int = 0
    number: str = ""
    reference: str = ""
    announces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """A whole file: its format with version, and its statements in the order they stand."""

    format: str
    statements: tuple[ParsedStatement, ...] = field(default=())


def unreadable(reason_code: str, place: str, reason: str) -> UnreadableBankFile:
    """Return the refusal of a file, to be raised: `place` is the line or element, `reason` a sentence."""
    return UnreadableBankFile(reason_code=reason_code, place=place, reason=reason)


def minor_of(text: str, currency: str, place: str) -> int:
    """
    Return an amount as signed minor units, from a decimal with point or comma and no grouping.

    :raises UnreadableBankFile: if it is no such number, has more digits than the currency, or is too large
    """
    found = _DECIMAL.fullmatch(text)
    digits = EXPONENTS.get(currency)
    if digits is None:
        raise unreadable("CURRENCY", place, f"{currency[:8]!r} is not a currency that can be used here.")
    if found is None or not text.isascii():
        raise unreadable("AMOUNT", place, f"{text[:30]!r} is not an amount.")
    sign, whole, part = found[1], found[2], (found[3] or "").rstrip("0")
    if len(part) > digits:
        raise unreadable("AMOUNT", place, f"{text[:30]!r} has more than {digits} digits after the point.")
    minor = int(whole + part.ljust(digits, "0"))
    if minor > MINOR_MAX:
        raise unreadable("AMOUNT", place, f"{text[:30]!r} is too large.")
    return -minor if sign == "-" else minor


def day_of(text: str, place: str) -> date:
    """
    Return the day of an ISO date or date and time.

    :raises UnreadableBankFile: if there is none
    """
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise unreadable("DATE", place, f"{text[:30]!r} is not a date.") from None


def squeezed(text: str) -> str:
    """Return a text with each run of white space as one blank, and no control characters."""
    if text.isprintable() and "  " not in text:
        return text.strip()  # nearly always, and much faster
    return "".join(sign for sign in _BLANKS.sub(" ", text).strip() if sign.isprintable())


def reference_of(text: str) -> str:
    """Return a reference, or '' for the words by which banks say that there is none."""
    found = squeezed(text)
    return "" if found.upper() in _NOTHING else found


def account_of(text: str) -> str:
    """Return an account number in normal form: capitals without blanks."""
    return _BLANKS.sub("", text).upper()
