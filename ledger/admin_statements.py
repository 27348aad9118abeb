"""Official statements with their files, and exports that are made in the background."""

from typing import Any

from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Day, Link, Main, Tone, When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.core import clock
from flowlet.core.errors import AppError
from ledger.admin_parts import amount_cell
from ledger.choices import ExportState, ExportSubject
from ledger.models.statements import NOT_PROVEN, ExportJob, Statement, StatementFile
from ledger.operations.exports import fetch_export
from ledger.operations.statements import give_statement
from ledger.statements.formats import STATEMENT_FORMATS

EXPORT = "wallets.export_statement"
_TONES: dict[str, Tone] = {
    ExportState.QUEUED: "wait",
    ExportState.RUNNING: "info",
    ExportState.DONE: "ok",
    ExportState.FAILED: "bad",
    ExportState.EXPIRED: "",
}


def _owner(statement: Statement) -> str:
    account = statement.account
    return account.customer.name if account.customer else account.name or account.chart_account.name


@register(Statement)
class StatementAdmin(ModelAdmin):
    """Every official statement of every account."""

    path, title, group, icon, nav_order = (
        "ledger/statements",
        "Official statements",
        "Money",
        "scroll-text",
        61,
    )
    summary = "Numbered without gaps; each continues the one before"
    related = ("account__customer", "account__partner", "account__chart_account")
    list_order = ("-issued_at", "-id")
    search_by = (
        "public_id",
        "account__public_id",
        "account__customer__public_id",
        "account__customer__name__icontains",
    )
    search_hint = "Owner, acc_ or stm_ id"
    filters = (
        Text("currency", "Currency"),
        DateSpan("issued", "Issued", lookup="issued_at"),
    )
    columns = (
        Column(title="Owner", cell=lambda s: Main(_owner(s), s.public_id, mono=True)),
        Column(title="Number", cell=lambda s: f"{s.number:,}", width="s", right=True),
        Column(title="First day", cell=lambda s: Day(s.first_date), width="s", hide="m"),
        Column(title="Last day", cell=lambda s: Day(s.latest_date), width="s"),
        Column(
            title="Entries", cell=lambda s: f"{s.seq_to - s.seq_from + 1:,}", width="s", right=True, hide="s"
        ),
        Column(
            title="Closing", cell=lambda s: amount_cell(s.closing_minor, s.currency), width="l", right=True
        ),
        Column(
            title="Issued",
            cell=lambda s: When(s.issued_at),
            width="m",
            right=True,
            hide="m",
            order="issued_at",
        ),
    )
    empty = ("No statements yet", "The first are issued when a month is over.")

    def object_title(self, obj: Any) -> str:
        """Return owner and number."""
        return f"Statement {obj.number} of {_owner(obj)}"

    def object_summary(self, obj: Any) -> str:
        """Return days, currency and id."""
        return f"{obj.first_date} to {obj.latest_date} · {obj.currency} · {obj.public_id}"

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the proof, the files and where it stands in the account's line of statements."""
        beside = Statement.objects.filter(account=obj.account, number__in=(obj.number - 1, obj.number + 1))
        by_number = {one.number: one for one in beside}
        previous, following = by_number.get(obj.number - 1), by_number.get(obj.number + 1)
        files = {(file.format, file.version): file for file in obj.files.order_by("pk").defer("sealed")}
        facts: list[tuple[str, object]] = [
            ("Account", Link(obj.account.public_id, _account_href(obj), mono=True)),
            (
                "Entries of the account",
                f"{obj.seq_from:,} to {obj.seq_to:,}" if obj.seq_to >= obj.seq_from else "None",
            ),
            ("Booked before", When(obj.cut_at)),
            ("Issued", When(obj.issued_at)),
            ("Previous", _link(previous)),
            ("Next", _link(following)),
        ]
        return [
            facts_panel("Balances", _balances(obj, previous)),
            _files_panel(obj, files, may_export=person_of(request).may(EXPORT)),
            facts_panel("Statement", facts, side=True),
        ]


def _account_href(statement: Statement) -> str:
    return reverse("admin:ledger_account_change", args=[statement.account.public_id])


def _link(statement: Statement | None) -> object:
    if statement is None:
        return ""
    return Link(
        f"Statement {statement.number}", reverse("admin:ledger_statement_change", args=[statement.public_id])
    )


def _balances(it: Statement, previous: Statement | None) -> list[tuple[str, object]]:
    continues = it.opening_minor == (previous.closing_minor if previous else 0)
    return [
        ("Opening", amount_cell(it.opening_minor, it.currency)),
        ("Booked", amount_cell(it.closing_minor - it.opening_minor, it.currency)),
        ("Closing", amount_cell(it.closing_minor, it.currency)),
        ("Held", amount_cell(it.held_minor, it.currency)),
        ("Available", amount_cell(it.available_minor, it.currency)),
        ("Continues the one before", Badge("Yes", "ok") if continues else Badge("No", "bad")),
    ]


def _files_panel(it: Statement, files: dict[tuple[str, str], StatementFile], *, may_export: bool) -> Panel:
    rows = []
    for name, known in STATEMENT_FORMATS.items():
        for version in known.versions:
            file = files.get((name, version))
            title = f"{known.title} {version}".strip()
            digest = file.sha256 if file else ""
            rows.append((title, digest, file.made_at if file else None, f"{name}:{version}"))
    return Panel(
        title="Files",
        template="ledger/statement_files.html",
        data={
            "rows": rows,
            "action": reverse("admin:ledger_statement_file", args=[it.public_id]) if may_export else "",
        },
        note="Given out again byte by byte",
    )


@register_page(
    route="ledger/statements/<str:public_id>/file/", name="ledger_statement_file", permission=EXPORT
)
@require_POST
def statement_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """
    Answer an official statement as a file in the format asked for.

    :raises Http404: if there is no such statement
    """
    statement = Statement.objects.filter(public_id=public_id.replace("\0", "")).first()
    if statement is None:
        raise Http404
    name, _, version = request.POST.get("format", "")[:40].partition(":")
    try:
        with acting_as(request, person_of(request)):
            file = give_statement(statement_id=statement.pk, format=name, version=version, now=clock.now())
    except AppError as refusal:
        return _refused(request, refusal, reverse("admin:ledger_statement_change", args=[public_id]))
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return HttpResponse(file.content, content_type=file.content_type, headers=headers)


def _refused(request: HttpRequest, refusal: AppError, back: str) -> HttpResponse:
    return page(
        request,
        "ledger/refused.html",
        title=refusal.title,
        path=[("Money", "")],
        status=refusal.http_status,
        detail=refusal.detail,
        back=back,
    )


def _format(job: ExportJob) -> str:
    known = job.format in STATEMENT_FORMATS
    return f"{STATEMENT_FORMATS.get(job.format).title if known else job.format} {job.version}".strip()


def _badge(job: ExportJob) -> Badge:
    return Badge(job.get_state_display(), _TONES[job.state])


def progress_text(job: ExportJob) -> str:
    """Return how far an export is, in percent of its entries, or of its files where nothing is booked."""
    if job.state == ExportState.QUEUED:
        return ""
    done, total = (
        (job.entries_done, job.entries_total) if job.entries_total else (job.files_done, job.files_total)
    )
    return f"{min(100, done * 100 // total)} %" if total else ""


@register(ExportJob)
class ExportJobAdmin(ModelAdmin):
    """Exports of statements, asked for by staff and by partners."""

    path, title, group, icon, nav_order = "exports", "Exports", "Money", "download", 62
    summary = "Statements made in the background; files are kept for a week"
    related = ("partner",)
    list_order = ("-created_at", "-id")
    search_by = ("public_id", "subject", "title__icontains")
    search_hint = "Whose, exp_, wal_ or cus_ id"
    views = (
        View(key="all", title="All"),
        View(key="working", title="Working", condition=Q(state__in=("QUEUED", "RUNNING"))),
        View(key="failed", title="Failed", condition=Q(state=ExportState.FAILED)),
        View(key="unproven", title="Not proven", condition=Q(failure_code=NOT_PROVEN), counted=False),
    )
    filters = (
        Choice("kind", "Whose", tuple(ExportSubject.choices), lookup="subject_kind"),
        Choice("state", "State", tuple(ExportState.choices)),
        DateSpan("created", "Asked for", lookup="created_at"),
    )
    columns = (
        Column(title="Whose", cell=lambda j: Main(j.title, j.public_id, mono=True)),
        Column(title="Days", cell=lambda j: f"{j.first_date} to {j.latest_date}", width="l", hide="m"),
        Column(title="Format", cell=_format, width="s", hide="s"),
        Column(title="Asked by", cell=lambda j: j.actor_label or j.actor, width="m", hide="m"),
        Column(title="Progress", cell=progress_text, width="m", right=True),
        Column(title="State", cell=_badge, width="s"),
        Column(
            title="Asked for", cell=lambda j: When(j.created_at), width="m", right=True, order="created_at"
        ),
    )
    empty = ("No exports yet", "Ask for one on the page of statements; partners do so through the API.")

    def object_title(self, obj: Any) -> str:
        """Return whose statements they are."""
        return f"Export, {obj.title}"

    def object_summary(self, obj: Any) -> str:
        """Return days, format and id."""
        return f"{obj.first_date} to {obj.latest_date} · {_format(obj)} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the file, or a look at how far it is."""
        here = reverse("admin:ledger_exportjob_change", args=[obj.public_id])
        if obj.state in (ExportState.QUEUED, ExportState.RUNNING):
            return [Button(label="Look again", href=here, icon="refresh-cw")]
        if obj.failure_code == NOT_PROVEN:
            return _unproven_buttons(request, obj)
        if obj.state != ExportState.DONE or not person_of(request).may(EXPORT):
            return []
        href = reverse("admin:ledger_export_file", args=[obj.public_id])
        return [Button(label="Download", href=href, icon="download", style="primary", download=True)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return progress, files and facts."""
        del request
        figures: list[tuple[str, object]] = [
            ("Entries", f"{obj.entries_done:,} of {obj.entries_total:,}"),
            ("Files", f"{obj.files_done:,} of {obj.files_total:,}"),
            ("Size", f"{obj.size:,} bytes"),
            ("Failure", obj.failure_detail),
        ]
        facts: list[tuple[str, object]] = [
            ("Whose", obj.get_subject_kind_display()),
            ("Id", Code(obj.subject)),
            ("Asked by", obj.actor_label or obj.actor),
            ("Partner", obj.partner.name if obj.partner else "The house"),
            ("Asked for", When(obj.created_at)),
            ("Finished", When(obj.finished_at)),
            ("Kept until", When(obj.expires_at)),
        ]
        return [
            facts_panel("Progress", figures),
            _export_files(obj),
            facts_panel("Export", facts, side=True),
        ]


def _unproven_buttons(request: HttpRequest, job: ExportJob) -> list[Button]:
    """Return the ways to what is to be done first, and to the official statement it is about."""
    found = []
    if job.subject.startswith("stm_"):
        href = reverse("admin:ledger_statement_change", args=[job.subject])
        found.append(Button(label="Open the statement", href=href))
    elif job.subject.startswith("acc_"):
        found.append(
            Button(label="Open the account", href=reverse("admin:ledger_account_change", args=[job.subject]))
        )
    if person_of(request).may("ledger.view_block"):
        found.append(
            Button(label="Verify the ledger", href=reverse("admin:ledger_seals"), icon="shield-check")
        )
    return found


def _export_files(job: ExportJob) -> Panel:
    return table_panel(
        "Files",
        columns=(
            Column(title="Name", cell=lambda f: Main(f.name, f.sha256, mono=True)),
            Column(title="Entries", cell=lambda f: f"{f.entries:,}", width="s", right=True),
            Column(title="Size", cell=lambda f: f"{f.size:,}", width="m", right=True),
            Column(title="Finished", cell=lambda f: When(f.finished_at), width="m", right=True, hide="s"),
        ),
        rows=list(job.files.order_by("position")[:25]),
        empty=("No files yet", "They are listed when a worker has begun."),
        note="The first 25; the download holds all" if job.files_total > 25 else "",  # noqa: PLR2004 - as above
    )


@register_page(route="exports/<str:public_id>/file/", name="ledger_export_file", permission=EXPORT)
@require_safe
def export_file(request: HttpRequest, public_id: str) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """
    Answer an export's file, piece by piece; each fetch is noted in the trail.

    :raises Http404: if there is no such export
    """
    job = ExportJob.objects.filter(public_id=public_id.replace("\0", "")).first()
    if job is None:
        raise Http404
    try:
        with acting_as(request, person_of(request)):
            fetched = fetch_export(job_id=job.pk, now=clock.now())
    except AppError as refusal:
        return _refused(request, refusal, reverse("admin:ledger_exportjob_change", args=[public_id]))
    answer = StreamingHttpResponse(fetched.pieces, content_type=fetched.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{fetched.name}"'
    answer["Cache-Control"] = "no-store"
    return answer
