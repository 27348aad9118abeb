"""Time lines: what happened to one object or customer, newest first, from every source that knows something."""

import json
import re
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
# How an act reads that was refused or failed; without an entry, as an attempt at it.
REFUSALS: Registry[str] = Registry("backoffice.refusals")
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Z]{4,}")
_DIGEST = re.compile(r"[0-9a-f]{32,}")
_DIGEST_SHOWN = 12


def say(action: str, text: str, icon: str = "activity", tone: Tone = "", *, refused: str = "") -> None:
    """Register how an act reads whatever it changed, and how it reads when it was refused or failed."""
    sentence = Sentence(text=text, icon=icon, tone=tone)
    FORMATTERS.register(action)(lambda _record: sentence)
    if refused:
        REFUSALS.register(action)(refused)


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
                actor=actor_of(record),
                detail=detail_of(record) if sentence.detail is None else sentence.detail,
                icon=sentence.icon,
                tone="warn" if record.outcome == AuditRecord.Outcome.REFUSED else sentence.tone,
            )


def sentence_of(record: AuditRecord) -> Sentence:
    """Return how a record reads: by its formatter, else the act's own name in words; a refusal as one."""
    if record.outcome != AuditRecord.Outcome.DONE:
        return Sentence(text=_refusal(record), icon="ban", tone="warn")
    if record.action in FORMATTERS:
        return FORMATTERS.get(record.action)(record)
    return Sentence(text=words(record.action))


def _refusal(record: AuditRecord) -> str:
    if record.action in REFUSALS:
        return REFUSALS.get(record.action)
    noun, _, verb = record.action.replace("-", "_").rpartition(".")
    ended = "was refused" if record.outcome == AuditRecord.Outcome.REFUSED else "failed"
    what = " ".join(f"{verb} {noun}".replace("_", " ").split())
    return f"Attempt to {what} {ended}"


def actor_of(record: AuditRecord) -> str:
    """Return who did it: a name, the job in words, or that the house did it by itself."""
    if record.actor_label:
        return record.actor_label
    kind, _, job = record.actor.partition(":")
    if kind != "job":
        return record.actor
    return "Flowlet" if job == "unknown" else f"Job: {words(job.rpartition('.')[2]).lower()}"


def detail_of(record: AuditRecord) -> str:
    """Return reason and changes in words: `Reason: customer request · Status: active → frozen`."""
    parts = [f"Reason: {words(record.reason_code).lower()}"] if record.reason_code else []
    for name, old, new in changes_of(record):
        if old and old != new:
            parts.append(f"{words(name)}: {old} → {new or 'none'}")
        elif new:
            parts.append(f"{words(name)}: {new}")
    return " · ".join(parts)


def changes_of(record: AuditRecord) -> list[tuple[str, str, str]]:
    """Return the changes of a record as (field, old, new), every value as text; codes in words, digests cut short."""
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
    return _told(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _told(value: str) -> str:
    if _CODE.fullmatch(value):
        return words(value).lower()
    return f"{value[:_DIGEST_SHOWN]}…" if _DIGEST.fullmatch(value) else value
