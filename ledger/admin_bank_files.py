"""Bank files: what came, what became of it, and what to do about the ones that were not taken."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from flowlet.audit import trail
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Day, Main, Tone, When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.core import clock
from flowlet.core.currencies import EXPONENTS
from flowlet.core.errors import AppError
from flowlet.core.money import MINOR_MAX
from ledger.admin_bank_forms import UploadForm
from ledger.admin_bank_parts import STATEMENT_COLUMNS, Prose, counted
from ledger.admin_parts import amount_cell
from ledger.choices_bank import UNEXPECTED, UNEXPECTED_MIDWAY, BankFileState
from ledger.models.reconciliation import BankFile, BankStatement
from ledger.operations.reconciliation import accept_file, discard_file, restage_file, stage_file
from ledger.queries.reconciliation import STUCK, TO_LOOK_AT, WAITING, read_original
from ledger.reconciliation.formats import IMPORTERS

# Larger files are read by a worker, so that nobody waits for a page.
DIRECT_BYTES = 2 * 1024 * 1024
TONES: dict[str, Tone] = {
    BankFileState.STAGED: "wait",
    BankFileState.ACCEPTING: "info",
    BankFileState.ACCEPTED: "ok",
    BankFileState.QUARANTINED: "warn",
    BankFileState.REFUSED: "bad",
}
_AGAIN = "Then press Try again."
NEXT_STEPS = {
    "UNKNOWN_ACCOUNT": f"Enter the bank account under Our bank accounts, with the number as this file writes it. {_AGAIN}",
    "GAP": f"Bring in the statements that are missing. {_AGAIN}",
    "NOT_ADDING_UP": "The file is incomplete or wrong: ask the bank for it again, and put this one aside.",
    "STATEMENT_KNOWN": "Nothing is missing: put this file aside.",
    "LINE_KNOWN": "Compare the line with the statement it came in; ask the bank for a correct file, and put this one aside.",
    "UNKNOWN_FORMAT": "If it is a CSV, make a mapping for it with the button above; else download it from the bank again.",
    "SEVERAL_MAPPINGS": "Put this one aside and bring in a fresh download, with the mapping chosen on the form.",
    UNEXPECTED: "Press Try again. If it ends like this once more, give the operators the id of this file.",
    UNEXPECTED_MIDWAY: "A worker goes on with it by itself. If it stays like this, give the operators the id of this file.",
}
_NEXT_DEFAULT = "Download the file from the bank again and bring in the new one; put this one aside."
_PUT_ASIDE_REASONS = (
    ("BROUGHT_IN_AGAIN", "A correct file was brought in"),
    ("NOT_NEEDED", "All of it came before"),
    ("NO_BANK_FILE", "It is no bank file"),
)


def state_badge(file: BankFile) -> Badge:
    """Return what became of a file, in words."""
    if file.state == BankFileState.ACCEPTING and file.findings:
        return Badge("Reading stopped", "bad")
    if file.state == BankFileState.ACCEPTING and file.line_count:
        return Badge(f"Reading, {file.lines_done * 100 // file.line_count} %", "info")
    return Badge(file.get_state_display(), TONES.get(file.state, ""))


def _told(file: BankFile) -> str:
    if file.findings:
        return str(file.findings[0]["text"])
    count = len(file.summary)
    return f"{counted(count, 'statement')}, {counted(file.line_count, 'line')}" if count else ""


@register(BankFile)
class BankFileAdmin(ModelAdmin):
    """Every file that came from a bank."""

    path, title, group, icon, nav_order = "ledger/bank-files", "Bank files", "Reconciliation", "landmark", 76
    summary = "What banks sent; a file counts only once all of it adds up and continues the statement before"
    detail_template = "ledger/bank_page.html"
    related = ("mapping",)
    list_order = ("-pk",)
    search_by = ("public_id", "sha256", "name__icontains")
    search_hint = "File name, bfl_ id or SHA-256"
    nav_count_text, nav_bad = "not taken", True
    views = (
        View(key="all", title="All", counted=False),
        View(key="look", title="To look at", condition=TO_LOOK_AT),
        View(key="waiting", title="Waiting", condition=Q(state__in=WAITING)),
        View(key="accepted", title="Accepted", condition=Q(state=BankFileState.ACCEPTED), counted=False),
    )
    filters = (
        Choice("state", "State", tuple(BankFileState.choices)),
        DateSpan("received", "Received", lookup="received_at"),
    )
    columns = (
        Column(title="File", cell=lambda f: Main(f.name, f.public_id, mono=True)),
        Column(title="Format", cell=lambda f: f.format, width="m", hide="m"),
        Column(title="What came of it", cell=_told, width="xl", hide="s"),
        Column(title="State", cell=state_badge, width="m"),
        Column(title="Received", cell=lambda f: When(f.received_at), width="m", right=True, hide="m"),
    )
    empty = ("No bank file yet", "Bring in a statement that you downloaded from the bank.")

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the mappings and the way in."""
        person, found = person_of(request), []
        if person.may("ledger.view_csvmapping"):
            found.append(Button(label="CSV mappings", href=reverse("admin:ledger_csvmapping_changelist")))
        if person.may("ledger.import_bankfile"):
            href = reverse("admin:ledger_import_bank_file")
            found.append(Button(label="Bring in a file", href=href, style="primary"))
        return found

    def get_urls(self) -> list[URLPattern]:
        """Return the list, the object page, and the original."""
        wrap = self.admin_site.admin_view
        original = path(
            "<str:object_id>/original/", wrap(self.original_view), name="ledger_bankfile_original"
        )
        return [*super().get_urls(), original]

    def original_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Answer the file as it came, to be saved; leaves a trace.

        :raises PermissionDenied: if the person may not download bank files
        """
        person = person_of(request)
        if not person.may("ledger.download_bankfile"):
            raise PermissionDenied
        file = self.find(request, object_id)
        with acting_as(request, person):
            trail.record(action="bank_file.download", object_type="bank_file", object_id=file.public_id)
        answer = HttpResponse(read_original(file), content_type="application/octet-stream")
        # Our own id, not the sender's name: nothing of what came from outside enters a header.
        answer["Content-Disposition"] = f'attachment; filename="{file.public_id}.txt"'
        return answer

    def object_summary(self, obj: Any) -> str:
        """Return format and id."""
        return f"{obj.format or 'not read yet'} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return what became of it."""
        return [state_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the download, and for a file that nobody can read, the way to a mapping."""
        person, found = person_of(request), []
        codes = {finding["code"] for finding in obj.findings}
        if obj.state in STUCK and "UNKNOWN_FORMAT" in codes and person.may("ledger.save_csvmapping"):
            href = f"{reverse('admin:ledger_new_csv_mapping')}?file={obj.public_id}"
            found.append(Button(label="Make a CSV mapping", href=href))
        if person.may("ledger.download_bankfile"):
            href = reverse("admin:ledger_bankfile_original", args=[obj.public_id])
            found.append(Button(label="Download", href=href, icon="download", download=True))
        return found

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what stands against it, its statements, and how it came."""
        del request
        return [
            *([_findings_panel(obj)] if obj.findings else []),
            _statements_panel(obj),
            _facts_panel(obj),
        ]


def _findings_panel(file: BankFile) -> Panel:
    return table_panel(
        "Why it was not taken",
        columns=(
            Column(title="Where", cell=lambda f: Code(f["place"]), width="l"),
            Column(title="What is wrong, and what to do", cell=_finding_cell),
        ),
        rows=file.findings,
        note="Nothing of this file was booked",
    )


def _finding_cell(finding: dict[str, str]) -> object:
    return Prose(finding["text"], NEXT_STEPS.get(finding["code"], _NEXT_DEFAULT))


def _statements_panel(file: BankFile) -> Panel:
    statements = list(
        BankStatement.objects.filter(file=file).select_related("bank_account").order_by("pk")[:100]
    )
    if statements:
        return table_panel(
            "Statements",
            columns=STATEMENT_COLUMNS,
            rows=statements,
            link=lambda s: reverse("admin:ledger_bankstatement_change", args=[s.public_id]),
        )
    return table_panel(
        "Statements in the file",
        columns=_SUMMARY_COLUMNS,
        rows=file.summary[:100],
        empty=("Nothing was read", "See above what is wrong with the file.")
        if file.findings
        else ("Not read yet", "A worker reads it soon; load this page again."),
    )


def _facts_panel(file: BankFile) -> Panel:
    facts: list[tuple[str, object]] = [
        ("State", state_badge(file)),
        ("Lines", f"{file.lines_done:,} of {file.line_count:,}" if file.line_count else ""),
        ("Announced lines", f"{file.announcements.count():,}"),
        ("Received", When(file.received_at)),
        ("By", Code(file.received_by)),
        ("Size", f"{file.size:,} bytes"),
        ("Mapping", file.mapping.name if file.mapping else ""),
        ("SHA-256", Code(file.sha256)),
        ("Id", Code(file.public_id)),
    ]
    return facts_panel("File", facts, side=True)


_SUMMARY_COLUMNS = (
    Column(title="Account", cell=lambda s: Main(s["account"], s["place"])),
    Column(title="Days", cell=lambda s: _days(s["from"], s["to"]), width="l", hide="m"),
    Column(title="Opening", cell=lambda s: _summary_amount(s, "opening"), width="m", right=True, hide="s"),
    Column(title="Closing", cell=lambda s: _summary_amount(s, "closing"), width="m", right=True),
    Column(title="Lines", cell=lambda s: f"{s['lines']:,}", width="s", right=True),
)


def _days(first: str, last: str) -> object:
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    return Day(ends) if begins == ends else f"{begins:%-d %b} to {ends:%-d %b %Y}"


def _summary_amount(statement: dict[str, Any], name: str) -> object:
    known = statement["currency"] in EXPONENTS and abs(statement[name]) <= MINOR_MAX
    return amount_cell(statement[name], statement["currency"]) if known and not statement["announces"] else ""


@register_page(
    route="ledger/bank-files/import/", name="ledger_import_bank_file", permission="ledger.import_bankfile"
)
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    """Ask for a file, or take it and show what came of it."""
    form = (
        UploadForm(request.POST or None, request.FILES or None) if request.method == "POST" else UploadForm()
    )
    if request.method == "POST" and form.is_valid():
        taken = _take(request, form)
        if isinstance(taken, BankFile):
            return HttpResponseRedirect(reverse("admin:ledger_bankfile_change", args=[taken.public_id]))
        form.add_error("file", taken.detail)
    return page(
        request,
        "ledger/import_bank_file.html",
        title="Bring in a bank file",
        path=[("Reconciliation", ""), ("Bank files", reverse("admin:ledger_bankfile_changelist"))],
        summary="The format is told by the content; the whole file is taken, or nothing of it",
        form=form,
        formats=[importer.title for importer in IMPORTERS.values()],
        status=400 if form.errors else 200,
    )


def _take(request: HttpRequest, form: UploadForm) -> BankFile | AppError:
    upload, mapping = form.cleaned_data["file"], form.cleaned_data["mapping"]
    with acting_as(request, person_of(request)):
        try:
            file = stage_file(
                data=upload.read(),
                name=upload.name,
                now=clock.now(),
                mapping_id=mapping.pk if mapping else None,
            )
        except AppError as refusal:
            return refusal
        if file.size > DIRECT_BYTES:
            messages.info(request, "The file is large: a worker reads it, this page shows how far it is.")
            return file
        file = accept_file(file_id=file.pk, now=clock.now())
    tell(request, file)
    return file


def tell(request: HttpRequest, file: BankFile) -> None:
    """Say on the next page what came of a file."""
    if file.state == BankFileState.ACCEPTED:
        messages.success(request, f"{file.name} was accepted: {counted(file.line_count, 'line')}.")
    else:
        messages.warning(request, f"{file.name} was not taken; nothing of it was booked.")


def _may_retry(file: BankFile) -> bool:
    return file.state in STUCK


@action(
    name="bank_file.retry",
    model=BankFile,
    permission="ledger.import_bankfile",
    label="Try again",
    title=lambda file: f"Judge {file.name} again?",
    text="The file is read and proven anew. It is accepted if nothing stands against it any more.",
    done=lambda file: f"{file.name}: {file.get_state_display().lower()}.",
    reason=False,
    note="none",
    available=_may_retry,
    primary=True,
    icon="refresh-cw",
    order=10,
)
def retry(call: ActionCall, file: BankFile) -> object:
    """Accept it now, or leave it to a worker if it is large."""
    if file.size > DIRECT_BYTES:
        return restage_file(file_id=file.pk, now=call.now)
    return accept_file(file_id=file.pk, now=call.now)


@action(
    name="bank_file.discard",
    model=BankFile,
    permission="ledger.import_bankfile",
    label="Put aside",
    title=lambda file: f"Put {file.name} aside for good?",
    text="It stays here with its original, and the same bytes are never taken again.",
    done=lambda file: f"{file.name} was put aside.",
    reasons=_PUT_ASIDE_REASONS,
    available=lambda file: file.state in (*STUCK, BankFileState.STAGED),
    danger=True,
    order=20,
)
def discard(call: ActionCall, file: BankFile) -> object:
    """Put it aside."""
    return discard_file(file_id=file.pk, reason_code=call.reason, note=call.note, now=call.now)
