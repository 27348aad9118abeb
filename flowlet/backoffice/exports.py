"""Files for people to take away: CSV and PDF from the same rows, streamed, with no cell that a spreadsheet would run."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

from django.http import FileResponse, StreamingHttpResponse
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from flowlet.core.money import Money

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"
MARGIN, LINE, HEAD, GAP = 40, 13.5, 8.5, 6
INK, QUIET, HAIR = (0.08, 0.11, 0.15), (0.35, 0.39, 0.46), (0.88, 0.90, 0.92)

Value = str | int | Decimal | Money | datetime | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportColumn:
    """A column of a file: its head, its share of the paper's width, and whether it is a number at the right."""

    title: str
    share: float = 1.0
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """
    All that a file holds. `facts` stand above the table (filter, count, time), `totals` below it.

    `rows` may be a generator; it is read once. Money becomes an exact decimal in CSV, where its currency needs a
    column of its own.
    """

    name: str
    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[ExportColumn]
    rows: Iterable[Sequence[Value]]
    totals: Sequence[tuple[str, str]] = ()
    orientation: Literal["portrait", "landscape"] = "portrait"


def guard(text: str) -> str:
    """
    Return a text that no spreadsheet takes for a formula: an apostrophe goes before what starts like one.

    Judged after NFKC (a full-width equals sign counts) and after leading blanks. Source: OWASP, CSV Injection.
    """
    seen = unicodedata.normalize("NFKC", text)
    first = seen.lstrip(" \u00a0\u200b\ufeff\x0b\x0c")[:1]
    return f"'{text}" if first in FORMULA_STARTS and first else text


def csv_response(export: ExportFile) -> StreamingHttpResponse:
    """Answer with the rows as CSV in UTF-8 (with a mark, so that spreadsheets see it), line by line."""
    response = StreamingHttpResponse(_csv_lines(export), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{export.name}.csv"'
    return response


def pdf_response(export: ExportFile) -> FileResponse:
    """Answer with the rows as PDF, A4, with an embedded face; written to a temporary file, never wholly in memory."""
    handle = TemporaryFile()  # noqa: SIM115 - FileResponse closes it when the answer is sent
    write_pdf(export, handle)
    handle.seek(0)
    return FileResponse(
        handle, as_attachment=True, filename=f"{export.name}.pdf", content_type="application/pdf"
    )


def csv_text(export: ExportFile) -> str:
    """Return the whole CSV as text, without the byte order mark; for small files and tests."""
    return "".join(_csv_lines(export)).removeprefix("\ufeff")


class _Line:
    """What csv.writer writes into: it hands each line back."""

    @staticmethod
    def write(text: str) -> str:
        return text


def _csv_lines(export: ExportFile) -> Iterator[str]:
    line = csv.writer(_Line()).writerow
    yield "\ufeff"
    yield line([column.title for column in export.columns])
    for row in export.rows:
        yield line([_csv_value(value) for value in row])


def _csv_value(value: Value) -> str | int | Decimal:
    if isinstance(value, Money):
        return value.decimal()
    if isinstance(value, int | Decimal):
        return value  # numbers stay numbers, negative ones too
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return guard(value or "")


def write_pdf(export: ExportFile, handle: IO[bytes]) -> int:
    """Write the file as PDF and return the number of rows."""
    _load_fonts()
    paper = _Paper(export, handle)
    count = 0
    for row in export.rows:
        paper.row([pdf_text(value) for value in row])
        count += 1
    paper.finish(count)
    return count


def pdf_text(value: Value) -> str:
    """Return a value as people read it on paper."""
    if isinstance(value, Money):
        return value.format()
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y, %H:%M}"
    if isinstance(value, date):
        return f"{value:%-d %b %Y}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    return " ".join((value or "").split())


def _load_fonts() -> None:
    for name in (PLAIN, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))


class _Paper:
    """Draws line by line: layout engines take ten times as long for ten thousand rows."""

    def __init__(self, export: ExportFile, handle: IO[bytes]) -> None:
        self.export = export
        self.width, self.height = landscape(A4) if export.orientation == "landscape" else A4
        # invariant: no time and no random id in the file; when it was made stands in it, where that matters.
        self.canvas = Canvas(handle, pagesize=(self.width, self.height), invariant=1, pageCompression=1)
        self.canvas.setTitle(export.title)
        self.canvas.setAuthor("Flowlet")
        self.number = 0
        room = self.width - 2 * MARGIN
        total = sum(column.share for column in export.columns)
        self.edges = [MARGIN]
        for column in export.columns:
            self.edges.append(self.edges[-1] + room * column.share / total)
        self._widths: dict[tuple[str, str], float] = {}
        self._page()

    def row(self, texts: Sequence[str]) -> None:
        if self.y < MARGIN + 2 * LINE:
            self._end_page()
            self._page()
        self._cells(texts, PLAIN, INK)
        self.canvas.line(MARGIN, self.y - 4, self.width - MARGIN, self.y - 4)
        self.y -= LINE

    def finish(self, count: int) -> None:
        totals = [*self.export.totals, ("Rows", f"{count:,}")]
        if self.y < MARGIN + LINE * (len(totals) + 2):
            self._end_page()
            self._page()
        self.y -= LINE / 2
        for label, text in totals:
            self._text(MARGIN, label, PLAIN, QUIET)
            self._text(self.width - MARGIN, text, BOLD, INK, right=True)
            self.y -= LINE
        self._end_page()
        self.canvas.save()

    def _page(self) -> None:
        self.number += 1
        self.y = self.height - MARGIN - 8
        if self.number == 1:
            self._opening()
        self._cells([column.title for column in self.export.columns], BOLD, QUIET)
        self.canvas.setStrokeColorRGB(*QUIET)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(MARGIN, self.y - 4, self.width - MARGIN, self.y - 4)
        self.canvas.setStrokeColorRGB(*HAIR)
        self.y -= LINE

    def _opening(self) -> None:
        self.canvas.setFont(BOLD, 15)
        self.canvas.setFillColorRGB(*INK)
        self.canvas.drawString(MARGIN, self.y, self.export.title)
        self.y -= LINE * 1.7
        for label, text in self.export.facts:
            self._text(MARGIN, label, PLAIN, QUIET)
            self._text(MARGIN + 110, text, PLAIN, INK)
            self.y -= LINE
        self.y -= LINE

    def _end_page(self) -> None:
        self.y = MARGIN - 14
        self._text(MARGIN, self.export.title, PLAIN, QUIET)
        self._text(self.width - MARGIN, f"Page {self.number}", PLAIN, QUIET, right=True)
        self.canvas.showPage()

    def _cells(self, texts: Sequence[str], face: str, colour: tuple[float, float, float]) -> None:
        self._style(face, colour)
        for index, (column, text) in enumerate(zip(self.export.columns, texts, strict=True)):
            left, right = self.edges[index], self.edges[index + 1] - (GAP if index + 1 < len(texts) else 0)
            fitted, width = self._fit(text, face, right - left)
            self.canvas.drawString(right - width if column.right else left, self.y, fitted)

    def _text(
        self, x: float, text: str, face: str, colour: tuple[float, float, float], *, right: bool = False
    ) -> None:
        self._style(face, colour)
        self.canvas.drawString(x - self._width(text, face) if right else x, self.y, text)

    def _style(self, face: str, colour: tuple[float, float, float]) -> None:
        self.canvas.setFont(face, HEAD)
        self.canvas.setFillColorRGB(*colour)

    def _fit(self, text: str, face: str, room: float) -> tuple[str, float]:
        """Return the text, cut where it would run into the next column, and its width."""
        width = self._width(text, face)
        if width <= room:
            return text, width
        width += self._letter("…", face)
        while text and width > room:
            width -= self._letter(text[-1], face)
            text = text[:-1]
        return f"{text}…", width

    def _width(self, text: str, face: str) -> float:
        return sum(self._letter(letter, face) for letter in text)

    def _letter(self, letter: str, face: str) -> float:
        # Measuring letter by letter, each once, is five times as fast as asking for each text; the face has no kerning here.
        known = self._widths.get((letter, face))
        if known is None:
            known = self._widths[letter, face] = float(pdfmetrics.stringWidth(letter, face, HEAD))
        return known


def amount_columns(money: Money | None) -> tuple[Any, str]:
    """Return an amount as two cells of a CSV: the exact number, and its currency."""
    return (money.decimal(), money.currency) if money else ("", "")
