"""
Taking a delivered list into use: stage, gate, one switch.

What is refused is recorded and changes nothing. The switch takes exclusively the advisory lock that screening takes
shared, so each customer is screened against the old list and stands in the re-screening, or against the new one.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from io import StringIO

from django.db import connection, transaction
from django.db.models import Q

from compliance.choices import VersionStatus
from compliance.errors import ListRefused
from compliance.list_formats import LISTS, ParsedEntity, ParsedList
from compliance.models.screening import ListedEntity, ListedFact, ListedName, ListSource, ListVersion
from compliance.names.normal import normal_name
from compliance.operations import locking
from flowlet.audit import trail
from flowlet.core.locks import lock

SIZE_MIN, SIZE_MAX = 0.90, 1.30  # of the live version, for each of the counts
_CHUNK = 500
Progress = Callable[[str, int, int], None]


def _silent(_step: str, _done: int, _total: int) -> None:
    """Show nothing."""


def load_list(
    *,
    code: str,
    files: Mapping[str, bytes],
    now: datetime,
    accept_size: str = "",
    progress: Progress = _silent,
) -> tuple[ListVersion, bool]:
    """
    Take a delivery into use and return its version, and whether anything changed (False: the same files are live).

    `files` holds the content of each file the format names. `accept_size` is the reason why a size beyond 90 to
    130 % of the live list is right. `progress(step, done, total)` is called while rows are written.

    :raises UnknownEntry: if there is no such list
    :raises ListRefused: if the delivery is damaged, of another shape or size; recorded, the live list stays
    """
    listing = LISTS.get(code)
    source, _ = ListSource.objects.get_or_create(code=code, defaults={"title": listing.title})
    digest = _digest(files)
    live = _live_version(source)
    if live and live.sha256 == digest:
        return live, False
    version = _stage(source, digest, now, accept_size)
    try:
        _check_complete(listing.files, files)
        progress("Reading", 0, 1)
        parsed = listing.parse(files)
        _take_into_use(version, parsed, now, progress)
    except ListRefused as refusal:
        _refuse(version, refusal, now)
        raise
    return version, True


def _check_complete(names: Sequence[str], files: Mapping[str, bytes]) -> None:
    missing = [name for name in names if name not in files]
    if missing:
        raise ListRefused(f"missing: {', '.join(missing)}")


@transaction.atomic
def _take_into_use(version: ListVersion, parsed: ParsedList, now: datetime, progress: Progress) -> None:
    """
    Write what is new and switch, in one transaction: a crash leaves nothing behind, two loads wait for each other.

    :raises ListRefused: if the size is unusual, or the same files went live a moment ago
    """
    source = lock(ListSource.objects.filter(pk=version.source_id)).get()
    live = _live_version(source)
    if live and live.sha256 == version.sha256:
        raise ListRefused("the same files went live a moment ago")
    _check_size(parsed, live, version.size_override)
    fresh = _write_rows(version, parsed, progress)
    _switch(version, parsed, fresh, now)


def _live_version(source: ListSource) -> ListVersion | None:
    return ListVersion.objects.filter(source=source, status=VersionStatus.LIVE).first()


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}:{len(content)}:".encode())
        whole.update(content)
    return whole.hexdigest()


@transaction.atomic
def _stage(source: ListSource, digest: str, now: datetime, accept_size: str) -> ListVersion:
    actor = trail.current_actor()
    return ListVersion.objects.create(
        source=source,
        sha256=digest,
        loaded_by=actor.label or actor.ref,
        staged_at=now,
        size_override=accept_size[:200],
    )


@transaction.atomic
def _refuse(version: ListVersion, refusal: ListRefused, now: datetime) -> None:
    version.status = VersionStatus.REFUSED
    version.refusals = list(refusal.reasons)
    version.retired_at = now
    version.save(update_fields=["status", "refusals", "retired_at"])
    trail.record(
        action="list.load",
        object_type="list_version",
        object_id=version.public_id,
        outcome="REFUSED",
        reason_code="LIST_REFUSED",
        note="; ".join(refusal.reasons)[:4000],
    )


def _check_size(parsed: ParsedList, live: ListVersion | None, accept_size: str) -> None:
    """
    Compare the counts with the live version.

    :raises ListRefused: if one is beyond 90 to 130 %, unless a reason was given
    """
    if live is None or accept_size:
        return
    faults = [
        f"{new:,} {name}, but {live.counts[name]:,} in the live list: {new * 100 / live.counts[name]:.0f} %,"
        f" expected 90 to 130 %; --accept-size takes it with a reason"
        for name, new in parsed.counts.items()
        if live.counts.get(name) and not SIZE_MIN <= new / live.counts[name] <= SIZE_MAX
    ]
    if faults:
        raise ListRefused(*faults)


def _write_rows(version: ListVersion, parsed: ParsedList, progress: Progress) -> list[ParsedEntity]:
    """Write the entities that are new or changed, not yet live, and return them."""
    known = dict(_live_fingerprints(version.source_id))
    fresh = [entity for entity in parsed.entities if known.get(entity.uid) != entity.fingerprint]
    done = 0
    for chunk in batched_list(fresh, _CHUNK):
        _copy_chunk(version, chunk)
        done += len(chunk)
        progress("Writing", done, len(fresh))
    return fresh


def batched_list(rows: list[ParsedEntity], size: int) -> Iterator[list[ParsedEntity]]:
    """Cut a list into pieces of at most `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _live_fingerprints(source_id: int) -> Iterator[tuple[str, str]]:
    rows = ListedEntity.objects.filter(source_id=source_id, is_live=True)
    yield from rows.values_list("uid", "fingerprint").iterator()


def _copy_chunk(version: ListVersion, chunk: list[ParsedEntity]) -> None:
    """Write entities, names and facts by COPY: the whole list takes seconds instead of minutes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('compliance_listedentity', 'id')) FROM generate_series(1, %s)",
            [len(chunk)],
        )
        ids = [row[0] for row in cursor.fetchall()]
    rows = list(zip(ids, chunk, strict=True))
    ListedEntity.objects.bulk_create(
        ListedEntity(
            id=pk,
            source_id=version.source_id,
            uid=entity.uid,
            kind=entity.kind,
            name=entity.name,
            programs=list(entity.programs),
            remarks=entity.remarks,
            is_cut=entity.is_cut,
            fingerprint=entity.fingerprint,
            from_version=version,
        )
        for pk, entity in rows
    )
    _copy(
        ListedName,
        ("entity_id", "kind", "text", "words", "sorted_words", "joined_words", "key"),
        _name_rows(rows),
    )
    columns = ("entity_id", "kind", "text", "country", "date_from", "date_to", "is_circa")
    _copy(ListedFact, columns, _fact_rows(rows))


def _name_rows(rows: list[tuple[int, ParsedEntity]]) -> Iterator[tuple[object, ...]]:
    for pk, entity in rows:
        for name in entity.names:
            normal = normal_name(name.text)
            yield pk, name.kind, name.text, normal.text, normal.sorted_words, normal.joined_words, normal.key


def _fact_rows(rows: list[tuple[int, ParsedEntity]]) -> Iterator[tuple[object, ...]]:
    for pk, entity in rows:
        for fact in entity.facts:
            yield pk, fact.kind, fact.text, fact.country, fact.date_from, fact.date_to, fact.is_circa


def _copy(
    model: type[ListedName | ListedFact], columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]
) -> None:
    text = StringIO("".join("\t".join(map(_cell, row)) + "\n" for row in rows))
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN", text)  # noqa: SLF001


def _cell(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", "\\\\").replace("\t", " ").replace("\n", " ").replace("\r", " ")


def _switch(version: ListVersion, parsed: ParsedList, fresh: list[ParsedEntity], now: datetime) -> None:
    """Make the new version live in one step: nobody sees half of each."""
    locking.lock_lists_exclusively()
    live = ListedEntity.objects.filter(source_id=version.source_id, is_live=True)
    given = {entity.uid for entity in parsed.entities}
    changed = {entity.uid for entity in fresh}
    gone = [uid for uid in live.values_list("uid", flat=True) if uid not in given]
    renewed = live.filter(uid__in=changed).count()
    live.filter(Q(uid__in=gone) | Q(uid__in=changed)).update(is_live=False, to_version=version)
    ListedEntity.objects.filter(from_version=version).update(is_live=True)
    old = ListVersion.objects.filter(source_id=version.source_id, status=VersionStatus.LIVE)
    old.update(status=VersionStatus.RETIRED, retired_at=now)
    version.status = VersionStatus.LIVE
    version.live_at = now
    version.encoding = parsed.encoding
    version.counts = parsed.counts
    version.changes = {"added": len(fresh) - renewed, "changed": renewed, "removed": len(gone)}
    version.save(update_fields=["status", "live_at", "encoding", "counts", "changes"])
    trail.record(
        action="list.load",
        object_type="list_version",
        object_id=version.public_id,
        changes={name: [None, number] for name, number in version.changes.items()},
        reason_code="SIZE_ACCEPTED" if version.size_override else "",
        note=version.size_override,
    )
