"""What statements put on Today: those that did not prove themselves, and what to do about them."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.cards import QUEUES, NextRow, Queue
from flowlet.backoffice.cells import Badge
from flowlet.backoffice.people import Person
from ledger.choices import ExportState, ExportSubject
from ledger.models.statements import ExportJob
from ledger.operations.exports import request_export
from ledger.queries.unproven import list_unproven

VIEW, EXPORT = "ledger.view_exportjob", "wallets.export_statement"


def _next(_person: Person, _now: datetime, limit: int) -> Sequence[NextRow]:
    return [
        NextRow(
            title=f"{job.title}: {job.first_date:%-d %b} to {job.latest_date:%-d %b %Y}",
            meta="Verify the ledger, then ask for the statement again",
            href=reverse("admin:ledger_exportjob_change", args=[job.public_id]),
            state=Badge("Not proven", "bad"),
        )
        for job in list_unproven()[:limit]
    ]


QUEUES.register("ledger.unproven_statements")(
    Queue(
        title="Statements that do not add up",
        permission=VIEW,
        rows=_next,
        href=lambda: f"{reverse('admin:ledger_exportjob_changelist')}?view=unproven",
        order=25,
    )
)


def _can_be_asked_again(job: ExportJob) -> bool:
    return job.state == ExportState.FAILED and job.subject_kind != ExportSubject.OFFICIAL


@action(
    name="export.again",
    model=ExportJob,
    permission=EXPORT,
    label="Ask again",
    title=lambda job: f"Ask again for {job.title}?",
    text="A new export of the same days and format is made. If it fails as well, it stands on Today in place of this one.",
    done="A worker makes the new export; it stands on top of the list.",
    reason=False,
    note="none",
    available=_can_be_asked_again,
    primary=True,
    icon="refresh-cw",
)
def again(call: ActionCall, job: ExportJob) -> ExportJob:
    """Ask for the same once more."""
    return request_export(
        subject_kind=ExportSubject(job.subject_kind),
        subject=job.subject,
        first=job.first_date,
        latest=job.latest_date,
        format=job.format,
        version=job.version,
        now=call.now,
    )
