"""Noting a statement that did not prove itself: a failed export, which is work on the Today page until one succeeds."""

from datetime import date, datetime

from django.db import transaction

from flowlet.audit import trail
from ledger.choices import ExportState, ExportSubject
from ledger.models.statements import NOT_PROVEN, ExportJob
from ledger.queries.unproven import list_unproven

DETAIL = "The balances do not agree with the entries. The ledger must be verified first."


@transaction.atomic
def note_unproven(
    *,
    subject_kind: ExportSubject,
    subject: str,
    title: str,
    first: date,
    latest: date,
    format: str = "",  # noqa: A002 - the word on the wire
    version: str = "",
    now: datetime,
) -> ExportJob:
    """
    Keep that a statement was not served, for the house's staff; what stands there already is returned.

    `format` is empty where an official statement could not even be issued. The caller refuses after it, outside of
    any transaction that his refusal rolls back.
    """
    wanted = {
        "subject_kind": subject_kind,
        "subject": subject,
        "first_date": first,
        "latest_date": latest,
        "format": format,
        "version": version,
    }
    known = list_unproven().filter(**wanted).first()
    if known is not None:
        return known
    actor = trail.current_actor()
    job = ExportJob.objects.create(
        **wanted,
        title=title[:160],
        state=ExportState.FAILED,
        failure_code=NOT_PROVEN,
        failure_detail=DETAIL,
        actor=actor.ref,
        actor_label=actor.label[:160],
        created_at=now,
        finished_at=now,
    )
    trail.record(
        action="statement.export",
        object_type="export",
        object_id=job.public_id,
        changes={"subject": [None, subject], "format": [None, format.upper()]},
        outcome="FAILED",
        reason_code=NOT_PROVEN,
    )
    return job
