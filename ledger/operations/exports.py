"""Exports: statements too many or too long for one answer, written by a worker piece by piece, and fetched later."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import IO, cast

import structlog
from django.db import transaction
from django.db.models import Count, Q, Sum

from flowlet.audit import trail
from flowlet.core.errors import AppError, InvariantBroken, NotFound
from flowlet.core.locks import lock
from flowlet.events import outbox
from ledger import events
from ledger.choices import ExportState, ExportSubject
from ledger.errors import ExportGone, ExportNotReady, NothingToExport, TooManyExports, UnknownFormat
from ledger.models.statements import NOT_PROVEN, ExportFile, ExportJob, ExportPart
from ledger.models.transactions import Posting
from ledger.operations.export_files import Fetched, Parts, delete_parts, pieces, zipped
from ledger.operations.unproven import DETAIL
from ledger.statements.builder import build_statement
from ledger.statements.entries import AT_ONCE
from ledger.statements.facts import BadSpan, Entry, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format
from ledger.statements.subjects import SUBJECTS, Target, names_of, targets_of

KEPT, CLAIM = timedelta(days=7), timedelta(minutes=10)
WAITING_MAX, ATTEMPTS_MAX = 20, 3
_TARGETS_AT_ONCE = 500
_ZIPPED = "application/zip"
_log = structlog.get_logger("ledger.exports")
Clock = Callable[[], datetime]


class _LostClaim(Exception):
    """Another worker has taken the export over."""


@transaction.atomic
def request_export(
    *,
    subject_kind: ExportSubject,
    subject: str,
    first: date,
    latest: date,
    format: str,  # noqa: A002 - the word on the wire
    version: str = "",
    partner_id: int | None = None,
    now: datetime,
) -> ExportJob:
    """
    Ask for the statements of a wallet, customer or partner; a worker makes the file.

    `partner_id` is whose client asks: it sees its own only. None: a member of staff.

    :raises NotFound: if there is no such subject, or it is another partner's
    :raises BadSpan: if the span ends before it begins
    :raises UnknownFormat: if there is no such format or version
    :raises TooManyExports: if twenty exports of the asker are waiting
    """
    if latest < first:
        raise BadSpan
    if format not in STATEMENT_FORMATS or version not in ("", *STATEMENT_FORMATS.get(format).versions):
        raise UnknownFormat
    title = SUBJECTS.get(subject_kind).title(subject, partner_id)
    if title is None:
        raise NotFound
    actor = trail.current_actor()
    waiting = ExportJob.objects.filter(state__in=(ExportState.QUEUED, ExportState.RUNNING))
    mine = waiting.filter(actor=actor.ref) if partner_id is None else waiting.filter(partner_id=partner_id)
    if (count := mine.count()) >= WAITING_MAX:
        raise TooManyExports(waiting=count)
    job = ExportJob.objects.create(
        partner_id=partner_id,
        subject_kind=subject_kind,
        subject=subject,
        title=title[:160],
        first_date=first,
        latest_date=latest,
        format=format,
        version=STATEMENT_FORMATS.get(format).version(version),
        actor=actor.ref,
        actor_label=actor.label[:160],
        created_at=now,
    )
    _record(job, "statement.export_request", span=f"{first} to {latest}", format=format.upper())
    return job


def run_export(*, clock: Clock) -> str:
    """
    Work on one export that waits, or whose worker died, and return its id, or '' if there is none.

    A file that is finished stays; one that a dead worker began is written anew. What cannot be written makes the export
    FAILED and says why. `clock` tells the present instant: each piece extends the claim.
    """
    job = _claim(now=clock())
    if job is None:
        return ""
    try:
        _plan(job)
        for file in list(ExportFile.objects.filter(job=job, finished_at=None).order_by("position")):
            _write_file(job, file, clock)
    except _LostClaim:
        return str(job.public_id)
    except AppError as refusal:
        _end(job, now=clock(), code=refusal.code, detail=refusal.detail)
    except InvariantBroken as broken:
        _log.critical("statement_not_proven", export=job.public_id, fault=str(broken))
        _end(job, now=clock(), code=NOT_PROVEN, detail=DETAIL)
    else:
        _end(job, now=clock())
    return str(job.public_id)


@transaction.atomic
def _claim(*, now: datetime) -> ExportJob | None:
    dead = Q(state=ExportState.RUNNING, claimed_until__lt=now)
    waiting = ExportJob.objects.filter(Q(state=ExportState.QUEUED) | dead)
    job = lock(waiting, skip_locked=True).first()
    if job is None:
        return None
    if job.attempts >= ATTEMPTS_MAX:
        detail = "The worker died each time. Choose a shorter span, or another format."
        _end(job, now=now, code="export_failed", detail=detail)
        return None
    job.state, job.started_at, job.claimed_until = ExportState.RUNNING, now, now + CLAIM
    job.attempts += 1
    job.save(update_fields=["state", "started_at", "claimed_until", "attempts"])
    return job


# --- what is to be written -------------------------------------------------------------------------------------------


@transaction.atomic
def _plan(job: ExportJob) -> None:
    """List the files of a new export; count what is finished of one whose worker died."""
    if job.files_total:
        done = ExportFile.objects.filter(job=job, finished_at__isnull=False)
        found = done.aggregate(entries=Sum("entries"), files=Count("pk"), size=Sum("size"))
        job.entries_done, job.files_done = int(found["entries"] or 0), found["files"]
        job.size = int(found["size"] or 0)
        return
    known = STATEMENT_FORMATS.get(job.format)
    targets = SUBJECTS.get(job.subject_kind).targets(job.subject)
    files = list(_planned(job, known, targets))
    for file in files:
        rows = Posting.objects.filter(account_id__in=file.accounts)
        file.entries = rows.filter(effective_date__range=(job.first_date, job.latest_date)).count()
    ExportFile.objects.bulk_create(files, batch_size=_TARGETS_AT_ONCE)
    job.files_total, job.entries_total = len(files), sum(file.entries for file in files)
    job.save(update_fields=["files_total", "entries_total"])
    if not files:
        raise NothingToExport


def _planned(job: ExportJob, known: Format, targets: Iterator[Target]) -> Iterator[ExportFile]:
    """Yield one file per account; a customer's accounts share one where the format holds several statements."""
    span = f"{job.first_date}-{job.latest_date}"
    if known.several and job.subject_kind == ExportSubject.CUSTOMER:
        accounts = [target.account_id for target in targets]
        name = f"statements-{job.subject}-{span}.{known.extension}"
        yield from [ExportFile(job=job, position=0, accounts=accounts, name=name)] if accounts else []
        return
    for position, target in enumerate(targets):
        name = f"statement-{target.reference}-{span}.{known.extension}"
        yield ExportFile(job=job, position=position, accounts=[target.account_id], name=name)


# --- writing ---------------------------------------------------------------------------------------------------------


def _write_file(job: ExportJob, file: ExportFile, clock: Clock) -> None:
    """Write one file; its parts are committed as they come, and stay invisible until it is finished."""
    ExportPart.objects.filter(file=file).delete()
    known = STATEMENT_FORMATS.get(job.format)
    before = job.entries_done

    def progress(entries: int) -> None:
        job.entries_done = before + entries
        _extend(job, clock())

    sink = Parts(job, file)
    known.write(_statements(job, file, progress), cast("IO[bytes]", sink), job.version)
    sink.finish()
    with transaction.atomic():
        file.size, file.sha256, file.finished_at = sink.size, sink.digest.hexdigest(), clock()
        file.entries = job.entries_done - before
        job.files_done += 1
        job.size += sink.size
        file.save(update_fields=["entries", "size", "sha256", "finished_at"])
        _extend(job, clock())


def _statements(job: ExportJob, file: ExportFile, progress: Callable[[int], None]) -> Iterator[Statement]:
    heads, done = targets_of(file.accounts), 0
    for account_id in file.accounts:
        head = heads[account_id]
        statement = build_statement(
            account_id=account_id,
            first=job.first_date,
            last=job.latest_date,
            reference=head.reference,
            owner=head.owner,
            names=names_of,
            streamed=True,
        )
        yield replace(statement, entries=_Counted(statement.entries, done, progress))
        done += len(statement.entries)
        progress(done)


@dataclass(frozen=True, slots=True)
class _Counted(Collection[Entry]):
    """Entries that tell how many of them went by."""

    entries: Collection[Entry]
    before: int
    tell: Callable[[int], None]

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, entry: object) -> bool:
        return entry in self.entries

    def __iter__(self) -> Iterator[Entry]:
        for number, entry in enumerate(self.entries, start=1):
            yield entry
            if number % AT_ONCE == 0:
                self.tell(self.before + number)


def _extend(job: ExportJob, now: datetime) -> None:
    """Store the progress and keep the claim; the start of the claim tells whose it is."""
    mine = ExportJob.objects.filter(pk=job.pk, state=ExportState.RUNNING, started_at=job.started_at)
    if not mine.update(
        entries_done=job.entries_done, files_done=job.files_done, size=job.size, claimed_until=now + CLAIM
    ):
        raise _LostClaim


@transaction.atomic
def _end(job: ExportJob, *, now: datetime, code: str = "", detail: str = "") -> None:
    job.state = ExportState.FAILED if code else ExportState.DONE
    job.failure_code, job.failure_detail = code, detail[:200]
    job.finished_at, job.expires_at, job.claimed_until = now, now + KEPT, None
    job.save()
    if code:
        delete_parts(job)
    _record(
        job,
        "statement.export",
        outcome="FAILED" if code else "DONE",
        entries=job.entries_done,
        files=job.files_done,
    )
    if job.partner_id is not None:
        outbox.publish(
            type=events.EXPORT_FINISHED,
            object_type="export",
            object_id=job.public_id,
            partner_id=job.partner_id,
            data={"id": job.public_id, "status": job.state.lower(), "failure": code or None},
            at=now,
        )


def _record(job: ExportJob, action: str, *, outcome: trail.Outcome = "DONE", **facts: object) -> None:
    trail.record(
        action=action,
        object_type="export",
        object_id=job.public_id,
        changes={"subject": [None, job.subject], **{name: [None, fact] for name, fact in facts.items()}},
        outcome=outcome,
        reason_code=job.failure_code,
        partner_id=job.partner_id,
    )


# --- fetching --------------------------------------------------------------------------------------------------------


def fetch_export(*, job_id: int, now: datetime) -> Fetched:
    """
    Return an export's file, in pieces: the file itself if it is one, else a ZIP, the same bytes each time.

    :raises ExportNotReady: if it is not finished, or has failed
    :raises ExportGone: if it was kept long enough
    """
    job = ExportJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound
    if job.state == ExportState.EXPIRED or (job.expires_at is not None and job.expires_at <= now):
        raise ExportGone
    if job.state != ExportState.DONE:
        raise ExportNotReady(state=job.get_state_display())
    files = list(ExportFile.objects.filter(job=job).order_by("position"))
    _record(job, "statement.export_fetch", files=len(files))
    if len(files) == 1:
        content_type = STATEMENT_FORMATS.get(job.format).content_type
        return Fetched(files[0].name, content_type, pieces(job, files[0]))
    name = f"statements-{job.subject}-{job.first_date}-{job.latest_date}.zip"
    return Fetched(name, _ZIPPED, zipped(job, files))


def expire_exports(*, now: datetime, limit: int = 100) -> int:
    """Delete the files of up to `limit` exports that were kept long enough, and return how many; safe to repeat."""
    with transaction.atomic():
        over = ExportJob.objects.filter(state=ExportState.DONE, expires_at__lte=now)
        jobs = list(lock(over, skip_locked=True)[:limit])
        for job in jobs:
            delete_parts(job)
            job.state = ExportState.EXPIRED
            job.save(update_fields=["state"])
            _record(job, "statement.export_expire")
    return len(jobs)
