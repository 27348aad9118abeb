"""Statements as CSV: one line for the opening balance, one for each entry, one for the closing balance."""

import csv
import io
from collections.abc import Iterable
from typing import IO

from flowlet.backoffice.exports import guard
from ledger.statements.facts import Entry, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format

HEAD = (
    *("row", "date", "number", "transaction", "kind", "description", "counterparty"),
    *("amount", "balance", "currency", "booked", "cause"),
)


class CsvFormat(Format):
    """RFC 4180, UTF-8 with a mark so that spreadsheets see it, point decimals, text that no spreadsheet runs."""

    title = "CSV"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    text = "For spreadsheets and accounting: one line per entry, exact numbers."

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """Write line by line; see `Format`."""
        self.version(version)
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        try:
            text.write("\ufeff")
            line = csv.writer(text).writerow
            for statement in self.fitting(wanted):
                line(HEAD)
                line(_balance("opening", statement, statement.opening, statement.first))
                for entry in statement.checked():
                    line(_entry(statement, entry))
                line(_balance("closing", statement, statement.closing, statement.last))
        finally:
            text.detach()


def _entry(statement: Statement, entry: Entry) -> tuple[object, ...]:
    return (
        "entry",
        entry.effective_date,
        entry.seq,
        entry.transaction,
        entry.kind,
        guard(entry.text),
        guard(entry.counterparty),
        statement.decimal(entry.amount),
        statement.decimal(entry.balance),
        statement.currency,
        entry.booked_date,
        guard(entry.cause),
    )


def _balance(row: str, statement: Statement, minor: int, day: object) -> tuple[object, ...]:
    return (row, day, *[""] * 6, statement.decimal(minor), statement.currency, "", "")


STATEMENT_FORMATS.register("csv")(CsvFormat())
