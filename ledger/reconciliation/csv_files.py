"""CSV of banks, read by a saved mapping. A balance column is needed: a file without balances cannot prove itself."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from ledger.choices_bank import CsvSign
from ledger.models.reconciliation import CsvMapping
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

ENCODINGS = ("utf-8", "iso-8859-1", "windows-1252", "utf-16")
NEEDED: dict[str, tuple[str, ...]] = {
    CsvSign.SIGNED: ("amount",),
    CsvSign.TWO_COLUMNS: ("credit", "debit"),
    CsvSign.INDICATOR: ("amount", "indicator"),
}
OPTIONAL = ("value_date", "reference", "end_to_end_id", "name", "iban", "text", "kind")
_CREDIT, _DEBIT = {"C", "CR", "CRDT", "CREDIT", "H", "+"}, {"D", "DR", "DBIT", "DEBIT", "S", "-"}
_FIELD_MAX = 4_000
_COLUMNS_MAX = 200
_GROUPED = {
    True: re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d*)?|[+-]?\d+(,\d*)?"),
    False: re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d*)?|[+-]?\d+(\.\d*)?"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the bank's own heads."""

    place: str
    cells: dict[str, str]


def heads_of(data: bytes, mapping: CsvMapping) -> list[str]:
    """Return the heads where this mapping expects them, or [] if the file cannot even be read that far."""
    text = data[:65_536].decode(mapping.encoding, errors="ignore").lstrip("\ufeff")
    lines = text.splitlines()[mapping.skip_lines : mapping.skip_lines + 1]
    try:
        return [head.strip() for head in next(csv.reader(lines, delimiter=mapping.delimiter), [])]
    except csv.Error:
        return []


def fits(data: bytes, mapping: CsvMapping) -> bool:
    """Tell whether a file has all heads that a mapping names."""
    return set(mapping.columns.values()) <= set(heads_of(data, mapping))


def rows_of(data: bytes, mapping: CsvMapping) -> Iterator[Row]:
    """
    Yield the rows below the heads.

    :raises UnreadableBankFile: if a head is missing, a row is too short, or the text is in another encoding
    """
    lines = decoded(data, mapping.encoding).splitlines(keepends=True)[mapping.skip_lines :]
    reader = csv.reader(lines, delimiter=mapping.delimiter, strict=True)
    heads: list[str] = []
    try:
        for cells in reader:
            place = f"line {reader.line_num + mapping.skip_lines}"
            if not heads:
                heads = _heads(cells, mapping, place)
            elif any(cell.strip() for cell in cells):
                if len(cells) != len(heads):
                    raise unreadable(
                        "ROW", place, f"The row has {len(cells)} cells, {len(heads)} are expected."
                    )
                yield Row(place, dict(zip(heads, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as error:
        place = f"line {reader.line_num + mapping.skip_lines}"
        raise unreadable("ROW", place, f"The row cannot be read: {error}.") from None


def _heads(cells: Sequence[str], mapping: CsvMapping, place: str) -> list[str]:
    heads = [cell.strip() for cell in cells][:_COLUMNS_MAX]
    missing = sorted(set(mapping.columns.values()) - set(heads))
    if missing:
        raise unreadable("HEADS", place, f"The column {missing[0][:40]!r} is missing.")
    if len(set(heads)) != len(heads):
        # Two columns of one name: which of them is meant, nobody can tell.
        twice = next(head for head in heads if heads.count(head) > 1)
        if twice in mapping.columns.values():
            raise unreadable("HEADS", place, f"There are two columns {twice[:40]!r}.")
        heads = [f"{head}#{index}" if heads.count(head) > 1 else head for index, head in enumerate(heads)]
    return heads


def read_csv(data: bytes, mapping: CsvMapping) -> ParsedFile:
    """
    Read a file by its mapping: one statement of the mapping's account.

    :raises UnreadableBankFile: with the line, also where a balance does not follow from the one before
    """
    account = mapping.bank_account
    found = [_line(row, mapping, account.currency) for row in rows_of(data, mapping)]
    if not found:
        raise unreadable("NO_STATEMENT", f"line {mapping.skip_lines + 1}", "There is no row below the heads.")
    if mapping.newest_first:
        found.reverse()
    for (_, before), (line, after) in pairwise(found):
        if before + line.amount_minor != after:
            raise unreadable(
                "BALANCE", line.place, "The balance does not follow from the one before and the amount."
            )
    lines = [line for line, _ in found]
    days = [line.booking_date for line in lines]
    statement = ParsedStatement(
        account=account.iban or account.other_id,
        currency=account.currency,
        place=lines[0].place,
        lines=tuple(lines),
        opening_date=min(days),
        closing_date=max(days),
        opening_minor=found[0][1] - found[0][0].amount_minor,
        closing_minor=found[-1][1],
    )
    return ParsedFile(format="csv", statements=(statement,))


def _line(row: Row, mapping: CsvMapping, currency: str) -> tuple[ParsedLine, int]:
    """Return a line and the balance after it."""

    def cell(name: str) -> str:
        return row.cells.get(mapping.columns.get(name, ""), "")

    booked = _day(cell("booking_date"), mapping.date_format, row.place)
    valued = _day(cell("value_date"), mapping.date_format, row.place) if cell("value_date") else booked
    minor = _signed(cell, mapping, currency, row.place)
    if minor == 0:
        raise unreadable("AMOUNT", row.place, "The amount of a row is not zero.")
    line = ParsedLine(
        booking_date=booked,
        value_date=valued,
        amount_minor=minor,
        currency=currency,
        place=row.place,
        bank_reference=reference_of(cell("reference")),
        end_to_end_id=reference_of(cell("end_to_end_id")),
        name=squeezed(cell("name"))[:_FIELD_MAX],
        iban=account_of(cell("iban"))[:34],
        text=squeezed(cell("text"))[:_FIELD_MAX],
        kind=squeezed(cell("kind"))[:40],
    )
    return line, _amount(cell("balance"), mapping, currency, row.place)


def _signed(cell: Callable[[str], str], mapping: CsvMapping, currency: str, place: str) -> int:
    if mapping.sign == CsvSign.SIGNED:
        return _amount(cell("amount"), mapping, currency, place)
    if mapping.sign == CsvSign.TWO_COLUMNS:
        credit, debit = cell("credit"), cell("debit")
        if bool(credit) == bool(debit):
            raise unreadable("AMOUNT", place, "A row has money in or money out, not both and not neither.")
        # Some banks put a minus into the column of money out as well.
        text = credit or debit.lstrip("-")
        return _amount(text, mapping, currency, place) * (1 if credit else -1)
    mark = cell("indicator").upper()
    if mark not in _CREDIT | _DEBIT:
        raise unreadable("AMOUNT", place, f"{mark[:10]!r} says neither credit nor debit.")
    return abs(_amount(cell("amount"), mapping, currency, place)) * (1 if mark in _CREDIT else -1)


def _amount(text: str, mapping: CsvMapping, currency: str, place: str) -> int:
    if not _GROUPED[mapping.decimal_comma].fullmatch(text):
        raise unreadable("AMOUNT", place, f"{text[:30]!r} is not an amount in this bank's way of writing.")
    return minor_of(text.replace("." if mapping.decimal_comma else ",", ""), currency, place)


def _day(text: str, form: str, place: str) -> date:
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, form).date()  # noqa: DTZ007
    except ValueError:
        raise unreadable("DATE", place, f"{text[:30]!r} is not a date as {form}.") from None
