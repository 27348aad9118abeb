"""Statements as XLSX: numbers as numbers where a spreadsheet keeps all their digits, texts as texts and never run."""

from collections.abc import Iterable
from datetime import date, datetime
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from xlsxwriter import Workbook

from flowlet.backoffice.exports import guard
from flowlet.backoffice.xlsx import CONTENT_TYPE
from flowlet.core.currencies import exponent
from ledger.statements.facts import Entry, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format

HEAD = ("Date", "Booked", "Number", "Transaction", "Kind", "Description", "Counterparty", "Amount", "Balance")
_WIDTHS = (11, 11, 9, 32, 16, 40, 28, 16, 16)
_DIGITS_MAX = 15  # of a double that a spreadsheet shows
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the library writes it as it is: no clock in the file
_CELL_MAX, _IN_MEMORY = 32_767, 8 * 1024 * 1024


class XlsxFormat(Format):
    """One sheet: the balances above, then a line for each entry, written row by row."""

    title = "XLSX"
    extension = "xlsx"
    content_type = CONTENT_TYPE
    text = "For spreadsheets: real numbers and dates, nothing that runs."
    entries_max = 1_000_000

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """Write the sheet; see `Format`."""
        self.version(version)
        (statement,) = self.fitting(wanted)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as draft:
            book = Workbook(draft, _OPTIONS)
            book.set_properties({"title": f"Account statement {statement.reference}", "created": _EPOCH})
            try:
                _Sheet(book, statement).fill()
            finally:
                book.close()  # also when it is thrown away: its rows wait in files of their own
            draft.seek(0)
            copyfileobj(draft, out)


class _Sheet:
    """Writes downwards only: rows that are done leave memory."""

    def __init__(self, book: Any, statement: Statement) -> None:
        self.it = statement
        digits = exponent(statement.currency)
        self.sheet = book.add_worksheet("Statement")
        self.bold = book.add_format({"bold": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.money = book.add_format({"num_format": f"#,##0.{'0' * digits}" if digits else "#,##0"})
        # The mark that spreadsheets themselves set: the cell stays text, also when somebody edits it.
        self.quoted = book.add_format({"quote_prefix": True})
        for at, width in enumerate(_WIDTHS):
            self.sheet.set_column(at, at, width)

    def fill(self) -> None:
        it, row = self.it, 0
        for label, value in (
            ("Account", it.reference),
            ("Owner", it.owner),
            ("Currency", it.currency),
            ("Statement", str(it.number) if it.number else "On demand, without a number"),
            ("First day", it.first),
            ("Last day", it.last),
            ("Opening balance", it.opening),
            ("Closing balance", it.closing),
            ("Held", it.held),
            ("Available", it.available),
        ):
            self.sheet.write_string(row, 0, label, self.bold)
            self._value(row, 3, value)
            row += 1
        row += 1
        for at, title in enumerate(HEAD):
            self.sheet.write_string(row, at, title, self.bold)
        for number, entry in enumerate(it.checked(), start=row + 1):
            self._entry(number, entry)

    def _entry(self, row: int, entry: Entry) -> None:
        self.sheet.write_datetime(row, 0, entry.effective_date, self.day)
        self.sheet.write_datetime(row, 1, entry.booked_date, self.day)
        self.sheet.write_number(row, 2, entry.seq)
        for at, text in enumerate((entry.transaction, entry.kind, entry.text, entry.counterparty), start=3):
            self._text(row, at, text)
        self._amount(row, 7, entry.amount)
        self._amount(row, 8, entry.balance)

    def _value(self, row: int, at: int, value: str | int | date) -> None:
        if isinstance(value, date):
            self.sheet.write_datetime(row, at, value, self.day)
        elif isinstance(value, int):
            self._amount(row, at, value)
        else:
            self._text(row, at, value)

    def _text(self, row: int, at: int, text: str) -> None:
        text = text[:_CELL_MAX]
        if text and guard(text) != text:
            self.sheet.write_string(row, at, text, self.quoted)
        elif text:
            self.sheet.write_string(row, at, text)

    def _amount(self, row: int, at: int, minor: int) -> None:
        exact = self.it.decimal(minor)
        if len(str(abs(minor))) > _DIGITS_MAX:
            self.sheet.write_string(row, at, f"{exact:f}")
        else:
            self.sheet.write_number(row, at, exact, self.money)


STATEMENT_FORMATS.register("xlsx")(XlsxFormat())
