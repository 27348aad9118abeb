"""Statements and exports over the API."""

from base64 import b64encode
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core import signing
from drf_spectacular.types import OpenApiTypes
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.errors import NotFound
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.rendering import Answer
from flowlet.gateway.serializers import ListQuery
from flowlet.gateway.views import ANYONE, ApiRequest, ApiView
from ledger.choices import ExportState
from ledger.errors import ExportGone
from ledger.models.statements import ExportJob, Statement
from ledger.operations.exports import fetch_export, request_export
from ledger.operations.statements import GivenFile, give_statement
from ledger.statements.subjects import targets_of
from wallets.api import serializers_statements as s
from wallets.operations.statements import export_statement
from wallets.queries import get_wallet

LINK_LIFE = timedelta(minutes=15)
_SALT = "flowlet.exports.link"
_FILE_TYPES = (
    *("application/pdf", "application/xml", "application/x-ofx", "text/csv", "text/plain"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
_FILES = {(200, kind): OpenApiTypes.BINARY for kind in _FILE_TYPES}
_SPAN = {"first": "2026-10-01", "last": "2026-10-31", "format": "camt053", "version": "08"}


class WalletStatementsView(ApiView):
    """A wallet's statements: the official ones, and any span on demand."""

    scopes = {"GET": "statements:read", "POST": "statements:write"}
    list_query = s.StatementQuery
    costs = {"GET": 2, "POST": 5}
    order = ("-issued_at", "-id")
    transactional = False  # only the trail is written, also when the books do not prove the statement

    @document(
        summary="List a wallet's official statements",
        description="One for each month that is over, numbered without gaps; each continues the one before.",
        answer=list_of(s.StatementOut),
    )
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return one page, newest first."""
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        rows = Statement.objects.filter(account_id=wallet.account_id)
        return self.page(request, rows, partial(s.render_statement, wallet=wallet.public_id))

    @document(
        summary="Make a statement of a span",
        description="Answers with the file, which carries no number. Above 10,000 entries ask for an export.",
        request=s.SpanIn,
        answer=_FILES,
        example=_SPAN,
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Answer:
        """Return the proven file."""
        wallet = get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        values = self.validated(s.SpanIn)
        file = export_statement(
            wallet=wallet,
            first=values["first"],
            last=values["last"],
            format=values["format"].lower(),
            version=values.get("version", ""),
            now=now(),
        )
        return _file(file)


class StatementView(ApiView):
    """One official statement."""

    scopes = {"GET": "statements:read"}

    @document(summary="Show an official statement", answer=s.StatementOut)
    def get(self, request: ApiRequest, statement_id: str) -> Response:
        """Return its numbers."""
        statement = _statement(request, statement_id)
        target = targets_of([statement.account_id])[statement.account_id]
        return Response(s.render_statement(statement, wallet=target.reference))


class StatementFileView(ApiView):
    """The file of an official statement."""

    scopes = {"GET": "statements:read"}
    costs = {"GET": 5}

    @document(
        summary="Fetch an official statement as a file",
        description="In a format of your choice; the same bytes each time.",
        answer=_FILES,
        parameters=[s.FileQuery],
    )
    def get(self, request: ApiRequest, statement_id: str) -> Answer:
        """Return the file."""
        statement, query = _statement(request, statement_id), self.query(s.FileQuery)
        file = give_statement(
            statement_id=statement.pk,
            format=query["format"].lower(),
            version=query.get("version", ""),
            now=now(),
        )
        return _file(file)


class ExportsView(ApiView):
    """Exports: statements made in the background."""

    scopes = {"GET": "statements:read", "POST": "statements:write"}
    idempotent = frozenset({"POST"})
    list_query = ListQuery
    costs = {"GET": 2, "POST": 5}

    @document(summary="List exports", answer=list_of(s.ExportOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first; links stand in the single export."""
        rows = ExportJob.objects.filter(partner_id=request.principal.partner_id)
        return self.page(request, rows, partial(s.render_export, download=None))

    @document(
        summary="Ask for an export",
        description="Statements of a wallet, a customer or of all your customers. Look at the export until it is done, "
        "or wait for the event `export.finished`.",
        request=s.ExportIn,
        answer=s.ExportOut,
        status=202,
        example={**_SPAN, "subject_kind": "customer", "subject": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C"},
    )
    def post(self, request: ApiRequest) -> Response:
        """Queue it."""
        values = self.validated(s.ExportIn)
        job = request_export(
            subject_kind=values["subject_kind"],
            subject=values["subject"],
            first=values["first"],
            latest=values["last"],
            format=values["format"].lower(),
            version=values.get("version", ""),
            partner_id=request.principal.partner_id,
            now=now(),
        )
        where = {"Location": f"/api/v1/exports/{job.public_id}"}
        return Response(s.render_export(job, download=None), status=202, headers=where)


class ExportView(ApiView):
    """One export."""

    scopes = {"GET": "statements:read"}

    @document(
        summary="Show an export",
        description="With its progress, and a link that is good for a quarter of an hour once the file is there.",
        answer=s.ExportOut,
    )
    def get(self, request: ApiRequest, export_id: str) -> Response:
        """Return the export."""
        job = ExportJob.objects.filter(partner_id=request.principal.partner_id, public_id=export_id).first()
        if job is None:
            raise NotFound
        return Response(s.render_export(job, download=link_to(job, at=now())))


class ExportFileView(ApiView):
    """The file of an export; the link itself is the right to it."""

    scopes = {"GET": ANYONE}

    @document(
        summary="Fetch an export's file",
        description="By the link that the export shows; several files come as a ZIP.",
        answer={**_FILES, (200, "application/zip"): OpenApiTypes.BINARY},
        parameters=[s.TokenQuery],
    )
    def get(self, _request: ApiRequest, export_id: str) -> Answer:
        """Return the file in pieces."""
        at = now()
        job = _linked(export_id, self.query(s.TokenQuery)["token"], at=at)
        fetched = fetch_export(job_id=job.pk, now=at)
        return Answer(
            status=200,
            body=b"",
            headers={"Content-Disposition": f'attachment; filename="{fetched.name}"'},
            content_type=fetched.content_type,
            pieces=fetched.pieces,
        )


def link_to(job: ExportJob, *, at: datetime) -> dict[str, Any] | None:
    """Return a link to an export's file and until when it is good, or None if there is no file."""
    if job.state != ExportState.DONE or (job.expires_at is not None and job.expires_at <= at):
        return None
    until = at + LINK_LIFE
    # Bound to the partner as well: an export never changes hands, and a link of one opens nothing of another.
    token = signing.dumps([job.public_id, job.partner_id, int(until.timestamp())], salt=_SALT)
    url = f"{settings.BASE_URL}/api/v1/exports/{job.public_id}/file?token={token}"
    return {"url": url, "expires_at": until}


def _linked(public_id: str, token: str, *, at: datetime) -> ExportJob:
    try:
        named, partner_id, until = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound from None
    job = ExportJob.objects.filter(public_id=public_id, partner_id=partner_id).first()
    if job is None or named != public_id:
        raise NotFound
    if until <= at.timestamp():
        raise ExportGone
    return job


def _statement(request: ApiRequest, public_id: str) -> Statement:
    found = Statement.objects.filter(
        public_id=public_id, account__partner_id=request.principal.partner_id
    ).first()
    if found is None:
        raise NotFound
    return found


def _file(file: GivenFile) -> Answer:
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Content-Digest": f"sha-256=:{_base64(file.sha256)}:",
    }
    return Answer(status=200, body=file.content, headers=headers, content_type=file.content_type)


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()
