"""
The remarks column of the OFAC list: free text in which birth dates, places, documents and weak names stand.

Segments are divided by `; `, a full stop ends the text. Unknown segments are kept as remarks, never dropped.
"""

import calendar
import re
from dataclasses import dataclass, field
from datetime import date

from compliance.countries import code_of
from compliance.list_formats import ParsedFact

_WEAK_NAME = re.compile(r"(?:a\.k\.a\.|f\.k\.a\.|n\.k\.a\.),? '(.+)'")
_LABELLED = re.compile(r"(?:alt\. )?(DOB|POB|nationality|citizen|Gender) (.+)")
_DOCUMENT = re.compile(
    r"(?:alt\. )?(?P<label>[A-Z][A-Za-z.\-/ ]*?(?:Passport|Cedula|Number|No\.?|NIT|ID|RUC|RFC|C\.U\.R\.P\.|D\.N\.I\.|"
    r"Passport|#|SWIFT/BIC|IMO|MMSI|Address - [A-Z]+)[.#]*(?: #| No\.?)?) (?P<value>[A-Za-z0-9][\w\-./ ]*?)"
    r"(?: \((?P<country>[^)]+)\))?(?: (?:issued|expires) .*)?"
)
_PASSPORT = re.compile(
    r"(?:alt\. )?(?P<label>Passport|SWIFT/BIC|NIT #|RUC #|D\.N\.I\.|C\.U\.R\.P\.|R\.F\.C\.|MMSI|Cedula No\.) "
    r"(?P<value>[A-Za-z0-9][\w\-./]*)(?: \((?P<country>[^)]+)\))?.*"
)
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_DAY = re.compile(r"(?:(\d{1,2}) )?(?:([A-Z][a-z]{2}) )?(\d{4})")
_KINDS = {"POB": "BIRTH_PLACE", "nationality": "NATIONALITY", "citizen": "CITIZENSHIP", "Gender": "GENDER"}
_TEXT_MAX = 1100
_DOCUMENT_MAX = 200


@dataclass(slots=True)
class Remarks:
    """Weak names, facts, and whether the publisher cut the text."""

    names: list[str] = field(default_factory=list)
    facts: list[ParsedFact] = field(default_factory=list)
    is_cut: bool = False


def read(text: str, *, is_cut: bool) -> Remarks:
    """Return what the remarks hold; of a text that was cut the last segment is dropped, it may be half a number."""
    segments = [part.strip() for part in text.split("; ") if part.strip()]
    if is_cut and segments:
        segments.pop()
    elif segments:
        segments[-1] = segments[-1].removesuffix(".")
    found = Remarks(is_cut=is_cut)
    for segment in segments:
        weak = _WEAK_NAME.fullmatch(segment)
        if weak:
            found.names.append(weak[1][:400])
        else:
            found.facts.append(_fact(segment))
    return found


def _fact(segment: str) -> ParsedFact:
    labelled = _LABELLED.fullmatch(segment)
    if labelled and labelled[1] == "DOB":
        return _birth(labelled[2])
    if labelled:
        kind, value = _KINDS[labelled[1]], labelled[2]
        return ParsedFact(kind, value[:_TEXT_MAX], "" if kind == "GENDER" else code_of(_country_part(value)))
    # Long text is prose; trying the pattern on it would take quadratic time.
    short = len(segment) <= _DOCUMENT_MAX
    document = (_PASSPORT.fullmatch(segment) or _DOCUMENT.fullmatch(segment)) if short else None
    if document and any(character.isdigit() for character in document["value"]):
        return ParsedFact("DOCUMENT", segment[:_TEXT_MAX], code_of(document["country"] or ""))
    return ParsedFact("OTHER", segment[:_TEXT_MAX])


def _country_part(place: str) -> str:
    """Return the country at the end of a place; "Korea, North" and "Congo, Republic of the" keep their comma."""
    if code_of(place):
        return place
    parts = place.split(", ")
    two = ", ".join(parts[-2:])
    return two if code_of(two) else parts[-1]


def _birth(text: str) -> ParsedFact:
    circa = text.startswith("circa ")
    plain = text.removeprefix("circa ")
    first, _, latest = plain.partition(" to ") if " to " in plain else plain.partition("-")
    start, end = _span(first), _span(latest.removeprefix("circa ") or first)
    if start is None or end is None or end[1] < start[0]:
        # Kept as it was given; a date nobody can read is shown and not compared.
        return ParsedFact("BIRTH_DATE", text[:_TEXT_MAX])
    return ParsedFact("BIRTH_DATE", text[:_TEXT_MAX], date_from=start[0], date_to=end[1], is_circa=circa)


def _span(text: str) -> tuple[date, date] | None:
    """Return the first and last day of "10 Dec 1948", "Sep 1938" or "1946"."""
    match = _DAY.fullmatch(text.strip())
    if match is None or (match[2] and match[2] not in _MONTHS):
        return None
    year, month = int(match[3]), _MONTHS.get(match[2] or "")
    if not year or (match[1] and not month):
        return None
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    days = calendar.monthrange(year, month)[1]
    if match[1]:
        day = int(match[1])
        return (date(year, month, day), date(year, month, day)) if 1 <= day <= days else None
    return date(year, month, 1), date(year, month, days)
