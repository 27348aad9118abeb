"""Statements as CSV: one line for the opening balance, one for each entry, one for the closing balance."""

import csv
import io

from flowlet.backoffice.exports import guard
from ledger.statements.builder import Statement
from ledger.statements.formats import STATEMENT_FORMATS

HEAD = (
    *("row", "date", "number", "transaction", "kind", "description", "counterparty"),
    *("amount", "balance", "currency"),
)


class CsvFormat:
    """RFC 4180, UTF-8 with a mark so that spreadsheets see it, point decimals, text that no spreadsheet runs."""

    title = "CSV"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    text = "For spreadsheets and accounting: one line per entry, exact numbers."

    def render(self, statement: Statement) -> bytes:
        """Return the whole file."""
        out = io.StringIO()
        line = csv.writer(out).writerow
        opening = statement.money(statement.opening).decimal()
        closing = statement.money(statement.closing).decimal()
        line(HEAD)
        line(("opening", statement.first, *[""] * 6, opening, statement.currency))
        for entry in statement.entries:
            line(
                (
                    "entry",
                    entry.effective_date,
                    entry.seq,
                    entry.transaction,
                    entry.kind,
                    guard(entry.text),
                    guard(entry.counterparty),
                    statement.money(entry.amount).decimal(),
                    statement.money(entry.balance).decimal(),
                    statement.currency,
                )
            )
        line(("closing", statement.last, *[""] * 6, closing, statement.currency))
        return b"\xef\xbb\xbf" + out.getvalue().encode()


STATEMENT_FORMATS.register("csv")(CsvFormat())
