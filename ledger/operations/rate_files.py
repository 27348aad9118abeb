"""Files of exchange rates: a CSV of our own, and the daily reference rates of the ECB. All lines or none."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from lxml import etree

from flowlet.core.errors import AppError
from ledger.choices import RateKind
from ledger.operations.currencies import NewRate, check_new, find_others, read_rate, record_rates

COLUMNS = ("base", "quote", "kind", "source", "rate", "valid_at")
BYTES_MAX = 5_000_000
_ECB = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
# Published around 16:00 Central European Time of each working day.
_ECB_AT, _ECB_ZONE = time(16), ZoneInfo("Europe/Berlin")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of the file; lines count from 1, line 0 is the file as a whole."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class RateFileRefused(AppError):
    """The file has faults; nothing of it was recorded. `faults` names the lines."""

    code = "rate_file_refused"
    http_status = 400
    title = "Rate file refused"
    message = "{count} faults in the file, nothing was recorded: {first}"

    def __init__(self, faults: list[LineFault]) -> None:
        self.faults = faults
        super().__init__(count=len(faults), first="; ".join(str(fault) for fault in faults[:_SHOWN]))


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rates the file holds, and how many of them were not on record before."""

    rates: int
    recorded: int


def import_rates(*, content: bytes, now: datetime) -> Imported:
    """
    Record the rates of a file, all or none; a file imported twice records nothing the second time.

    CSV: UTF-8, a header line with base, quote, kind, source, rate, valid_at (an instant with its zone, or a day, which
    stands for its first instant in UTC). XML: the ECB's daily or historical reference rates, recorded as MID and as
    CLOSING.

    :raises RateFileRefused: with every line that is wrong
    """
    rows = _read(content)
    faults: list[LineFault] = []
    for line, new in rows:
        try:
            check_new(new, now)
        except AppError as fault:
            faults.append(LineFault(line, fault.detail))
    faults += _clashes(rows)
    if faults:
        raise RateFileRefused(faults)
    rates = [new for _, new in rows]
    return Imported(len(rates), record_rates(rates=rates, now=now))


def _clashes(rows: list[tuple[int, NewRate]]) -> Iterator[LineFault]:
    """Name lines that say something else than an earlier line, or than what is on record."""
    seen: dict[object, tuple[int, NewRate]] = {}
    for line, new in rows:
        first, other = seen.setdefault(new.key, (line, new))
        if other.rate != new.rate:
            yield LineFault(
                line, f"Line {first} gives another rate for the same pair, kind, source and instant."
            )
    for place in find_others([new for _, new in rows]):
        line, new = rows[place]
        yield LineFault(
            line, f"Another {new.kind} rate {new.base}/{new.quote} of this source and instant is on record."
        )


def _read(content: bytes) -> list[tuple[int, NewRate]]:
    if len(content) > BYTES_MAX:
        raise RateFileRefused([LineFault(0, f"The file is larger than {BYTES_MAX:,} bytes.")])
    rows = _read_ecb(content) if content.lstrip()[:1] == b"<" else _read_csv(content)
    if not rows:
        raise RateFileRefused([LineFault(0, "The file holds no rates.")])
    return rows


def _read_csv(content: bytes) -> list[tuple[int, NewRate]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RateFileRefused([LineFault(line, "The file is not UTF-8.")]) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, NewRate]] = []
    faults: list[LineFault] = []
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise RateFileRefused([LineFault(1, f"The header lacks {', '.join(missing)}.")])
        for row in reader:
            try:
                found.append((reader.line_num, _row(row)))
            except (AppError, ValueError) as fault:
                faults.append(LineFault(reader.line_num, getattr(fault, "detail", str(fault))))
    except csv.Error as error:
        # The reader counts a line once it has understood it; an open quote runs to the last one.
        line = min(reader.line_num + 1, text.count("\n") + 1)
        faults.append(LineFault(line, f"This is not CSV: {error}."))
    if faults:
        raise RateFileRefused(faults)
    return found


def _row(row: Mapping[str | None, str | list[str] | None]) -> NewRate:
    values = {name: row[name] for name in COLUMNS}
    texts = {name: value.strip() for name, value in values.items() if isinstance(value, str)}
    if None in row or len(texts) < len(COLUMNS):
        raise ValueError("The line has more or fewer columns than the header.")
    return NewRate(
        base=texts["base"],
        quote=texts["quote"],
        kind=texts["kind"].upper(),
        source=texts["source"],
        rate=read_rate(texts["rate"]),
        valid_at=_instant(texts["valid_at"]),
    )


def _instant(text: str) -> datetime:
    try:
        if len(text) == len("2026-11-02"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no instant such as 2026-11-02T16:00:00+01:00.") from None
    if at.tzinfo is None:
        raise ValueError(f"{text[:40]!r} lacks its zone: write Z or +01:00 after it.")
    return at


def _read_ecb(content: bytes) -> list[tuple[int, NewRate]]:
    # No entities, no network, no unbounded depth; a document type is refused altogether.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise RateFileRefused([LineFault(error.lineno or 1, f"This is not XML: {error.msg}.")]) from None
    if root.getroottree().docinfo.doctype:
        raise RateFileRefused([LineFault(1, "A document type is not accepted.")])
    found: list[tuple[int, NewRate]] = []
    faults: list[LineFault] = []
    for day in root.iter(_ECB):
        if day.get("time") is None:
            continue
        for cube in day.iter(_ECB):
            if cube.get("currency") is None:
                continue
            try:
                found += [(cube.sourceline, new) for new in _ecb_rates(day.get("time"), cube)]
            except (AppError, ValueError) as fault:
                faults.append(LineFault(cube.sourceline, getattr(fault, "detail", str(fault))))
    if faults:
        raise RateFileRefused(faults)
    return found


def _ecb_rates(day: str, cube: etree._Element) -> Iterator[NewRate]:
    at = datetime.combine(date.fromisoformat(day), _ECB_AT, _ECB_ZONE).astimezone(UTC)
    for kind in (RateKind.MID, RateKind.CLOSING):
        yield NewRate(
            base="EUR",
            quote=cube.get("currency"),
            kind=kind,
            source="ECB",
            rate=read_rate(cube.get("rate", "")),
            valid_at=at,
        )
