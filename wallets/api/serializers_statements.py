"""Bodies, query strings and answers of statements and exports."""

from datetime import date
from typing import Any

from rest_framework import serializers

from flowlet.gateway.fields import DayField, TextField, WordField
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from ledger.choices import EXPORTED, ExportState
from ledger.models.statements import ExportJob, Statement

_FORMATS = ("CAMT052", "CAMT053", "CSV", "MT940", "OFX", "PDF", "XLSX")
_VERSIONS = "Version of camt: 02, 08 or 13. Default 08."
_YEARS = (2000, 2199)


class SpanDayField(DayField):
    """A day in this or the century after."""

    default_error_messages = {"out_of_range": "This day is out of range."}

    def to_internal_value(self, data: Any) -> date:
        """
        Return the day.

        :raises ValidationError: if there is no such day, or nobody can want it
        """
        day = super().to_internal_value(data)
        if not _YEARS[0] <= day.year <= _YEARS[1]:
            self.fail("out_of_range")
        return day


class SpanIn(StrictSerializer):
    """A span of days and a format."""

    first = SpanDayField(help_text="First day, by effective date.")
    last = SpanDayField(help_text="Last day, included.")
    format = WordField(codes=_FORMATS)
    version = TextField(required=False, max_length=4, help_text=_VERSIONS)


class ExportIn(SpanIn):
    """Whose statements are to be exported."""

    subject_kind = WordField(codes=EXPORTED, help_text="A wallet, a customer, or all of yours: partner.")
    subject = TextField(max_length=40, help_text="Its id; for partner your own id.")


class FileQuery(StrictSerializer):
    """In which format an official statement is wanted."""

    reads_query = True
    format = WordField(codes=_FORMATS, default="PDF")
    version = TextField(required=False, max_length=4, help_text=_VERSIONS)


class TokenQuery(StrictSerializer):
    """What a link to an export carries."""

    reads_query = True
    token = TextField(max_length=400, help_text="As it stands in the link.")


class StatementQuery(ListQuery):
    """The list is narrowed by page and time of issue."""


class StatementOut(serializers.Serializer[Any]):
    """An official statement, amounts in minor units."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["statement"])
    wallet = serializers.CharField()
    number = serializers.IntegerField(help_text="1, 2, 3 … without gaps.")
    first = serializers.DateField()
    last = serializers.DateField()
    currency = serializers.CharField()
    opening = serializers.IntegerField()
    closing = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Set aside at the end of the last day.")
    available = serializers.IntegerField(help_text="Closing minus held.")
    entries = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class DownloadOut(serializers.Serializer[Any]):
    """A link to the file; it needs no token and is good for a quarter of an hour."""

    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ProgressOut(serializers.Serializer[Any]):
    """How far an export is."""

    entries_done = serializers.IntegerField()
    entries = serializers.IntegerField(help_text="How many there are; 0 until a worker has begun.")
    files_done = serializers.IntegerField()
    files = serializers.IntegerField()


class ExportFailureOut(serializers.Serializer[Any]):
    """Why there is no file."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ExportOut(serializers.Serializer[Any]):
    """An export: statements made in the background."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["export"])
    subject_kind = serializers.ChoiceField(choices=[code.lower() for code in EXPORTED])
    subject = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()
    format = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=[code.lower() for code in ExportState.values])
    progress = ProgressOut()
    failure = ExportFailureOut(allow_null=True)
    size = serializers.IntegerField(help_text="Bytes written so far.")
    download = DownloadOut(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when the file is kept.")


def render_statement(statement: Statement, *, wallet: str) -> dict[str, Any]:
    """Return an official statement of a wallet."""
    return {
        "id": statement.public_id,
        "object": "statement",
        "wallet": wallet,
        "number": statement.number,
        "first": statement.first_date,
        "last": statement.latest_date,
        "currency": statement.currency,
        "opening": statement.opening_minor,
        "closing": statement.closing_minor,
        "held": statement.held_minor,
        "available": statement.available_minor,
        "entries": statement.seq_to - statement.seq_from + 1,
        "created_at": statement.issued_at,
    }


def render_export(job: ExportJob, *, download: dict[str, Any] | None) -> dict[str, Any]:
    """Return an export with its progress; `download` is the link, where there is a file."""
    failed = job.state == ExportState.FAILED
    return {
        "id": job.public_id,
        "object": "export",
        "subject_kind": job.subject_kind.lower(),
        "subject": job.subject,
        "first": job.first_date,
        "last": job.latest_date,
        "format": job.format,
        "version": job.version or None,
        "status": job.state.lower(),
        "progress": {
            "entries_done": job.entries_done,
            "entries": job.entries_total,
            "files_done": job.files_done,
            "files": job.files_total,
        },
        "failure": {"code": job.failure_code, "detail": job.failure_detail} if failed else None,
        "size": job.size,
        "download": download,
        "created_at": job.created_at,
        "expires_at": job.expires_at,
    }
