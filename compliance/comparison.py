"""A hit as an officer sees it: ours beside the listed, how each line agrees, and its share of the score."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from rapidfuzz.distance import Levenshtein

from compliance.choices import FactKind, NameKind
from compliance.countries import name_of
from compliance.models.screening import POINTS_MAX, ListedEntity, ListedFact, ScreeningHit
from compliance.names.align import EQUAL, JOINED
from compliance.names.normal import normal_name
from flowlet.backoffice.cells import BLANK, Badge, Day, Masked, Part, Tone
from flowlet.identity.choices import CustomerKind
from flowlet.identity.models import Customer

_AGREEMENTS: dict[str, tuple[str, Tone]] = {
    "SAME": ("Same", "ok"),
    "CLOSE": ("Close", "warn"),
    "DIFFERS": ("Differs", "bad"),
    "UNKNOWN": ("Not known", ""),
}
_SHOWN_MAX = 4
_ALONE = ("ONLY_OURS", "ONLY_LISTED")


@dataclass(frozen=True, slots=True)
class Share(Part):
    """A signed share of the score, as a number and a bar that grows right (for) or left (against) of the middle."""

    points: int

    def html(self) -> SafeString:
        """Return number and bar; the bar is decoration, the number says it."""
        half = 28.0
        width = max(1.0, min(half, abs(self.points) / POINTS_MAX * half)) if self.points else 0.0
        left = half - width if self.points < 0 else half
        return format_html(
            '<span class="share">{}<svg class="share-bar{}" viewBox="0 0 56 8" aria-hidden="true">'
            '<rect class="share-track" y="3.5" width="56" height="1"/><rect class="share-fill" x="{}" width="{}" height="8"'
            ' rx="1.5"/><rect class="share-middle" x="27.5" width="1" height="8"/></svg></span>',
            signed(self.points),
            " share-against" if self.points < 0 else "",
            f"{left:.1f}",
            f"{width:.1f}",
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the comparison."""

    label: str
    ours: object
    listed: object
    agreement: object
    because: str = ""
    share: object = ""


def signed(points: int) -> str:
    """Return points as signed percent, such as `+90.32`, or `0`: two digits, so that the lines add up exactly."""
    if not points:
        return "0"
    sign = "+" if points > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(points) / 100:.2f}"


def agreement_badge(how: str) -> Badge:
    """Return how a field agrees as a badge."""
    return Badge(*_AGREEMENTS[how])


def lines_of(hit: ScreeningHit, *, reveal: bool) -> list[Line]:
    """
    Return the rows in their order; `reveal` shows the birth date, which is masked otherwise.

    Expects the entity with names and facts loaded.
    """
    customer, entity = hit.customer, hit.entity
    rows = {row["field"]: row for row in hit.comparison["rows"]}
    facts = _by_kind(entity.facts.all())
    ours, listed = marked_names(customer.name, hit.matched_name, hit.comparison["words"])
    kind = NameKind(hit.comparison["matched_kind"]).label
    lines = [
        _line("Name", rows["name"], ours, format_html('{}<span class="cell-meta">{}</span>', listed, kind))
    ]
    if "kind" in rows:
        lines.append(_line("Kind", rows["kind"], customer.get_kind_display(), entity.get_kind_display()))
    if "one_word" in rows:
        lines.append(_line("Length", rows["one_word"], "", ""))
    if customer.kind == CustomerKind.PERSON or facts.get(FactKind.BIRTH_DATE):
        shown = _birth_date(customer, reveal=reveal)
        lines.append(_line("Birth date", rows["birth_date"], shown, _several(facts, FactKind.BIRTH_DATE)))
    lines.append(_line("Country", rows["country"], _countries(customer), _listed_countries(entity)))
    for label, fact_kind in (
        ("Birth place", FactKind.BIRTH_PLACE),
        ("Document", FactKind.DOCUMENT),
        ("Gender", FactKind.GENDER),
        ("Address", FactKind.ADDRESS),
    ):
        if facts.get(fact_kind):
            lines.append(
                Line(label, BLANK, _several(facts, fact_kind), agreement_badge("UNKNOWN"), "", Share(0))
            )
    return lines


def _line(label: str, row: dict[str, Any], ours: object, listed: object) -> Line:
    return Line(
        label,
        ours or BLANK,
        listed or BLANK,
        agreement_badge(row["how"]),
        row["because"],
        Share(row["share"]),
    )


def _birth_date(customer: Customer, *, reveal: bool) -> object:
    if not customer.birth_date:
        return ""
    return Day(date.fromisoformat(customer.birth_date)) if reveal else Masked("\N{BULLET}" * 6)


def _by_kind(facts: Iterable[ListedFact]) -> dict[str, list[ListedFact]]:
    found: dict[str, list[ListedFact]] = {}
    for fact in facts:
        found.setdefault(fact.kind, []).append(fact)
    return found


def _several(facts: dict[str, list[ListedFact]], kind: str) -> SafeString | str:
    texts = [fact.text for fact in facts.get(kind, ())]
    more = len(texts) - _SHOWN_MAX
    if more > 0:
        texts = [*texts[:_SHOWN_MAX], f"and {more} more"]
    return format_html_join(SafeString("<br>"), "{}", ((text,) for text in texts))


def _countries(customer: Customer) -> str:
    residence, nationality = name_of(customer.country), name_of(customer.nationality)
    if not customer.nationality or nationality == residence:
        return residence
    return f"{residence}, national of {nationality}"


def _listed_countries(entity: ListedEntity) -> str:
    return ", ".join(sorted({name_of(fact.country) for fact in entity.facts.all() if fact.country}))


def marked_names(ours: str, listed: str, words: Sequence[dict[str, Any]]) -> tuple[SafeString, SafeString]:
    """Return both names with the letters and words that are not alike marked."""
    return _marked(ours, words, "ours", "listed"), _marked(listed, words, "listed", "ours")


def _marked(text: str, words: Sequence[dict[str, Any]], here: str, there: str) -> SafeString:
    partners = {piece: word for word in words for piece in word[here].split()}
    return format_html_join(" ", "{}", ((_marked_word(raw, partners, here, there),) for raw in text.split()))


def _marked_word(raw: str, partners: dict[str, dict[str, Any]], here: str, there: str) -> SafeString:
    pieces = [word.text for word in normal_name(raw).words]
    found = [partners[piece] for piece in pieces if piece in partners]
    if not found or all(word["how"] in (EQUAL, JOINED) for word in found):
        return format_html("{}", raw)
    word = found[0]
    if word["how"] in _ALONE or len(pieces) != 1 or raw.casefold() != word[here]:
        # Only ours or only listed, or another script: the word as a whole is what differs.
        return format_html('<mark class="unlike">{}</mark>', raw)
    return _marked_letters(raw, word[here], word[there])


def _marked_letters(raw: str, mine: str, other: str) -> SafeString:
    spans = [
        (raw[step.src_start : step.src_end], step.tag == "equal")
        for step in Levenshtein.opcodes(mine, other)
        if step.src_end > step.src_start
    ]
    return format_html_join(
        "",
        "{}",
        ((part if alike else format_html('<mark class="unlike">{}</mark>', part),) for part, alike in spans),
    )
