"""Proof of the audit trail: every row's digest is computed again, apart from the SQL that wrote it."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowlet.audit import signing, trail
from flowlet.audit.models import AuditNote, AuditRecord
from flowlet.core import crypto
from flowlet.core.errors import InvariantBroken

_CHUNK = 2000
_PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that is not what was written; `kind` is `altered`, `unknown_key`, `note_altered`."""

    record_id: int
    kind: str
    text: str


@dataclass(slots=True)
class Report:
    """What a verification saw: rows checked, rows without a signature, findings in the order of rows."""

    checked: int = 0
    unsigned: int = 0
    unsigned_ids: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


def verify(*, since_id: int = 0, progress: Callable[[int], None] = lambda _done: None) -> Report:
    """
    Check every row after `since_id`; `progress` is told the number of rows done, now and then.

    An edit of any column, a moved digest, a removed digest and an altered note are found. Deleted rows are found once
    the trail is sealed in blocks; until then the database refuses deletion, and this check cannot see one made by
    somebody who switched the triggers off.
    """
    report = Report()
    keys = crypto.ring("AUDIT_MAC_KEYS")
    rows = AuditRecord.objects.filter(pk__gt=since_id).order_by("pk").values(*signing.COLUMNS, "mac")
    for row in rows.iterator(chunk_size=_CHUNK):
        _check_row(row, keys, report)
        if report.checked % _PROGRESS_EVERY == 0:
            progress(report.checked)
    report.findings.extend(_check_notes(since_id))
    return report


def _check_row(row: dict[str, Any], keys: crypto.KeyRing, report: Report) -> None:
    report.checked += 1
    if row["origin"] == AuditRecord.Origin.DATABASE and row["mac"] is None:
        report.unsigned += 1
        report.unsigned_ids.append(row["id"])
        return
    master = keys.keys.get(row["key_id"] or 0)
    if master is None:
        report.findings.append(
            Finding(row["id"], "unknown_key", f"key {row['key_id']} is not in AUDIT_MAC_KEYS")
        )
    elif row["nonce"] is None or row["mac"] is None:
        report.findings.append(Finding(row["id"], "altered", "the digest is gone"))
    elif not hmac.compare_digest(signing.mac(master, row), bytes(row["mac"])):
        report.findings.append(
            Finding(row["id"], "altered", f"{row['action']} {row['object_id']}: digest differs")
        )


def _check_notes(since_id: int) -> Iterator[Finding]:
    notes = AuditNote.objects.filter(pk__gt=since_id).select_related("record").order_by("pk")
    for note in notes.iterator(chunk_size=_CHUNK):
        try:
            text = trail.open_note(public_id=note.public_id, ciphertext=note.ciphertext)
        except InvariantBroken as error:
            yield Finding(note.pk, "note_altered", str(error))
            continue
        if hashlib.sha256(text.encode()).hexdigest() != note.record.note_digest:
            yield Finding(note.pk, "note_altered", "the words are not those that were signed")
