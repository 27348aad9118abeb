"""The statement page: choose whose, a month or a span, a format; get a proven file, or have it made in the background."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import page
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.errors import AppError
from flowlet.identity.models import Customer, Partner
from ledger.choices import ExportSubject
from ledger.models.statements import Statement
from ledger.operations.exports import request_export
from ledger.statements.facts import StatementTooLong
from ledger.statements.formats import STATEMENT_FORMATS
from wallets.models import Wallet
from wallets.operations.statements import export_statement

PERMISSION = "wallets.export_statement"
MONTHS = 13
FOUND_MAX = 20
_YEARS = (2000, 2200)
_VERSIONS = (("08", "08 (2019), most banks"), ("02", "02 (2009), older programs"), ("13", "13 (2025)"))


@dataclass(slots=True)
class _Asked:
    """The form as it came, and what is wrong with it."""

    month: str
    first: str = ""
    last: str = ""
    format: str = "pdf"
    version: str = ""
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose statements are asked for; `wallet` where it is one wallet."""

    kind: ExportSubject
    public_id: str
    title: str
    summary: str
    back_href: str
    wallet: Wallet | None = None


@register_page(
    route="statements/",
    name="statements",
    permission=PERMISSION,
    navigation=Item(
        title="Statements",
        url_name="admin:statements",
        group="Money",
        icon="file-text",
        permission=PERMISSION,
        order=60,
    ),
)
@require_http_methods(["GET", "HEAD", "POST"])
def statements(request: HttpRequest) -> HttpResponse:
    """
    Ask whose, which span and format; answer a POST with the file, or with the page of an export.

    :raises Http404: if there is no such wallet, customer or partner
    """
    whose = _whose(request)
    if whose is None:
        return _choose(request)
    if request.method != "POST":
        return _form(request, whose, _Asked(month=_months(clock.now().date())[0][0]))
    return _export(request, whose)


def _whose(request: HttpRequest) -> _Whose | None:
    for kind, find in (("wallet", _wallet), ("customer", _customer), ("partner", _partner)):
        if public_id := request.GET.get(kind, ""):
            found = None if "\0" in public_id else find(public_id)
            if found is None:
                raise Http404
            return found
    return None


def _wallet(public_id: str) -> _Whose | None:
    wallet = Wallet.objects.filter(public_id=public_id).select_related("customer", "partner").first()
    return (
        None
        if wallet is None
        else _Whose(
            ExportSubject.WALLET,
            public_id,
            wallet.customer.name,
            f"{wallet.customer.name}, {wallet.currency} · {wallet.public_id}",
            reverse("admin:wallets_wallet_change", args=[public_id]),
            wallet,
        )
    )


def _customer(public_id: str) -> _Whose | None:
    customer = Customer.objects.filter(public_id=public_id).first()
    return (
        None
        if customer is None
        else _Whose(
            ExportSubject.CUSTOMER,
            public_id,
            customer.name,
            f"All wallets of {customer.name}",
            reverse("admin:identity_customer_change", args=[public_id]),
        )
    )


def _partner(public_id: str) -> _Whose | None:
    partner = Partner.objects.filter(public_id=public_id).first()
    return (
        None
        if partner is None
        else _Whose(
            ExportSubject.PARTNER,
            public_id,
            partner.name,
            f"All wallets of all customers of {partner.name}",
            reverse("admin:statements"),
        )
    )


def _choose(request: HttpRequest) -> HttpResponse:
    """Answer the first step: find the wallet by its owner, or take all of a customer or partner."""
    term = " ".join(request.GET.get("q", "").replace("\0", "").split())[:100]
    rows = Wallet.objects.select_related("customer", "partner")
    if term:
        rows = rows.filter(
            Q(public_id=term)
            | Q(customer__public_id=term)
            | Q(customer__reference=term)
            | Q(customer__name__icontains=term)
        )
    found = list(rows.order_by("customer__name", "currency", "pk")[:FOUND_MAX]) if term else []
    customers = {wallet.customer.public_id: wallet.customer.name for wallet in found}
    partners = Partner.objects.order_by("name", "pk")[:FOUND_MAX]
    return page(
        request,
        "wallets/statement_wallet.html",
        title="Statements",
        path=[("Money", "")],
        summary="Choose whose, a month and a format",
        term=term,
        found=[(wallet, _href("wallet", wallet.public_id)) for wallet in found],
        whole=[(name, _href("customer", public_id)) for public_id, name in customers.items()],
        partners=[(partner.name, _href("partner", partner.public_id)) for partner in partners],
    )


def _href(kind: str, public_id: str) -> str:
    return f"?{urlencode({kind: public_id})}"


def _form(
    request: HttpRequest, whose: _Whose, asked: _Asked, *, status: int = 200, alert: str = ""
) -> HttpResponse:
    return page(
        request,
        "wallets/statement.html",
        title="Statement" if whose.wallet else "Statements of all wallets",
        path=[("Money", ""), ("Statements", reverse("admin:statements"))],
        summary=whose.summary,
        status=status,
        whose=whose,
        asked=asked,
        alert=alert,
        months=_months(clock.now().date()),
        formats=STATEMENT_FORMATS.items(),
        versions=_VERSIONS,
        official=_official(whose) if person_of(request).may("ledger.view_statement") else [],
    )


def _official(whose: _Whose) -> list[tuple[Statement, str]]:
    if whose.wallet is None:
        return []
    rows = Statement.objects.filter(account_id=whose.wallet.account_id).order_by("-number")[:MONTHS]
    return [(one, reverse("admin:ledger_statement_change", args=[one.public_id])) for one in rows]


def _months(today: date) -> list[tuple[str, str]]:
    """Return the latest months as (`2026-10`, `October 2026`): the last full one first, the present one second."""
    month, found = today.replace(day=1), []
    for _ in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        found.append((f"{month:%Y-%m}", f"{month:%B %Y}"))
    return [*found[:1], (f"{today:%Y-%m}", f"{today:%B %Y} so far"), *found[1:]]


def _export(request: HttpRequest, whose: _Whose) -> HttpResponse:
    month, first, last, wanted, version = (
        request.POST.get(name, "")[:20] for name in ("month", "first", "last", "format", "version")
    )
    asked = _Asked(month=month, first=first, last=last, format=wanted, version=version)
    span = _span(asked)
    if asked.format not in STATEMENT_FORMATS:
        asked.faults["format"] = "Choose a format."
    elif version not in STATEMENT_FORMATS.get(asked.format).versions:
        asked.version = ""  # the field is that of the formats that have versions
    if span is None or asked.faults:
        return _form(request, whose, asked, status=400)
    try:
        with acting_as(request, person_of(request)):
            return _made(request, whose, span, asked)
    except AppError as refusal:
        return _form(request, whose, asked, status=refusal.http_status, alert=refusal.detail)


def _made(request: HttpRequest, whose: _Whose, span: tuple[date, date], asked: _Asked) -> HttpResponse:
    """Return the file of one wallet; what is longer, or more than one, is made in the background."""
    if whose.wallet is not None:
        try:
            file = export_statement(
                wallet=whose.wallet,
                first=span[0],
                last=span[1],
                format=asked.format,
                version=asked.version,
                now=clock.now(),
            )
        except StatementTooLong:
            pass
        else:
            headers = {
                "Content-Disposition": f'attachment; filename="{file.name}"',
                "Cache-Control": "no-store",
            }
            return HttpResponse(file.content, content_type=file.content_type, headers=headers)
    job = request_export(
        subject_kind=whose.kind,
        subject=whose.public_id,
        first=span[0],
        latest=span[1],
        format=asked.format,
        version=asked.version,
        now=clock.now(),
    )
    messages.success(request, "The export is being made. Load this page again to see how far it is.")
    return HttpResponseRedirect(reverse("admin:ledger_exportjob_change", args=[job.public_id]))


def _span(asked: _Asked) -> tuple[date, date] | None:
    """Read the month, or both days of a span; faults are noted at their field."""
    if not (asked.first or asked.last):
        return _month(asked)
    days: dict[str, date] = {}
    for name in ("first", "last"):
        try:
            day = date.fromisoformat(getattr(asked, name))
        except ValueError:
            asked.faults[name] = "Give both days of the span, or none to take the month."
        else:
            days[name] = day
            if not _YEARS[0] <= day.year <= _YEARS[1]:
                asked.faults[name] = "This day is out of range."
    if asked.faults:
        return None
    if days["first"] > days["last"]:
        asked.faults["last"] = "The last day lies before the first."
    return days["first"], days["last"]


def _month(asked: _Asked) -> tuple[date, date] | None:
    try:
        first = date.fromisoformat(f"{asked.month}-01")
    except ValueError:
        asked.faults["month"] = "Choose a month."
        return None
    if not _YEARS[0] <= first.year <= _YEARS[1]:
        asked.faults["month"] = "This month is out of range."
    return first, first.replace(day=monthrange(first.year, first.month)[1])
