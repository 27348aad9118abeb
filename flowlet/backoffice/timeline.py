"""Time lines: what happened to one object or customer, newest first, from every source that knows something."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cells import Tone, words
from flowlet.backoffice.panels import Panel
from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: an instant, a sentence, who did it, and where to read more."""

    at: datetime
    text: str
    actor: str = ""
    detail: str = ""
    href: str = ""
    icon: str = "activity"
    tone: Tone = ""
    source: str = "Trail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose time line it is: an object by type and public id, and the customer it belongs to, if any."""

    object_type: str
    object_id: str
    customer: str = ""


class Source(Protocol):
    """What a source offers; `permission` guards it as a whole."""

    permission: str

    def entries(self, subject: Subject, person: Person, limit: int) -> Iterable[Entry]:
        """Return up to `limit` entries, newest first, by one query."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """How an act reads on a time line."""

    text: str
    icon: str = "activity"
    tone: Tone = ""
    detail: str | None = None  # in place of the reason and changes that are shown otherwise


TIMELINE: Registry[Source] = Registry("backoffice.timeline")
# Keyed by the act's name in the trail, such as "wallet.freeze"; an act without a formatter reads as its name.
FORMATTERS: Registry[Callable[[AuditRecord], Sentence]] = Registry("backoffice.formatters")


def entries(subject: Subject, person: Person, *, limit: int = PAGE) -> list[Entry]:
    """Return the newest entries of all sources the person may see; one query for each source."""
    found = [
        entry
        for source in TIMELINE.values()
        if person.may(source.permission)
        for entry in source.entries(subject, person, limit)
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]


def timeline_panel(subject: Subject, person: Person, *, limit: int = PAGE, side: bool = False) -> Panel:
    """Return the time line of a subject as a card."""
    return Panel(
        title="Time line",
        template="backoffice/timeline.html",
        data={"entries": entries(subject, person, limit=limit)},
        side=side,
    )


@TIMELINE.register("audit")
class AuditSource:
    """What the audit trail holds about the object and its customer."""

    permission = ""

    @staticmethod
    def entries(subject: Subject, person: Person, limit: int) -> Iterable[Entry]:
        """Return the acts on this object, or on everything of this customer when the subject is one."""
        del person  # everyone may read the time line of what they may see
        records = AuditRecord.objects.filter(object_type=subject.object_type, object_id=subject.object_id)
        if subject.object_type == "customer":
            records = AuditRecord.objects.filter(customer=subject.object_id)
        for record in records.order_by("-pk")[:limit]:
            sentence = sentence_of(record)
            yield Entry(
                at=record.recorded_at,
                text=sentence.text,
                actor=record.actor_label or record.actor,
                detail=detail_of(record) if sentence.detail is None else sentence.detail,
                icon=sentence.icon,
                tone="warn" if record.outcome == AuditRecord.Outcome.REFUSED else sentence.tone,
            )


def sentence_of(record: AuditRecord) -> Sentence:
    """Return how a record reads: by its formatter, else the act's own name in words."""
    if record.outcome != AuditRecord.Outcome.DONE:
        return Sentence(text=f"{words(record.action)}: {record.outcome.lower()}", icon="ban", tone="warn")
    if record.action in FORMATTERS:
        return FORMATTERS.get(record.action)(record)
    return Sentence(text=words(record.action))


def detail_of(record: AuditRecord) -> str:
    """Return reason and changes in words: `Reason: customer request · Status: active → frozen`."""
    parts = [f"Reason: {words(record.reason_code).lower()}"] if record.reason_code else []
    for name, old, new in changes_of(record):
        if old != new:
            parts.append(f"{words(name)}: {old or 'none'} → {new or 'none'}")
    return " · ".join(parts)


def changes_of(record: AuditRecord) -> list[tuple[str, str, str]]:
    """Return the changes of a record as (field, old, new), every value as text."""
    changes = json.loads(record.changes or "{}")
    return [(name, *_pair(pair)) for name, pair in sorted(changes.items())]


def _pair(pair: object) -> tuple[str, str]:
    old, new = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)  # noqa: PLR2004 - old and new
    return _text(old), _text(new)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
