"""Statements that did not prove themselves and were not served: what is still to be set right about them."""

from django.db.models import Exists, OuterRef, QuerySet

from ledger.choices import ExportState
from ledger.models.statements import NOT_PROVEN, ExportJob, Statement, StatementFile


def list_unproven() -> QuerySet[ExportJob]:
    """
    Return the failed exports whose statement has not been made since, oldest first.

    One is settled by itself when the same statement is given out or issued, and replaced when it fails once more.
    """
    columns = ("subject_kind", "subject", "first_date", "latest_date", "format", "version")
    ended = (ExportState.DONE, ExportState.EXPIRED, ExportState.FAILED)
    again = ExportJob.objects.filter(
        pk__gt=OuterRef("pk"), state__in=ended, **{column: OuterRef(column) for column in columns}
    )
    given = StatementFile.objects.filter(
        statement__public_id=OuterRef("subject"), format=OuterRef("format"), version=OuterRef("version")
    )
    issued = Statement.objects.filter(
        account__public_id=OuterRef("subject"), latest_date__gte=OuterRef("latest_date")
    )
    failed = ExportJob.objects.filter(state=ExportState.FAILED, failure_code=NOT_PROVEN)
    return (
        failed.exclude(Exists(again))
        .exclude(Exists(given))
        .exclude(Exists(issued))
        .order_by("created_at", "pk")
    )
