"""CSV mappings: how a bank writes its files, tried on a file that came before it is saved."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Code, Day, Link, Main, When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.core import clock
from flowlet.core.errors import AppError, InvalidInput
from flowlet.core.money import Money
from ledger.admin_bank_files import DIRECT_BYTES, tell
from ledger.admin_bank_forms import COLUMN_FIELDS, MappingForm
from ledger.admin_bank_parts import bank_account_href
from ledger.errors_bank import UnreadableBankFile
from ledger.models.reconciliation import BankFile, CsvMapping
from ledger.operations.bank_accounts import save_csv_mapping
from ledger.operations.reconciliation import accept_file, restage_file
from ledger.queries.reconciliation import STUCK, read_original
from ledger.reconciliation.csv_files import heads_of, read_csv
from ledger.reconciliation.parsed import ParsedStatement

_PREVIEWED = 10
_RAW_LINES, _RAW_WIDTH = 6, 160
_LABELS = {field: label for field, label, _ in COLUMN_FIELDS}


@register(CsvMapping)
class CsvMappingAdmin(ModelAdmin):
    """The saved mappings."""

    path, title, group, icon, nav_order = (
        "ledger/csv-mappings",
        "CSV mappings",
        "Reconciliation",
        "list-filter",
        79,
    )
    nav = False  # one step from the bank files, where they are needed
    summary = "How banks write their CSV; make one from a file that could not be read"
    related = ("bank_account",)
    list_order = ("name", "pk")
    search_by = ("public_id", "name__icontains")
    columns = (
        Column(title="Mapping", cell=lambda m: Main(m.name, m.public_id, mono=True)),
        Column(title="Bank account", cell=lambda m: str(m.bank_account), width="l"),
        Column(title="Encoding", cell=lambda m: m.encoding, width="m", hide="m"),
        Column(title="Saved", cell=lambda m: When(m.saved_at), width="m", right=True, hide="s"),
    )
    empty = ("No mapping yet", "Bring in the bank's CSV: its page then offers to make one.")

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the columns and the way the bank writes."""
        del request
        way: list[tuple[str, object]] = [
            ("Bank account", Link(str(obj.bank_account), bank_account_href(obj.bank_account))),
            ("Encoding", obj.encoding.upper()),
            ("Between cells", Code("tab" if obj.delimiter == "\t" else obj.delimiter)),
            ("Lines above the heads", str(obj.skip_lines)),
            ("Dates", Code(obj.date_format)),
            ("Amounts", "1.234,56" if obj.decimal_comma else "1,234.56"),
            ("In and out", obj.get_sign_display()),
            ("Order", "Newest line first" if obj.newest_first else "Oldest line first"),
            ("Saved", When(obj.saved_at)),
        ]
        columns: list[tuple[str, object]] = [(_LABELS[field], head) for field, head in obj.columns.items()]
        return [facts_panel("Columns", columns), facts_panel("How the bank writes", way, side=True)]


@register_page(
    route="ledger/csv-mappings/new/", name="ledger_new_csv_mapping", permission="ledger.save_csvmapping"
)
@require_http_methods(["GET", "HEAD", "POST"])
def new_mapping(request: HttpRequest) -> HttpResponse:
    """
    Show the start of a file with the form; POST tries the mapping on it, or saves it and reads the file.

    :raises Http404: if there is no such file, or it was taken
    """
    file = BankFile.objects.filter(public_id=request.GET.get("file", ""), state__in=STUCK).first()
    if file is None:
        raise Http404
    data = read_original(file)
    posted = request.POST if request.method == "POST" else None
    form = MappingForm(posted, heads=_heads(data, request), initial=_guess(data))
    preview: ParsedStatement | None = None
    if posted is not None and form.is_valid():
        preview = _try(form, data)
        if preview is not None and posted.get("do") == "save" and _save(request, form, file):
            return HttpResponseRedirect(reverse("admin:ledger_bankfile_change", args=[file.public_id]))
    return page(
        request,
        "ledger/csv_mapping.html",
        title="Make a CSV mapping",
        path=[("Reconciliation", ""), ("CSV mappings", reverse("admin:ledger_csvmapping_changelist"))],
        summary=f"Tried on {file.name}; nothing is read in before you save",
        form=form,
        raw=[row[:_RAW_WIDTH] for row in data[:4_000].decode("utf-8", "replace").splitlines()[:_RAW_LINES]],
        preview=_preview_panel(preview) if preview else None,
        file=file,
        status=400 if form.errors else 200,
    )


def _guess(data: bytes) -> dict[str, object]:
    """Return the settings that the start of the file suggests."""
    first = data[:4_000].decode("utf-8", "replace").partition("\n")[0]
    delimiter = max((";", ",", "\t", "|"), key=first.count)
    try:
        data[:4_000].decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "windows-1252"
    return {"delimiter": delimiter, "encoding": encoding, "skip_lines": 0}


def _heads(data: bytes, request: HttpRequest) -> list[str]:
    """Return the heads of the file as the form's present settings find them, each once."""
    chosen = {**_guess(data), **request.POST.dict()}
    skip = str(chosen["skip_lines"])
    mapping = CsvMapping(
        encoding=str(chosen["encoding"]),
        delimiter=str(chosen["delimiter"])[:1] or ";",
        skip_lines=int(skip) if skip.isdecimal() and len(skip) < 4 else 0,  # noqa: PLR2004 - three digits at most
    )
    try:
        return [head for head in dict.fromkeys(heads_of(data, mapping)) if head]
    except LookupError:
        return []  # an encoding that Python does not know; the form says so


def _try(form: MappingForm, data: bytes) -> ParsedStatement | None:
    mapping = CsvMapping(
        bank_account=form.cleaned_data["bank_account"],
        columns={field: head for field, head in form.columns.items() if head},
        **form.settings(),
    )
    try:
        return read_csv(data, mapping).statements[0]
    except UnreadableBankFile as fault:
        form.add_error(None, fault.detail)
    return None


def _save(request: HttpRequest, form: MappingForm, file: BankFile) -> bool:
    with acting_as(request, person_of(request)):
        try:
            save_csv_mapping(
                name=form.cleaned_data["name"],
                bank_account_id=form.cleaned_data["bank_account"].pk,
                columns=form.columns,
                now=clock.now(),
                **form.settings(),
            )
        except InvalidInput as faults:
            for fault in faults.errors:
                form.add_error(None, fault.detail)
            return False
        except AppError as refusal:
            form.add_error(None, refusal.detail)
            return False
        messages.success(request, "The mapping was saved.")
        again = restage_file if file.size > DIRECT_BYTES else accept_file
        tell(request, again(file_id=file.pk, now=clock.now()))
    return True


def _preview_panel(statement: ParsedStatement) -> Panel:
    opening, closing = (
        Money(minor, statement.currency).format()
        for minor in (statement.opening_minor, statement.closing_minor)
    )
    return table_panel(
        "As it would be read",
        columns=(
            Column(
                title="Line",
                cell=lambda line: Main(line.name or line.text or "No words", line.bank_reference),
            ),
            Column(title="Booked", cell=lambda line: Day(line.booking_date), width="m"),
            Column(
                title="Amount",
                cell=lambda line: Amount(Money(line.amount_minor, line.currency), signed=True),
                width="m",
                right=True,
            ),
        ),
        rows=statement.lines[:_PREVIEWED],
        note=f"{opening} + {len(statement.lines):,} lines = {closing}",
    )
