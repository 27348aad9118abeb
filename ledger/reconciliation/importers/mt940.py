"""
MT940, strictly: fields in their order, paged messages, currencies of 0 to 4 digits, the marks C, D, RC and RD.

Source: SWIFT Standards MT, category 9, MT940 Customer Statement Message; the SEPA words of field 86 as German and
Dutch banks write them (`?20EREF+…`, `/EREF/…`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from ledger.reconciliation.formats import IMPORTERS
from ledger.reconciliation.importers.mt940_details import details_of
from ledger.reconciliation.parsed import (
    ParsedFile,
    ParsedLine,
    ParsedStatement,
    account_of,
    minor_of,
    reference_of,
    squeezed,
    unreadable,
)
from ledger.reconciliation.texts import decoded

_FIELD = re.compile(r":(\d\d[A-Z]?):(.*)", re.DOTALL)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15},\d{0,14})")
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?(?P<amount>\d{1,15},\d{0,14})"
    r"(?P<kind>[NFS][A-Z0-9]{3})(?P<customer>[^\n]{0,16}?)(?://(?P<bank>[^\n]{0,16}))?(?:\n(?P<more>[^\n]{0,34}))?"
)
_AMOUNT_LENGTH_MAX = 15
_CENTURY_TURN = 80
_HALF_YEAR = 183
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1}
# What may follow what; a message begins with 20 and ends after 62.
_BEFORE = {
    "21": ("20",),
    "25": ("20", "21"),
    "28": ("25",),
    "60": ("28",),
    "61": ("60", "61", "86"),
    "86": ("61", "62", "64", "65"),
    "62": ("60", "61", "86"),
    "64": ("62",),
    "65": ("62", "64", "65"),
}


@dataclass(slots=True)
class _Message:
    """One message while it is read."""

    line: int
    tag: str = "20"
    reference: str = ""
    account: str = ""
    number: str = ""
    opening: tuple[int, date, str] | None = None
    closing: tuple[int, date, str] | None = None
    lines: list[ParsedLine] = field(default_factory=list)


class Mt940:
    """The MT940 customer statement."""

    title = "MT940 (SWIFT)"

    def recognises(self, head: bytes) -> bool:
        """Tell by field 20, at the start or after the blocks of a SWIFT envelope."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(b":20:") or (start.startswith(b"{1:") and b":20:" in start)

    def read(self, data: bytes) -> ParsedFile:
        """
        Read all messages of the file.

        :raises UnreadableBankFile: with line and field
        """
        statements: list[ParsedStatement] = []
        message: _Message | None = None
        for number, tag, text in _fields(decoded(data)):
            if tag == "20":
                statements += [_finished(message)] if message else []
                message = _Message(number, reference=squeezed(text))
                continue
            if message is None:
                raise unreadable("ORDER", f"line {number}", f"Field {tag} stands before field 20.")
            _take(message, number, tag, text)
        if message is None:
            raise unreadable("NO_STATEMENT", "line 1", "There is no statement in the file.")
        return ParsedFile(format="mt940", statements=(*statements, _finished(message)))


def _fields(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line number, tag, text) of each field; lines that do not begin one belong to the field before."""
    held: tuple[int, str, str] | None = None
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        # An envelope, "{1:…}{4:" before a message and "-}" after it, says nothing that is needed here.
        line = re.sub(r"^\{1:[^\n]*\{4:", "", raw) if raw.startswith("{1:") else raw
        begins = _FIELD.fullmatch(line)
        if begins is not None:
            if held is not None:
                yield held
            held = (number, begins[1], begins[2])
        elif line.rstrip() in ("", "-", "-}") or line.startswith("-}"):
            if held is not None:
                yield held
            held = None
        elif held is not None:
            held = (held[0], held[1], f"{held[2]}\n{line}")
        else:
            raise unreadable("FIELD", f"line {number}", f"{line[:20]!r} belongs to no field.")
    if held is not None:
        yield held


def _take(message: _Message, number: int, tag: str, text: str) -> None:
    place, family = f"line {number}, field {tag}", tag[:2]
    if family not in _BEFORE or message.tag[:2] not in _BEFORE[family]:
        raise unreadable("ORDER", place, f"Field {tag} may not follow field {message.tag}.")
    if family == "25":
        message.account = account_of(text.partition("\n")[0])
    elif family == "28":
        message.number = squeezed(text)
    elif family == "60":
        message.opening = _balance(text, place)
    elif family == "61":
        message.lines.append(_line(text, place, _currency(message)))
    elif family == "62":
        message.closing = _balance(text, place)
    elif family == "86" and message.tag == "61":
        message.lines[-1] = _with_details(message.lines[-1], text)
    message.tag = tag


def _currency(message: _Message) -> str:
    return message.opening[2] if message.opening else ""


def _balance(text: str, place: str) -> tuple[int, date, str]:
    found = _BALANCE.fullmatch(text.strip())
    if found is None or len(found[4]) > _AMOUNT_LENGTH_MAX:
        raise unreadable("BALANCE", place, f"{text[:30]!r} is not a balance.")
    minor = minor_of(found[4].rstrip(","), found[3], place)
    return (minor if found[1] == "C" else -minor), _day(found[2], place), found[3]


def _line(text: str, place: str, currency: str) -> ParsedLine:
    found = _LINE.fullmatch(text.rstrip("\n"))
    if found is None or len(found["amount"]) > _AMOUNT_LENGTH_MAX:
        raise unreadable("LINE", place, f"{text[:40]!r} is not a statement line.")
    minor = minor_of(found["amount"].rstrip(","), currency, place)
    if minor == 0:
        raise unreadable("AMOUNT", place, "The amount of a line is not zero.")
    valued = _day(found["value"], place)
    return ParsedLine(
        booking_date=_entry_day(found["entry"], valued, place),
        value_date=valued,
        amount_minor=_SIGNS[found["mark"]] * minor,
        currency=currency,
        place=place,
        end_to_end_id=reference_of(found["customer"] or ""),
        bank_reference=reference_of(found["bank"] or ""),
        text=squeezed(found["more"] or ""),
        kind=found["kind"],
        reversal=found["mark"].startswith("R"),
    )


def _with_details(line: ParsedLine, text: str) -> ParsedLine:
    details = details_of(text)
    return replace(
        line,
        end_to_end_id=reference_of(details.end_to_end_id) or line.end_to_end_id,
        batch_id=reference_of(details.batch_id),
        name=details.name,
        iban=account_of(details.iban),
        text=details.text or line.text,
    )


def _day(text: str, place: str) -> date:
    try:
        year = int(text[:2])
        return date(year + (1900 if year >= _CENTURY_TURN else 2000), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise unreadable("DATE", place, f"{text!r} is not a date.") from None


def _entry_day(text: str | None, valued: date, place: str) -> date:
    """Return the day of booking: month and day only, in the year that brings it closest to the value date."""
    if not text:
        return valued
    for year in (valued.year, valued.year - 1, valued.year + 1):
        try:
            day = date(year, int(text[:2]), int(text[2:]))
        except ValueError:
            continue
        if abs((day - valued).days) <= _HALF_YEAR:
            return day
    raise unreadable("DATE", place, f"{text!r} is not a day of booking.")


def _finished(message: _Message) -> ParsedStatement:
    place = f"line {message.line}, message {message.reference[:16]}"
    if message.opening is None or message.closing is None:
        raise unreadable("TRUNCATED", place, "The message ends before its closing balance.")
    if not message.account:
        raise unreadable("ACCOUNT", place, "The message names no account.")
    if message.opening[2] != message.closing[2]:
        raise unreadable("CURRENCY", place, "Opening and closing balance are in different currencies.")
    return ParsedStatement(
        account=message.account,
        currency=message.opening[2],
        place=place,
        lines=tuple(message.lines),
        opening_date=min(message.opening[1], message.closing[1]),
        closing_date=message.closing[1],
        opening_minor=message.opening[0],
        closing_minor=message.closing[0],
        number=message.number[:35],
        reference=message.reference[:70],
    )


IMPORTERS.register("mt940")(Mt940())
