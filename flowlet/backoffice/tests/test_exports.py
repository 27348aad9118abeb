"""Files that people take away."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from flowlet.backoffice.exports import (
    ExportColumn,
    ExportFile,
    csv_response,
    csv_text,
    guard,
    pdf_response,
    write_pdf,
)
from flowlet.core.money import Money


def an_export(rows: list[list[object]], **changes: object) -> ExportFile:
    values: dict[str, object] = {
        "name": "statement",
        "title": "Statement",
        "facts": [("Wallet", "wal_1")],
        "columns": [ExportColumn(title="Text"), ExportColumn(title="Amount", right=True)],
        "rows": rows,
    }
    return ExportFile(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\u00a0=1",
        "\uff1d1+1",
        "\uff0b1",
        "\u200b=1",
        "\ufeff@x",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Rent May", "a=b", "3 - 2", "'quoted", " plain", "Łódź"])
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert guard(text) == text


def test_a_csv_keeps_numbers_as_numbers_and_quotes_what_needs_it() -> None:
    export = an_export([['=HYPERLINK("x")', Money(-1250, "EUR")], ['a "b", c', Decimal("0.5")], [None, 7]])

    rows = list(csv.reader(io.StringIO(csv_text(export))))

    assert rows == [["Text", "Amount"], ['\'=HYPERLINK("x")', "-12.50"], ['a "b", c', "0.5"], ["", "7"]]


def test_a_csv_is_sent_line_by_line_with_its_name() -> None:
    pulled: list[int] = []

    def rows() -> object:
        for number in range(3):
            pulled.append(number)
            yield [f"row {number}", date(2026, 11, 2)]

    answer = csv_response(an_export(rows()))  # type: ignore[arg-type]
    lines = iter(answer)

    assert next(lines) == "\ufeff".encode()
    next(lines)
    next(lines)
    assert pulled == [0]
    assert answer["Content-Disposition"] == 'attachment; filename="statement.csv"'


def test_a_pdf_embeds_its_face_and_holds_every_row() -> None:
    rows: list[list[object]] = [[f"Ελένη Łukasiewicz {n}", Money(n, "KWD")] for n in range(120)]
    handle = io.BytesIO()

    count = write_pdf(an_export(rows, totals=[("Closing", "1.000 KWD")]), handle)

    body = handle.getvalue()
    assert count == 120
    assert body.startswith(b"%PDF-")
    assert b"/FontFile2" in body
    assert body.count(b"/Type /Page\n") == 3


def test_a_pdf_is_sent_as_a_whole_file() -> None:
    answer = pdf_response(an_export([[datetime(2026, 1, 1, tzinfo=UTC), 1]], orientation="landscape"))

    body = b"".join(answer)  # type: ignore[arg-type]
    assert body.rstrip().endswith(b"%%EOF")
    assert answer["Content-Type"] == "application/pdf"
    answer.file_to_stream.close()  # the file; closing the answer would tell Django that a request has ended
