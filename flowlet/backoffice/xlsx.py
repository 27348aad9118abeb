"""Workbooks of an export: written row by row, texts as texts and never as formulas or links."""

from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse
from xlsxwriter import Workbook

from flowlet.backoffice.exports import ExportFile, Value
from flowlet.core.money import Money

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": True,
}
# The library would write the time of the clock: the same rows are to give the same bytes.
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - written as it is
_WIDTH, _DIGITS_MAX = 18, 15  # a spreadsheet keeps fifteen digits of a number


def xlsx_response(export: ExportFile) -> FileResponse:
    """Answer with the rows as a workbook; its first lines say what it holds."""
    handle = TemporaryFile()  # noqa: SIM115 - FileResponse closes it when the answer is sent
    write_xlsx(export, handle)
    handle.seek(0)
    return FileResponse(handle, as_attachment=True, filename=f"{export.name}.xlsx", content_type=CONTENT_TYPE)


def write_xlsx(export: ExportFile, handle: IO[bytes]) -> int:
    """Write the file as a workbook and return the number of rows."""
    book = Workbook(handle, _OPTIONS)
    book.set_properties({"title": export.title, "created": _EPOCH})
    sheet = book.add_worksheet("Report")
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.set_column(0, max(len(export.columns) - 1, 1), _WIDTH)
    line = 0
    for label, text in (("Report", export.title), *export.facts):
        sheet.write_string(line, 0, label, bold)
        sheet.write_string(line, 1, text)
        line += 1
    line += 1
    for at, column in enumerate(export.columns):
        sheet.write_string(line, at, column.title, bold)
    count = 0
    for row in export.rows:
        count += 1
        for at, value in enumerate(row):
            _write(sheet, line + count, at, value, day)
    book.close()
    return count


def _write(sheet: Any, line: int, at: int, value: Value, day: Any) -> None:
    exact = value.decimal() if isinstance(value, Money) else value
    if isinstance(exact, datetime):
        sheet.write_string(line, at, exact.isoformat(timespec="seconds"))
    elif isinstance(exact, date):
        sheet.write_datetime(line, at, exact, day)
    elif isinstance(exact, int | Decimal):
        # What a spreadsheet would round stays a text, digit by digit.
        digits = len(str(exact).replace("-", "").replace(".", "").lstrip("0"))
        if digits > _DIGITS_MAX:
            sheet.write_string(line, at, str(exact))
        else:
            sheet.write_number(line, at, exact)
    else:
        sheet.write_string(line, at, exact or "")
