"""
Compare one of our customers with one listed entity, and say why.

Pure: dataclasses in, dataclass out. The rows of a comparison carry signed shares that sum to its points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from compliance.names import facts
from compliance.names.align import JOINED, POINTS_MAX, NameScore, score_names
from compliance.names.facts import CLOSE, DIFFERS, SAME, UNKNOWN, Agreement, DateRange
from compliance.names.normal import NAME, NUMBER, NormalName, normal_name

# Part of every stored result. A change of any file or table in this package needs a new one and a full re-screen.
ENGINE_VERSION = "2026.11"
PERSON, COMPANY, VESSEL, AIRCRAFT = "PERSON", "COMPANY", "VESSEL", "AIRCRAFT"
PRIMARY, STRONG, WEAK = "PRIMARY", "STRONG", "WEAK"
# Facts speak only for names that are alike at all: half the house shares a country with somebody.
_NAME_FLOOR_FOR_FACTS = 6000
_KIND_CAP = 7000
_WEAK_CAP = 7400
_CLOSE_FROM = 7000
_SAME_FROM = 9900


@dataclass(frozen=True, slots=True)
class Subject:
    """Ours: `kind` PERSON or COMPANY, countries as alpha-2 codes."""

    kind: str
    name: str
    birth_date: date | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """Theirs: names as (kind, text), birth dates as ranges, countries as alpha-2 codes."""

    kind: str
    names: tuple[tuple[str, str], ...]
    births: tuple[DateRange, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison: the field, how it agrees, why, and its signed share in points."""

    field: str
    how: str
    because: str
    share: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Points 0..10_000, those of the name alone, the listed name that matched best, and the rows behind it."""

    points: int
    name_points: int
    matched_name: str
    matched_kind: str
    rows: tuple[Row, ...]
    words: tuple[dict[str, Any], ...]

    @property
    def main_reason(self) -> str:
        """One short sentence for a list of hits."""
        parts = {row.field: row for row in self.rows}
        name = {SAME: "Same name", CLOSE: "Similar name"}.get(parts["name"].how, "Partly the same name")
        if self.matched_kind == WEAK:
            name += ", weak alias"
        birth = {SAME: "same birth date", CLOSE: "close birth date", DIFFERS: "other birth date"}
        extra = birth.get(parts["birth_date"].how, "")
        if not extra and parts["country"].how == SAME:
            extra = "country in common"
        return f"{name}, {extra}" if extra else name


def compare(subject: Subject, listed: Listed) -> Comparison:
    """Return the comparison under the listed name that gives the most points; among ties the main and shortest name."""
    ours = normal_name(subject.name)
    rank = {PRIMARY: 0, STRONG: 1, WEAK: 2}
    found = [_compare_name(subject, ours, listed, kind, text) for kind, text in listed.names]
    return max(
        found,
        key=lambda c: (c.points, c.name_points, -rank[c.matched_kind], -len(c.matched_name), c.matched_name),
    )


def _compare_name(subject: Subject, ours: NormalName, listed: Listed, kind: str, text: str) -> Comparison:
    theirs = normal_name(text)
    name = score_names(ours, theirs)
    steps: list[tuple[str, Agreement]] = []
    birth = facts.compare_birth(subject.birth_date, listed.births)
    country = facts.compare_countries(subject.countries, listed.countries)
    points = name.points
    rows = [Row("name", _how(points), _name_words(name), points)]
    for field, cap, because in _caps(subject, ours, listed, theirs, kind):
        if points > cap:
            rows.append(Row(field, DIFFERS, because, cap - points))
            points = cap
    steps = [("birth_date", birth), ("country", country)]
    for field, agreement in steps:
        share = _share(points, agreement, may_raise=name.points >= _NAME_FLOOR_FOR_FACTS)
        rows.append(Row(field, agreement.how, agreement.because, share))
        points += share
    words = tuple(
        {"ours": w.ours, "listed": w.listed, "how": w.how, "similarity": w.similarity, "share": w.share}
        for w in name.shares
    )
    return Comparison(points, name.points, text, kind, tuple(rows), words)


def _share(points: int, agreement: Agreement, *, may_raise: bool) -> int:
    if agreement.move > 0:
        return int((POINTS_MAX - points) * agreement.move) if may_raise else 0
    return -int(points * -agreement.move)


def _caps(
    subject: Subject, ours: NormalName, listed: Listed, theirs: NormalName, kind: str
) -> Sequence[tuple[str, int, str]]:
    caps = []
    if (subject.kind == PERSON) != (listed.kind == PERSON):
        caps.append(("kind", _KIND_CAP, "A person here, not a person there"))
    one_word = _telling_words(theirs) == 1
    if one_word and (kind == WEAK or _telling_words(ours) > 1):
        caps.append(("one_word", _WEAK_CAP, "The listed name is a single word"))
    return caps


def _telling_words(name: NormalName) -> int:
    return sum(word.kind in (NAME, NUMBER) for word in name.words)


def _how(points: int) -> str:
    if points >= _SAME_FROM:
        return SAME
    return CLOSE if points >= _CLOSE_FROM else DIFFERS


def _name_words(name: NameScore) -> str:
    matched = [share for share in name.shares if share.ours and share.listed]
    alike = sum(share.similarity == 1 or share.how == JOINED for share in matched)
    ours_only = sum(1 for share in name.shares if not share.listed)
    listed_only = sum(1 for share in name.shares if not share.ours)
    parts = [
        f"{alike} same" if alike else "",
        f"{len(matched) - alike} similar" if len(matched) > alike else "",
    ]
    parts += [
        f"{ours_only} only ours" if ours_only else "",
        f"{listed_only} only listed" if listed_only else "",
    ]
    return "Words: " + ", ".join(part for part in parts if part)


__all__ = ["CLOSE", "DIFFERS", "SAME", "UNKNOWN", "Comparison", "Listed", "Row", "Subject", "compare"]
