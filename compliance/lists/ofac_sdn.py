"""
The OFAC list of Specially Designated Nationals in its three CSV files.

Source: US Treasury, OFAC, "SDN data formats" (dat_spec.txt), read in the files of July 2021. No header, CRLF, quoted
text, null is an unquoted `-0-` with a blank, a byte 0x1A ends each file.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compliance.countries import code_of
from compliance.errors import ListRefused
from compliance.list_formats import LISTS, ParsedEntity, ParsedFact, ParsedList, ParsedName
from compliance.lists import ofac_remarks

_NULL = "-0-"
_END = b"\x1a"
_BOM = b"\xef\xbb\xbf"
_FAULTS_MAX = 20  # after that a file is plainly another file
_LINE_MAX = 20_000  # characters; the longest real line has about 1,400
_REMARKS_CUT = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_KINDS = {"": "COMPANY", "individual": "PERSON", "vessel": "VESSEL", "aircraft": "AIRCRAFT"}
_ALIASES = ("aka", "fka", "nka")
_COLUMNS = {"sdn": 12, "alt": 5, "add": 6}


@dataclass(frozen=True, slots=True)
class _Line:
    """One record of a file with the number of the line it starts on."""

    file: str
    number: int
    cells: list[str]

    def fault(self, text: str) -> str:
        return f"{self.file}.csv line {self.number}: {text}"


class OfacSdn:
    """Read sdn.csv, alt.csv and add.csv of one day."""

    title = "OFAC SDN list"
    source = "US Department of the Treasury, Office of Foreign Assets Control; public domain"
    files = ("sdn", "alt", "add")

    def parse(self, files: Mapping[str, bytes]) -> ParsedList:
        """
        Put the three files together.

        :raises ListRefused: with file and line of each fault, at most 20
        """
        texts = {file: _decoded(file, files[file]) for file in self.files}
        lines = {file: list(_lines(file, text)) for file, (text, _) in texts.items()}
        faults = _Faults()
        entities = _entities(lines["sdn"], faults)
        _add_aliases(entities, lines["alt"], faults)
        _add_addresses(entities, lines["add"], faults)
        faults.raise_if_any()
        encodings = {encoding for _, encoding in texts.values()}
        return ParsedList(tuple(entities.values()), "cp1252" if "cp1252" in encodings else "utf-8")


class _Faults:
    """Collect faults and stop when a file is plainly another file."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, fault: str) -> None:
        self.found.append(fault)
        if len(self.found) >= _FAULTS_MAX:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self.found:
            raise ListRefused(*self.found)


def _decoded(file: str, content: bytes) -> tuple[str, str]:
    """Return the text without its end marker, and the encoding it was in."""
    if not content.strip(b"\r\n\t \x1a"):
        raise ListRefused(f"{file}.csv line 1: the file is empty")
    body = content.removeprefix(_BOM)
    if not body.endswith(b"\r\n" + _END):
        at = body.count(b"\n") + (not body.endswith(b"\n"))
        raise ListRefused(f"{file}.csv line {at}: the end marker (CR LF 0x1A) is missing, the file was cut")
    body = body[:-1]
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError as error:
        at = body.count(b"\n", 0, error.start) + 1
        try:
            return body.decode("cp1252"), "cp1252"
        except UnicodeDecodeError:
            raise ListRefused(f"{file}.csv line {at}: neither UTF-8 nor Windows-1252 text") from None


def _lines(file: str, text: str) -> Iterator[_Line]:
    """
    Yield the records of a file.

    :raises ListRefused: for control characters, overlong lines, quotes that do not close, another number of columns
    """
    for number, line in enumerate(text.split("\r\n")[:-1], 1):
        junk = _CONTROL.search(line)
        if junk:
            raise ListRefused(
                f"{file}.csv line {number}: control character 0x{ord(junk[0]):02X}, not a text file"
            )
        if len(line) > _LINE_MAX:
            raise ListRefused(f"{file}.csv line {number}: {len(line):,} characters, at most {_LINE_MAX:,}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            yield _Line(file, start, [_value(cell) for cell in _checked(file, start, cells, reader.line_num)])
            start = reader.line_num + 1
    except csv.Error as error:
        raise ListRefused(f"{file}.csv line {start}: {error}") from None


def _checked(file: str, start: int, cells: list[str], line_num: int) -> list[str]:
    columns = _COLUMNS[file]
    if line_num != start:
        raise ListRefused(f"{file}.csv line {start}: a record runs over {line_num - start + 1} lines")
    if len(cells) != columns:
        raise ListRefused(f"{file}.csv line {start}: {len(cells)} columns, expected {columns}")
    return cells


def _value(cell: str) -> str:
    cell = cell.strip()
    return "" if cell == _NULL else cell


def _entities(lines: list[_Line], faults: _Faults) -> dict[str, ParsedEntity]:
    entities: dict[str, ParsedEntity] = {}
    for line in lines:
        uid, name, kind, programs = line.cells[:4]
        if not _NUMBER.fullmatch(uid):
            faults.add(line.fault(f"{uid[:20]!r} is no entity number"))
        elif uid in entities:
            faults.add(line.fault(f"entity number {uid} appears twice"))
        elif kind not in _KINDS:
            faults.add(line.fault(f"{kind[:20]!r} is no kind of entity"))
        elif not name or len(name) > 400:  # noqa: PLR2004 - the column's width
            faults.add(line.fault("the name is missing or too long"))
        else:
            entities[uid] = _entity(line.cells, uid, name, _KINDS[kind], programs)
    return entities


def _entity(cells: list[str], uid: str, name: str, kind: str, programs: str) -> ParsedEntity:
    raw = cells[11]
    remarks = ofac_remarks.read(raw, is_cut=len(raw) >= _REMARKS_CUT)
    entity = ParsedEntity(
        uid=uid,
        kind=kind,
        name=_in_order(name, kind),
        programs=tuple(part.strip("[] ") for part in programs.split("] [") if part.strip("[] ")),
        remarks=raw,
        is_cut=remarks.is_cut,
    )
    entity.names.append(ParsedName("PRIMARY", entity.name))
    entity.names += [ParsedName("WEAK", _in_order(text, kind)) for text in remarks.names]
    labels = ("Title", "Call sign", "Vessel type", "Tonnage", "Gross tonnage", "Flag", "Owner")
    entity.facts += [
        ParsedFact("OTHER", f"{label} {value}")
        for label, value in zip(labels, cells[4:11], strict=True)
        if value
    ]
    entity.facts += remarks.facts
    return entity


def _in_order(name: str, kind: str) -> str:
    """Turn "LAST, First Middle, Jr." into the order people are called by; names of others stay as they are."""
    if kind != "PERSON":
        return name
    family, _, rest = name.partition(", ")
    given, _, suffix = rest.partition(", ")
    return " ".join(part for part in (given, family, suffix) if part)


def _add_aliases(entities: dict[str, ParsedEntity], lines: list[_Line], faults: _Faults) -> None:
    seen: set[str] = set()
    for line in lines:
        uid, number, kind, name, _ = line.cells
        entity = _owner(entities, line, uid, number, seen, faults)
        if kind not in _ALIASES:
            faults.add(line.fault(f"{kind[:20]!r} is no kind of alias"))
        elif not name or len(name) > 400:  # noqa: PLR2004 - the column's width
            faults.add(line.fault("the name is missing or too long"))
        elif entity:
            entity.names.append(ParsedName("STRONG", _in_order(name, entity.kind)))


def _add_addresses(entities: dict[str, ParsedEntity], lines: list[_Line], faults: _Faults) -> None:
    seen: set[str] = set()
    for line in lines:
        uid, number, street, city, country, _ = line.cells
        entity = _owner(entities, line, uid, number, seen, faults)
        text = ", ".join(part for part in (street, city, country) if part)
        if entity and text:
            entity.facts.append(ParsedFact("ADDRESS", text[:1100], code_of(country)))


def _owner(
    entities: dict[str, ParsedEntity], line: _Line, uid: str, number: str, seen: set[str], faults: _Faults
) -> ParsedEntity | None:
    if not _NUMBER.fullmatch(number):
        faults.add(line.fault(f"{number[:20]!r} is no number"))
    elif number in seen:
        faults.add(line.fault(f"number {number} appears twice"))
    seen.add(number)
    entity = entities.get(uid)
    if entity is None:
        faults.add(line.fault(f"points to entity {uid[:20]!r}, which is not in sdn.csv"))
    return entity


LISTS.register("ofac-sdn")(OfacSdn())
