"""The trial balance page: now, as of a day, as known at the end of a day, at a booking time, and in base currency."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.audit import trail
from flowlet.backoffice.cells import Badge, Main, stamp
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.exports import ExportColumn, ExportFile, Value, csv_response, pdf_response
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import Panel, empty_panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.backoffice.xlsx import xlsx_response
from flowlet.core import clock
from flowlet.core.errors import AppError, FieldError, InvalidInput
from ledger.admin_parts import Sum, Total
from ledger.queries.books import units
from ledger.queries.rates import base_currency
from ledger.queries.trial_balance import (
    BaseTrialBalance,
    Moment,
    TrialBalance,
    TrialBalanceLine,
    block_known,
    check_moment,
    get_trial_balances,
    in_base_currency,
)

VIEW, EXPORT = "ledger.view_trialbalance", "ledger.export_books"
_FORMATS = {"csv": csv_response, "xlsx": xlsx_response, "pdf": pdf_response}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks for, as typed and as understood."""

    raw: dict[str, str]
    moment: Moment
    base: bool


@register_page(
    route="ledger/trial-balance/",
    name="ledger_trial_balance",
    permission=VIEW,
    navigation=Item(
        title="Trial balance",
        url_name="admin:ledger_trial_balance",
        group="Books",
        icon="scale",
        permission=VIEW,
        order=73,
    ),
)
@require_http_methods(["GET", "HEAD", "POST"])
def trial_balance(request: HttpRequest) -> Any:
    """
    Answer a trial balance, one card per currency and one for all in base currency; a POST takes it away as a file.

    :raises PermissionDenied: if a file is asked for by somebody who may not export
    """
    raw = {name: request.GET.get(name, "").strip() for name in ("as_of", "known", "booked", "base")}
    try:
        asked = _read(raw)
        balances = get_trial_balances(asked.moment)
        base = _in_base(asked, balances)
    except AppError as refusal:
        first = refusal.errors[0].detail if refusal.errors else refusal.detail
        return _show(request, raw, [], None, fault=first, status=refusal.http_status)
    if request.method == "POST":
        return _file(request, asked, balances, base)
    return _show(request, raw, balances, base)


def _read(raw: dict[str, str]) -> Asked:
    moment = Moment(
        as_of=_day(raw, "as_of"),
        known=_day(raw, "known"),
        booked=_instant(raw["booked"]) if raw["booked"] else None,
    )
    return Asked(raw, check_moment(moment, today=clock.now().date()), bool(raw["base"]))


def _day(raw: dict[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(raw[name]) if raw[name] else None
    except ValueError:
        raise _unreadable(name) from None


def _instant(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable("booked") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _unreadable(name: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(f"/{name}", "invalid", "Give a date such as 2026-10-31."),))


def _in_base(asked: Asked, balances: list[TrialBalance]) -> BaseTrialBalance | None:
    if not asked.base or not balances:
        return None
    day = asked.moment.rate_day or clock.now().date()
    return in_base_currency(balances, day=day, known=asked.moment.known)


def _words(moment: Moment) -> str:
    if moment.booked:
        return f"What was booked until {stamp(moment.booked)}"
    if moment.known:
        return (
            f"Value dates to {moment.as_of:%-d %b %Y}, as known at the end of {moment.known:%-d %b %Y} (UTC)"
        )
    return f"Value dates to {moment.as_of:%-d %b %Y}" if moment.as_of else "What every heading holds now"


def _proof(moment: Moment) -> str:
    """Return the block that stands over what was known: its number and hash."""
    block = block_known(moment.known) if moment.known else None
    return f"Block {block.n}, {bytes(block.hash).hex()}" if block else "No block was sealed by then"


def _show(
    request: HttpRequest,
    raw: dict[str, str],
    balances: list[TrialBalance],
    base: BaseTrialBalance | None,
    *,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    even = all(balance.even for balance in balances)
    panels = [*([] if base is None else _base_panels(base)), *(_trial_panel(balance) for balance in balances)]
    now = not any(raw[name] for name in ("as_of", "known", "booked"))
    kept = {name: value for name, value in raw.items() if value}
    return page(
        request,
        "ledger/trial_balance.html",
        title="Trial balance",
        path=[("Books", "")],
        summary="What every heading holds, debits against credits",
        badges=[] if fault else [Badge("Even", "ok") if even else Badge("Not even", "bad")],
        panels=panels or [empty_panel("Trial balance", what=_nothing(fault, now=now), icon="scale")],
        side_panels=[],
        raw=raw,
        fault=fault,
        base_currency=base_currency(),
        may_export=bool(balances) and person_of(request).may(EXPORT),
        here=f"{reverse('admin:ledger_trial_balance')}?{urlencode(kept)}",
        status=status,
    )


def _nothing(fault: str, *, now: bool) -> str:
    if fault:
        return "No answer to this question"
    return "Nothing booked yet" if now else "Nothing was booked by then"


def _trial_panel(balance: TrialBalance, title: str = "") -> Panel:
    counted = any(line.accounts for line in balance.lines)
    return table_panel(
        title or balance.currency,
        columns=(
            Column(title="Heading", cell=_trial_heading),
            *(_COUNTS if counted else ()),
            Column(title="Debit", cell=lambda r: _trial_side(r, r.debit), width="l", right=True),
            Column(title="Credit", cell=lambda r: _trial_side(r, r.credit), width="l", right=True),
        ),
        rows=[*balance.lines, Total(balance.currency, balance.debit, balance.credit)],
        note="Debits equal credits" if balance.even else "Debits and credits differ",
    )


_COUNTS = (
    Column(
        title="Accounts",
        cell=lambda r: "" if isinstance(r, Total) else f"{r.accounts:,}",
        width="m",
        right=True,
        hide="s",
    ),
    Column(
        title="Postings",
        cell=lambda r: "" if isinstance(r, Total) else f"{r.postings:,}",
        width="m",
        right=True,
        hide="s",
    ),
)


def _base_panels(base: BaseTrialBalance) -> Sequence[Panel]:
    rates: list[tuple[str, object]] = [
        (f"1 {rate.base}", f"{rate.decimal:f} {rate.quote}, {rate.kind.lower()}, {rate.valid_at:%-d %b %Y}")
        for rate in base.rates
    ]
    return [
        _trial_panel(base.balance, f"All currencies in {base.balance.currency}"),
        *([facts_panel("Rates used", rates)] if rates else []),
    ]


def _trial_heading(row: Any) -> object:
    if isinstance(row, Total):
        return row.title
    href = f"{reverse('admin:ledger_account_changelist')}?{urlencode({'heading': row.number, 'currency': row.currency})}"
    return Main(f"{row.number} {row.name}", row.kind.label, href=href)


def _trial_side(row: Any, minor: int) -> object:
    if isinstance(row, Total):
        return Sum(minor, row.currency, strong=True)
    return Sum(minor, row.currency) if minor else ""


def _file(
    request: HttpRequest, asked: Asked, balances: list[TrialBalance], base: BaseTrialBalance | None
) -> HttpResponse | StreamingHttpResponse:
    person, wanted = person_of(request), request.POST.get("do", "")
    if wanted not in _FORMATS or not person.may(EXPORT):
        raise PermissionDenied
    with acting_as(request, person):
        trail.record(
            action="trial_balance.export",
            object_type="trial_balance",
            object_id=str(asked.moment.as_of or asked.moment.booked or "now"),
            changes={"format": [None, wanted.upper()], "known": [None, str(asked.moment.known or "")]},
        )
    export = export_file(asked.moment, balances, base, now=clock.now())
    return _FORMATS[wanted](export)


def export_file(
    moment: Moment, balances: list[TrialBalance], base: BaseTrialBalance | None, *, now: datetime
) -> ExportFile:
    """
    Return the file of a trial balance.

    As known at a day it holds no clock: the same question gives the same bytes for ever.
    """
    facts = [("Moment", _words(moment)), ("Proof", _proof(moment)) if moment.known else ("Made", stamp(now))]
    if base is not None:
        facts += [(f"1 {rate.base}", f"{rate.decimal:f} {rate.quote}") for rate in base.rates]
    everything = [*balances, *([base.balance] if base else [])]
    return ExportFile(
        name=f"trial-balance-{moment.as_of or (moment.booked or now).date()}",
        title="Trial balance",
        facts=facts,
        columns=(
            ExportColumn(title="Currency", share=0.7),
            ExportColumn(title="Number", share=0.7),
            ExportColumn(title="Heading", share=2.2),
            ExportColumn(title="Kind"),
            ExportColumn(title="Debit", share=1.4, right=True),
            ExportColumn(title="Credit", share=1.4, right=True),
        ),
        rows=_rows(balances, base),
        totals=[
            (f"Sum, {one.currency}{' (all currencies)' if base and one is base.balance else ''}", _sums(one))
            for one in everything
        ],
    )


def _rows(balances: list[TrialBalance], base: BaseTrialBalance | None) -> Iterator[Sequence[Value]]:
    for balance in balances:
        yield from (_row(line, balance.currency) for line in balance.lines)
    if base is not None:
        yield from (_row(line, f"All in {base.balance.currency}") for line in base.balance.lines)


def _row(line: TrialBalanceLine, currency: str) -> tuple[Value, ...]:
    sides = (
        units(line.debit, line.currency) if line.debit else None,
        units(line.credit, line.currency) if line.credit else None,
    )
    return (currency, line.number, line.name, line.kind.label, *sides)


def _sums(balance: TrialBalance) -> str:
    debit, credit = units(balance.debit, balance.currency), units(balance.credit, balance.currency)
    return f"{debit:,} / {credit:,}"
