"""The statement page: choose a wallet, a month or a span, a format; get a file that has been proven."""

import hashlib
import logging
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.audit import trail
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import page
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.errors import AppError
from ledger.statements.builder import build_statement
from ledger.statements.facts import Statement, StatementNotProven
from ledger.statements.formats import STATEMENT_FORMATS, Format
from wallets.models import Wallet
from wallets.queries import names_of_accounts

PERMISSION = "wallets.export_statement"
MONTHS = 13
FOUND_MAX = 20
_YEARS = (2000, 2200)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """The form as it came, and what is wrong with it."""

    month: str
    first: str = ""
    last: str = ""
    format: str = "pdf"
    faults: dict[str, str] = field(default_factory=dict)


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
    Ask for wallet, span and format; answer a POST with the file.

    :raises Http404: if there is no such wallet
    """
    wallet_id = request.GET.get("wallet", "")
    if not wallet_id:
        return _choose(request)
    wallet = _wallet(wallet_id)
    if request.method != "POST":
        return _form(request, wallet, _Asked(month=_months(clock.now().date())[0][0]))
    return _export(request, wallet)


def _wallet(public_id: str) -> Wallet:
    found = (
        None
        if "\0" in public_id
        else Wallet.objects.filter(public_id=public_id).select_related("customer", "partner").first()
    )
    if found is None:
        raise Http404
    return found


def _choose(request: HttpRequest) -> HttpResponse:
    """Answer the first step: find the wallet by its owner."""
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
    return page(
        request,
        "wallets/statement_wallet.html",
        title="Statements",
        path=[("Money", "")],
        summary="Choose a wallet, a month and a format",
        term=term,
        found=[(wallet, f"?{urlencode({'wallet': wallet.public_id})}") for wallet in found],
        found_max=FOUND_MAX,
    )


def _form(
    request: HttpRequest, wallet: Wallet, asked: _Asked, *, status: int = 200, alert: str = ""
) -> HttpResponse:
    return page(
        request,
        "wallets/statement.html",
        title="Statement",
        path=[("Money", ""), ("Statements", reverse("admin:statements"))],
        summary=f"{wallet.customer.name}, {wallet.currency} · {wallet.public_id}",
        status=status,
        wallet=wallet,
        asked=asked,
        alert=alert,
        months=_months(clock.now().date()),
        formats=STATEMENT_FORMATS.items(),
    )


def _months(today: date) -> list[tuple[str, str]]:
    """Return the latest months as (`2026-10`, `October 2026`): the last full one first, the present one last."""
    month, found = today.replace(day=1), []
    for _ in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        found.append((f"{month:%Y-%m}", f"{month:%B %Y}"))
    return [*found[:1], (f"{today:%Y-%m}", f"{today:%B %Y} so far"), *found[1:]]


def _export(request: HttpRequest, wallet: Wallet) -> HttpResponse:
    month, first, last, wanted = (
        request.POST.get(name, "")[:20] for name in ("month", "first", "last", "format")
    )
    asked = _Asked(month=month, first=first, last=last, format=wanted)
    span = _span(asked)
    if asked.format not in STATEMENT_FORMATS:
        asked.faults["format"] = "Choose a format."
    if span is None or asked.faults:
        return _form(request, wallet, asked, status=400)
    try:
        return _file(request, wallet, span, STATEMENT_FORMATS.get(asked.format))
    except AppError as refusal:
        return _form(request, wallet, asked, status=refusal.http_status, alert=refusal.detail)
    except StatementNotProven as broken:
        _log.critical("statement not proven: %s", broken)
        _record(request, wallet, span, asked.format, outcome="FAILED")
        alert = "The balances do not agree with the entries, so no file is given out. The ledger must be verified first."
        return _form(request, wallet, asked, status=409, alert=alert)


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


def _file(request: HttpRequest, wallet: Wallet, span: tuple[date, date], chosen: Format) -> HttpResponse:
    statement = build_statement(
        account_id=wallet.account_id,
        first=span[0],
        last=span[1],
        reference=wallet.public_id,
        owner=wallet.customer.name,
        names=names_of_accounts,
    )
    content = chosen.render(statement)
    _record(request, wallet, span, chosen.extension, statement=statement, content=content)
    name = f"statement-{wallet.public_id}-{span[0]}-{span[1]}.{chosen.extension}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=chosen.content_type, headers=headers)


def _record(
    request: HttpRequest,
    wallet: Wallet,
    span: tuple[date, date],
    extension: str,
    *,
    statement: Statement | None = None,
    content: bytes = b"",
    outcome: Any = "DONE",
) -> None:
    """Leave a trail row: who took which statement away, and the digest of the file."""
    changes: dict[str, list[object]] = {
        "format": [None, extension.upper()],
        "span": [None, f"{span[0]} to {span[1]}"],
    }
    if statement is not None:
        changes["entries"] = [None, len(statement.entries)]
        changes["sha256"] = [None, hashlib.sha256(content).hexdigest()]
    with acting_as(request, person_of(request)):
        trail.record(
            action="statement.export",
            object_type="wallet",
            object_id=wallet.public_id,
            changes=changes,
            outcome=outcome,
            partner_id=wallet.partner_id,
            customer=wallet.customer.public_id,
        )
