"""
BAI2 balance reports, with every control total and every count of records checked.

Source: BAI, Cash Management Balance Reporting Specifications, version 2. Amounts carry no point: the currency's own
exponent says where it stands. 010 is the opening, 015 the closing ledger balance.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from ledger.reconciliation.formats import IMPORTERS
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

_NUMBER = re.compile(r"[+-]?\d{1,18}")
_DAY = re.compile(r"[0-9]{6}")
_CENTURY_TURN = 80
_OPENING, _CLOSING = "010", "015"
_CREDITS, _DEBITS = range(100, 400), range(400, 700)
_FUNDS = {"": 0, "Z": 0, "0": 0, "1": 0, "2": 0, "V": 2, "S": 3}
_DETAIL_FIELDS = 7


@dataclass(frozen=True, slots=True)
class _Record:
    """A record with its continuations (88) joined; `size` counts the physical ones."""

    line: int
    code: str
    fields: list[str]
    size: int

    @property
    def place(self) -> str:
        return f"line {self.line}, record {self.code}"

    def at(self, index: int) -> str:
        return self.fields[index].strip() if index < len(self.fields) else ""


@dataclass(slots=True)
class _Account:
    record: _Record
    currency: str
    total: int = 0
    size: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    lines: list[ParsedLine] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Where in file, group and account we are, and what their trailers must say."""

    day: date = date.min
    currency: str = "USD"
    level: str = ""
    account: _Account | None = None
    group_total: int = 0
    group_size: int = 0
    group_accounts: int = 0
    file_total: int = 0
    file_size: int = 0
    file_groups: int = 0
    statements: list[ParsedStatement] = field(default_factory=list)


class Bai2:
    """The BAI2 report."""

    title = "BAI2"

    def recognises(self, head: bytes) -> bool:
        """Tell by the file header."""
        return re.match(rb"\s*01,[^,\n]{0,40},[^,\n]{0,40},\d{6},", head) is not None

    def read(self, data: bytes) -> ParsedFile:
        """
        Read all accounts of all groups.

        :raises UnreadableBankFile: with line and record, for wrong totals and counts too
        """
        reader = _Reader()
        for record in _records(decoded(data)):
            _take(reader, record)
        if reader.level != "99":
            raise unreadable("TRUNCATED", "end of file", "The file trailer (99) is missing.")
        if not reader.statements:
            raise unreadable("NO_STATEMENT", "line 1", "There is no account in the file.")
        return ParsedFile(format="bai2", statements=tuple(reader.statements))


def _records(text: str) -> list[_Record]:
    found: list[tuple[int, str, int]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line:
            continue
        if re.match(r"\d\d(,|/|$)", line) is None:
            raise unreadable("RECORD", f"line {number}", f"{line[:20]!r} is not a record.")
        if line.startswith("88"):
            if not found:
                raise unreadable("RECORD", f"line {number}", "A continuation continues nothing.")
            start, before, size = found[-1]
            joint = "" if before.endswith(",") else ","
            found[-1] = (start, before.removesuffix("/") + joint + line[3:], size + 1)
        else:
            found.append((number, line, 1))
    return [
        _Record(start, line[:2], line[3:].removesuffix("/").split(","), size) for start, line, size in found
    ]


_NEXT = {
    "": ("01",),
    "01": ("02",),
    "02": ("03", "98"),
    "03": ("16", "49"),
    "16": ("16", "49"),
    "49": ("03", "98"),
    "98": ("02", "99"),
    "99": (),
}


def _take(reader: _Reader, record: _Record) -> None:
    if record.code not in _NEXT.get(reader.level, ()):
        raise unreadable(
            "ORDER", record.place, f"Record {record.code} may not follow {reader.level or 'nothing'}."
        )
    reader.level = record.code
    reader.file_size += record.size
    if record.code == "02":
        reader.group_total = reader.group_size = reader.group_accounts = 0
        reader.day, reader.currency = _day(record.at(3), record.place), record.at(5) or "USD"
    reader.group_size += record.size
    _STEPS.get(record.code, _nothing)(reader, record)


def _nothing(_reader: _Reader, _record: _Record) -> None:
    """Take a header that says nothing more."""


def _open(reader: _Reader, record: _Record) -> None:
    account = _Account(record, record.at(1) or reader.currency, size=record.size)
    index = 2
    while index < len(record.fields):
        code, amount = record.at(index), record.at(index + 1)
        if code and amount:
            account.balances[code] = minor_units(amount, account.currency, record.place)
            account.total += account.balances[code]
        index += 4 + _funds(record, index + 3)
    reader.account = account


def _funds(record: _Record, index: int) -> int:
    """Return how many fields the type of funds brings with it."""
    kind = record.at(index)
    if kind == "D":
        count = record.at(index + 1)
        return 1 + 2 * int(count) if count.isdecimal() and len(count) < 3 else 1  # noqa: PLR2004 - two digits
    if kind not in _FUNDS:
        raise unreadable("FUNDS", record.place, f"{kind[:5]!r} is no type of funds.")
    return _FUNDS[kind]


def _detail(reader: _Reader, record: _Record) -> None:
    account = reader.account
    if account is None:
        raise unreadable("ORDER", record.place, "A detail outside of an account.")
    amount = minor_units(record.at(1), account.currency, record.place)
    account.total += amount
    account.size += record.size
    more = _funds(record, 2)
    code = int(record.at(0)) if record.at(0).isdecimal() else 0
    if amount == 0 or not (code in _CREDITS or code in _DEBITS):
        raise unreadable(
            "DETAIL", record.place, f"{record.at(0)[:5]!r} is no type of credit or debit with an amount."
        )
    valued = _day(record.at(3), record.place) if record.at(2) == "V" and record.at(3) else reader.day
    account.lines.append(
        ParsedLine(
            booking_date=reader.day,
            value_date=valued,
            amount_minor=amount if code in _CREDITS else -amount,
            currency=account.currency,
            place=record.place,
            bank_reference=reference_of(record.at(3 + more))[:70],
            end_to_end_id=reference_of(record.at(4 + more))[:70],
            text=squeezed(",".join(record.fields[5 + more :])),
            kind=f"BAI-{code:03}",
        )
    )


def minor_units(text: str, currency: str, place: str) -> int:
    """
    Return a whole number as minor units of a currency that is known.

    :raises UnreadableBankFile: if it is no whole number, too large, or in no currency
    """
    if not _NUMBER.fullmatch(text):
        raise unreadable("AMOUNT", place, f"{text[:30]!r} is not an amount.")
    minor_of("0", currency, place)
    return int(text)


def _close(reader: _Reader, record: _Record) -> None:
    account = reader.account
    if account is None:
        raise unreadable("ORDER", record.place, "A trailer without an account.")
    _check(record, 0, account.total, "sum of amounts")
    _check(record, 1, account.size + record.size, "number of records")
    if _OPENING not in account.balances or _CLOSING not in account.balances:
        raise unreadable("BALANCE", account.record.place, "Balance 010 or 015 is missing.")
    reader.statements.append(
        ParsedStatement(
            account=account_of(account.record.at(0)),
            currency=account.currency,
            place=account.record.place,
            lines=tuple(account.lines),
            opening_date=reader.day,
            closing_date=reader.day,
            opening_minor=account.balances[_OPENING],
            closing_minor=account.balances[_CLOSING],
        )
    )
    reader.group_total += account.total
    reader.group_accounts += 1
    reader.account = None


def _close_group(reader: _Reader, record: _Record) -> None:
    _check(record, 0, reader.group_total, "sum of accounts")
    _check(record, 1, reader.group_accounts, "number of accounts")
    _check(record, 2, reader.group_size, "number of records")
    reader.file_total += reader.group_total
    reader.file_groups += 1


def _close_file(reader: _Reader, record: _Record) -> None:
    _check(record, 0, reader.file_total, "sum of groups")
    _check(record, 1, reader.file_groups, "number of groups")
    _check(record, 2, reader.file_size, "number of records")


def _check(record: _Record, index: int, expected: int, what: str) -> None:
    stated = record.at(index)
    if not _NUMBER.fullmatch(stated) or int(stated) != expected:
        raise unreadable(
            "CONTROL_SUM", record.place, f"The {what} is {expected}, the file says {stated[:20]!r}."
        )


def _day(text: str, place: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)  # noqa: TRY301 - one refusal for both
        year = int(text[:2])
        return date(year + (1900 if year >= _CENTURY_TURN else 2000), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise unreadable("DATE", place, f"{text[:10]!r} is not a date.") from None


_STEPS = {"03": _open, "16": _detail, "49": _close, "98": _close_group, "99": _close_file}
IMPORTERS.register("bai2")(Bai2())
