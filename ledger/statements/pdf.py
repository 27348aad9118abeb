"""Statements as PDF: A4, drawn on the canvas (layout engines take ten times as long), with an embedded face."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import IO

from anyascii import anyascii
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from flowlet.backoffice.exports import FONTS
from flowlet.core.money import Money
from ledger.statements.facts import Entry, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format

PLAIN, BOLD = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"
WIDTH, HEIGHT = float(A4[0]), float(A4[1])
LEFT, RIGHT, TOP, BOTTOM = 42.0, WIDTH - 42.0, HEIGHT - 48.0, 54.0
ROW, SMALL, SIZE = 24.0, 7.0, 8.5
FIRST_TABLE_Y = TOP - 176.0
# Right edges of the three number columns, left edges of the two text columns.
DATE_X, TEXT_X, OUT_X, IN_X = LEFT, LEFT + 66.0, RIGHT - 168.0, RIGHT - 84.0
TEXT_ROOM = OUT_X - TEXT_X - 66.0
INK, QUIET, HAIR, ACCENT = (0.08, 0.11, 0.15), (0.35, 0.39, 0.46), (0.88, 0.9, 0.92), (0.29, 0.25, 0.82)
Colour = tuple[float, float, float]


class PdfFormat(Format):
    """For people and authorities; the same statement gives the same bytes."""

    title = "PDF"
    extension = "pdf"
    content_type = "application/pdf"
    text = "For reading, printing and handing over: balances in the head, page numbers."
    entries_max = 50_000  # pages are kept until the file is closed

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """Draw the pages; see `Format`."""
        self.version(version)
        (statement,) = self.fitting(wanted)
        _Sheet(statement, out).draw()


@lru_cache(maxsize=1)
def _faces() -> dict[str, TTFont]:
    faces = {name: TTFont(name, str(FONTS / f"{name}.ttf")) for name in (PLAIN, BOLD)}
    for face in faces.values():
        pdfmetrics.registerFont(face)
    return faces


@lru_cache(maxsize=4096)
def _letter(letter: str, face: str) -> tuple[str, float]:
    """Return what stands for a letter, and its width at size 1; what the face does not hold is transliterated."""
    glyphs = _faces()[face].face.charToGlyph
    shown = letter if ord(letter) in glyphs else anyascii(letter)
    return shown, float(pdfmetrics.stringWidth(shown, face, 1))


def _fitted(text: str, face: str, size: float, room: float) -> tuple[str, float]:
    """Return the text as it can be drawn, cut to the room, and its width."""
    shown, width = [], 0.0
    for letter in " ".join(text.split()):
        piece, wide = _letter(letter, face)
        if (width + wide) * size > room:
            shown.append("…")
            break
        shown.append(piece)
        width += wide
    return "".join(shown), width * size


class _Sheet:
    """One statement on as many pages as it needs; the number of pages is known before the first is drawn."""

    def __init__(self, statement: Statement, out: IO[bytes]) -> None:
        _faces()
        self.statement = statement
        # invariant: no time and no random id in the file.
        self.canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
        self.canvas.setTitle(f"Account statement {statement.reference}")
        self.canvas.setAuthor("Flowlet")
        first = int((FIRST_TABLE_Y - BOTTOM) // ROW) - 1
        later = int((TOP - 20 - BOTTOM) // ROW) - 1
        rest = max(0, len(statement.entries) - first)
        self.per_page = (first, later)
        self.pages = 1 + -(-rest // later)

    def draw(self) -> None:
        entries = self.statement.checked()
        for number in range(1, self.pages + 1):
            count = self.per_page[0 if number == 1 else 1]
            y = self._opening() if number == 1 else TOP
            self._table(islice(entries, count), y)
            self._foot(number)
            self.canvas.showPage()
        for _ in entries:  # the proof stands behind the latest entry
            pass
        self.canvas.save()

    def _opening(self) -> float:
        it = self.statement
        count, totals = len(it.entries), it.totals
        self._text(LEFT, TOP - 6, "Flowlet", BOLD, 11, ACCENT)
        self._text(LEFT, TOP - 36, "Account statement", BOLD, 18)
        self._text(LEFT, TOP - 54, f"{it.first:%-d %B %Y} to {it.last:%-d %B %Y}", PLAIN, 10, QUIET)
        self._text(RIGHT, TOP - 36, it.owner, BOLD, 11, right=True, room=250)
        self._text(RIGHT, TOP - 54, f"{it.reference} · {it.currency}", PLAIN, SIZE, QUIET, right=True)
        if it.number:
            self._text(RIGHT, TOP - 6, f"Statement {it.number}", BOLD, 11, right=True)
        figures = (
            ("Opening balance", it.opening),
            ("Money in", totals.money_in),
            ("Money out", -totals.money_out),
            ("Closing balance", it.closing),
        )
        step = (RIGHT - LEFT) / len(figures)
        self._line(TOP - 74, INK)
        for index, (label, minor) in enumerate(figures):
            x = LEFT + step * index
            self._text(x, TOP - 92, label, PLAIN, SIZE, QUIET)
            self._text(x, TOP - 110, _sum(it, minor), BOLD, 12)
        self._line(TOP - 124, HAIR)
        proof = (
            f"{count:,} {'entry' if count == 1 else 'entries'}. Checked: opening balance and entries give the closing"
            " balance of the books."
        )
        self._text(LEFT, TOP - 140, proof, PLAIN, SIZE, QUIET)
        if it.held:
            held = f"Held {_amount(it.money(it.held))}, available {_amount(it.money(it.available))}."
            self._text(LEFT, TOP - 153, held, PLAIN, SIZE, QUIET)
        return FIRST_TABLE_Y

    def _table(self, entries: Iterator[Entry], y: float) -> None:
        for x, title, right in (
            (DATE_X, "Date", False),
            (TEXT_X, "What and with whom", False),
            (OUT_X, "Out", True),
            (IN_X, "In", True),
            (RIGHT, "Balance", True),
        ):
            self._text(x, y, title, BOLD, SIZE, QUIET, right=right)
        self._line(y - 6, QUIET)
        for entry in entries:
            y -= ROW
            self._entry(entry, y)
        if not self.statement.entries:
            self._text(LEFT, y - ROW, "Nothing was booked in this span.", PLAIN, SIZE, QUIET)

    def _entry(self, entry: Entry, y: float) -> None:
        money = self.statement.money
        what = entry.counterparty or entry.text or entry.kind.capitalize()
        more = entry.text if entry.counterparty else ""
        self._text(DATE_X, y + 3, f"{entry.effective_date:%-d %b %Y}", PLAIN, SIZE)
        self._text(TEXT_X, y + 3, what, PLAIN, SIZE, room=TEXT_ROOM)
        self._text(TEXT_X, y - 6, f"{entry.transaction}  {more}", PLAIN, SMALL, QUIET, room=TEXT_ROOM + 60)
        x = IN_X if entry.amount > 0 else OUT_X
        self._text(x, y + 3, _digits(money(abs(entry.amount))), PLAIN, SIZE, right=True)
        self._text(RIGHT, y + 3, _digits(money(entry.balance)), PLAIN, SIZE, right=True)
        self._line(y - 11, HAIR)

    def _foot(self, number: int) -> None:
        it = self.statement
        self._text(
            LEFT,
            32,
            f"{it.reference} · {it.first} to {it.last} · amounts in {it.currency}",
            PLAIN,
            SMALL,
            QUIET,
        )
        self._text(RIGHT, 32, f"Page {number} of {self.pages}", PLAIN, SMALL, QUIET, right=True)

    def _line(self, y: float, colour: Colour) -> None:
        self.canvas.setStrokeColorRGB(*colour)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(LEFT, y, RIGHT, y)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        face: str,
        size: float,
        colour: Colour = INK,
        *,
        right: bool = False,
        room: float = RIGHT - LEFT,
    ) -> None:
        shown, width = _fitted(text, face, size, room)
        self.canvas.setFont(face, size)
        self.canvas.setFillColorRGB(*colour)
        self.canvas.drawString(x - width if right else x, y, shown)


def _digits(money: Money) -> str:
    return f"{money.decimal():,}"


def _sum(it: Statement, minor: int) -> str:
    return f"{it.decimal(minor):,} {it.currency}"


def _amount(money: Money) -> str:
    return f"{money.decimal():,} {money.currency}"


STATEMENT_FORMATS.register("pdf")(PdfFormat())
