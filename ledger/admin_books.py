"""The chart of accounts as a tree, and the books to take away: journals and ledgers of some days as files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from flowlet.audit import trail
from flowlet.backoffice.cells import BLANK, Main, Part, stamp
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.exports import ExportColumn, ExportFile, Value, csv_response
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.backoffice.xlsx import xlsx_response
from flowlet.core import clock
from flowlet.core.errors import AppError, FieldError, InvalidInput, NotFound
from ledger.admin_parts import Sum
from ledger.models.accounts import ChartAccount
from ledger.queries.books import (
    JOURNAL_HEADS,
    LEDGER_HEADS,
    count_postings,
    get_heading,
    journal_rows,
    ledger_rows,
)
from ledger.queries.chart import ChartNode, chart_tree
from ledger.queries.trial_balance import get_trial_balances

_CHART, _EXPORT = "ledger.view_trialbalance", "ledger.export_books"
_FORMATS = {"csv": csv_response, "xlsx": xlsx_response}
_XLSX_ROWS_MAX = 1_000_000
_BREAK = mark_safe("<br>")
_AMOUNTS = frozenset({"Debit", "Credit", "Balance"})


@dataclass(frozen=True, slots=True)
class Nested(Part):
    """A cell set in by its depth in the tree."""

    inner: Main
    depth: int

    def html(self) -> SafeString:
        """Return the cell inside a box of its depth."""
        return format_html('<div class="depth-{}">{}</div>', self.depth, self.inner)


@dataclass(frozen=True, slots=True)
class Sums(Part):
    """What stands on a place of the chart, a line for each currency."""

    nets: Sequence[tuple[str, int]]
    strong: bool

    def html(self) -> SafeString:
        """Return the sums under each other, or a dash."""
        if not self.nets:
            return BLANK
        lines = ((Sum(minor, currency, strong=self.strong).html(),) for currency, minor in self.nets)
        return format_html_join(_BREAK, "{}", lines)


@register_page(
    route="ledger/chart/",
    name="ledger_chart",
    permission=_CHART,
    navigation=Item(
        title="Chart of accounts",
        url_name="admin:ledger_chart",
        group="Books",
        icon="list-filter",
        permission=_CHART,
        order=69,
    ),
)
@require_safe
def chart(request: HttpRequest) -> HttpResponse:
    """Answer the chart as a tree with what stands on each place now; a row leads to its accounts."""
    nodes = chart_tree(get_trial_balances())
    used = [node for node in nodes if node.nets or node.groups]
    everything = bool(request.GET.get("all"))
    panel = table_panel(
        "All places" if everything else "Places in use",
        columns=(
            Column(title="Place", cell=_place),
            Column(title="Kind", cell=lambda n: n.kind.label, width="m", hide="m"),
            Column(
                title="Accounts",
                cell=lambda n: f"{n.accounts:,}" if n.accounts else "",
                width="m",
                right=True,
                hide="s",
            ),
            Column(
                title="Balance",
                cell=lambda n: Sums(tuple(n.nets.items()), strong=n.groups),
                width="l",
                right=True,
            ),
        ),
        rows=nodes if everything else used,
        note="In the natural sign of each kind",
        href="?" if everything else "?all=1",
        href_text="In use only" if everything else "All places",
    )
    return page(
        request,
        "ledger/chart.html",
        title="Chart of accounts",
        path=[("Books", "")],
        summary="What every place holds now, with all that lies under it",
        buttons=[Button(label="Take away…", href=reverse("admin:ledger_books"), icon="download")]
        if person_of(request).may(_EXPORT)
        else [],
        panels=[panel],
        side_panels=[],
    )


def _place(node: ChartNode) -> Nested:
    query = urlencode({"heading": node.number})
    href = "" if node.groups else f"{reverse('admin:ledger_account_changelist')}?{query}"
    return Nested(Main(f"{node.number} {node.name}", href=href), node.depth)


@register_page(
    route="ledger/books/",
    name="ledger_books",
    permission=_EXPORT,
    navigation=Item(
        title="Journals and ledgers",
        url_name="admin:ledger_books",
        group="Books",
        icon="download",
        permission=_EXPORT,
        order=77,
    ),
)
@require_http_methods(["GET", "HEAD", "POST"])
def books(request: HttpRequest) -> Any:
    """Answer the form; a POST takes the journal of some days, or the ledger of one heading, away as a file."""
    given = request.POST if request.method == "POST" else request.GET
    raw = {name: given.get(name, "").strip() for name in ("what", "heading", "first", "last")}
    fault, status = "", 200
    if request.method == "POST":
        try:
            return _file(request, raw)
        except AppError as refusal:
            fault = refusal.errors[0].detail if refusal.errors else refusal.detail
            status = refusal.http_status
    last = clock.now().date().replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    return page(
        request,
        "ledger/books.html",
        title="Journals and ledgers",
        path=[("Books", "")],
        summary="The books of some days as a file, by value date",
        raw={**raw, "first": raw["first"] or str(first), "last": raw["last"] or str(last)},
        headings=ChartAccount.objects.filter(children=None).order_by("number"),
        fault=fault,
        status=status,
    )


def _file(request: HttpRequest, raw: dict[str, str]) -> HttpResponse | StreamingHttpResponse:
    person, wanted = person_of(request), request.POST.get("do", "")
    if wanted not in _FORMATS or not person.may(_EXPORT):
        raise PermissionDenied
    first, last = _day(raw["first"], "first"), _day(raw["last"], "last")
    if first > last:
        raise _invalid("last", "The first day is after the last.")
    export = _ledger(raw["heading"], first, last) if raw["what"] == "ledger" else _journal(first, last)
    number = count_postings(first, last, heading=raw["heading"] if raw["what"] == "ledger" else "")
    if wanted == "xlsx" and number > _XLSX_ROWS_MAX:
        raise _invalid("do", "A workbook holds a million rows. Choose fewer days, or CSV.")
    with acting_as(request, person):
        trail.record(
            action="books.export",
            object_type="books",
            object_id=export.name[:80],
            changes={"format": [None, wanted.upper()], "postings": [None, number]},
        )
    return _FORMATS[wanted](export)


def _journal(first: date, last: date) -> ExportFile:
    return _export(
        f"journal-{first}-{last}", "Journal", JOURNAL_HEADS, journal_rows(first, last), first, last
    )


def _ledger(number: str, first: date, last: date) -> ExportFile:
    try:
        heading = get_heading(number.replace("\0", ""))
    except NotFound:
        raise _invalid("heading", "Choose a place of the chart.") from None
    rows = ledger_rows(heading.number, first, last)
    return _export(
        f"ledger-{heading.number}-{first}-{last}", f"Ledger of {heading}", LEDGER_HEADS, rows, first, last
    )


def _export(
    name: str, title: str, heads: Sequence[str], rows: Iterator[Sequence[Value]], first: date, last: date
) -> ExportFile:
    return ExportFile(
        name=name,
        title=title,
        facts=[("Value dates", f"{first} to {last}"), ("Made", stamp(clock.now()))],
        columns=[ExportColumn(title=head, right=head in _AMOUNTS) for head in heads],
        rows=rows,
    )


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(name, "Give a first and a last day.") from None


def _invalid(name: str, detail: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(f"/{name}", "invalid", detail),))
