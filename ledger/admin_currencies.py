"""Pages of currencies: rates with the form that records one, deals, and what each position would bring now."""

from datetime import UTC, datetime
from decimal import Context
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Main, When, minute
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import empty_panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.backoffice.timeline import say
from flowlet.core import clock
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.choices import RateKind
from ledger.models.currencies import FxDeal, FxRate
from ledger.operations.currencies import read_rate, record_rate
from ledger.queries.positions import Position, list_deals, list_positions, realised_by_currency
from ledger.queries.rates import base_currency
from ledger.rates import plain

_ADD = "ledger.add_fxrate"
_DIGITS = Context(prec=7)  # of a rate that is shown; amounts are worked out with all there are


@register(FxRate)
class RateAdmin(ModelAdmin):
    """All rates, newest first; a new one is recorded by a form, none is changed."""

    path, title, group, icon, nav_order = "ledger/rates", "Exchange rates", "Books", "arrow-left-right", 74
    summary = (
        "What one unit was worth in another currency, as a source said; kept for ever, the newest counts"
    )
    list_order = ("-valid_at", "-id")
    detail = False
    views = (
        View(key="all", title="All", counted=False),
        View(key="mid", title="Mid", condition=Q(kind=RateKind.MID), counted=False),
        View(key="closing", title="Closing", condition=Q(kind=RateKind.CLOSING), counted=False),
    )
    filters = (
        Text("base", "From"),
        Text("quote", "To"),
        Choice("kind", "Kind", tuple(RateKind.choices)),
        Text("source", "Source"),
        DateSpan("valid", "Valid at", lookup="valid_at"),
    )
    columns = (
        Column(
            title="Rate", cell=lambda r: Main(rate_in_words(r.base, r.rate, r.quote), r.public_id, mono=True)
        ),
        Column(title="Kind", cell=lambda r: Badge(r.get_kind_display(), _KINDS.get(r.kind, "")), width="s"),
        Column(title="Source", cell=lambda r: r.source, width="m"),
        Column(title="Valid at", cell=lambda r: When(r.valid_at), width="m"),
        Column(title="Recorded", cell=lambda r: When(r.recorded_at), width="m", right=True, hide="m"),
    )
    empty = ("No rates yet", "Record one, or import a file with manage.py import_rates.")

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the button to the form, for those who may record rates."""
        if not person_of(request).may(_ADD):
            return []
        return [Button(label="Record a rate", href=reverse("admin:ledger_rate_new"), style="primary")]


_KINDS: dict[str, Any] = {RateKind.MID: "info", RateKind.CLOSING: "ok"}


def rate_in_words(base: str, rate: Any, quote: str) -> str:
    """Return a rate as people say it: `1 EUR = 1.089 USD`."""
    return f"1 {base} = {plain(rate)} {quote}"


class RateForm(forms.Form):
    """One rate as a person types it."""

    base = forms.CharField(
        label="From currency", max_length=3, min_length=3, widget=forms.TextInput({"class": "input"})
    )
    quote = forms.CharField(
        label="To currency", max_length=3, min_length=3, widget=forms.TextInput({"class": "input"})
    )
    rate = forms.CharField(
        label="Rate",
        max_length=30,
        widget=forms.TextInput({"class": "input", "inputmode": "decimal"}),
        help_text="How much of the second currency one unit of the first is worth, such as 1.0891.",
    )
    kind = forms.ChoiceField(
        label="Kind", choices=RateKind.choices, widget=forms.Select({"class": "select"}),
        help_text="Quotes are made from mid rates; positions are valued at closing rates.",
    )  # fmt: skip
    source = forms.CharField(label="Source", max_length=40, widget=forms.TextInput({"class": "input"}))
    valid_at = forms.DateTimeField(
        label="Valid at (UTC)",
        widget=forms.DateTimeInput({"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def clean_valid_at(self) -> datetime:
        """Read the clock on the form as UTC."""
        at: datetime = self.cleaned_data["valid_at"]
        return at.replace(tzinfo=UTC)


@register_page(route="ledger/rates/new/", name="ledger_rate_new", permission=_ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def new_rate(request: HttpRequest) -> HttpResponse:
    """
    Ask for a rate, and record it.

    :raises PermissionDenied: if the person may not record rates
    """
    person = person_of(request)
    if not person.may(_ADD):
        raise PermissionDenied
    now = clock.now()
    if request.method != "POST":
        first = {
            "base": base_currency(),
            "source": "Finance",
            "valid_at": now.replace(second=0, microsecond=0),
        }
        return _ask(request, RateForm(initial=first))
    form = RateForm(request.POST)
    if not form.is_valid():
        return _ask(request, form, status=400)
    values = form.cleaned_data
    try:
        with acting_as(request, person):
            row = record_rate(
                base=values["base"].upper(),
                quote=values["quote"].upper(),
                kind=values["kind"],
                source=values["source"],
                rate=read_rate(values["rate"].strip()),
                valid_at=values["valid_at"],
                now=now,
            )
    except AppError as refusal:
        return _ask(request, form, status=refusal.http_status, alert=refusal.detail)
    messages.success(request, f"Recorded: {rate_in_words(row.base, row.rate, row.quote)}.")
    return HttpResponseRedirect(reverse("admin:ledger_fxrate_changelist"), status=303)


def _ask(request: HttpRequest, form: RateForm, *, status: int = 200, alert: str = "") -> HttpResponse:
    return page(
        request,
        "ledger/rate.html",
        title="Record a rate",
        path=[("Books", ""), ("Exchange rates", reverse("admin:ledger_fxrate_changelist"))],
        summary="For ever: a wrong rate is put right by a later one",
        status=status,
        form=form,
        alert=alert,
    )


def _deal_title(deal: FxDeal) -> Main:
    sold, bought = Money(deal.sold_minor, deal.sold_currency), Money(deal.bought_minor, deal.bought_currency)
    href = reverse("admin:ledger_ledgertransaction_change", args=[deal.transaction.public_id])
    return Main(f"{sold.format()} for {bought.format()}", deal.transaction.public_id, mono=True, href=href)


@register(FxDeal)
class DealAdmin(ModelAdmin):
    """All deals, newest first; a row leads to its transaction."""

    path, title, group, icon, nav_order = "ledger/deals", "Currency deals", "Books", "banknote", 76
    summary = "What exchanges moved between our currency positions, and what that was worth"
    list_order = ("-dealt_at", "-id")
    detail = False
    filters = (
        Text("sold", "Sold to us", lookup="sold_currency"),
        Text("bought", "Bought from us", lookup="bought_currency"),
        DateSpan("dealt", "Dealt", lookup="dealt_at"),
    )
    columns = (
        Column(title="Deal", cell=_deal_title),
        Column(title="Rate", cell=lambda d: f"1 = {plain(d.rate)}", width="m", hide="s"),
        Column(
            title="Spread",
            cell=lambda d: Amount(Money(d.spread_minor, d.sold_currency)),
            width="m",
            right=True,
            hide="s",
        ),
        Column(
            title="Worth", cell=lambda d: Amount(Money(d.base_minor, d.base_currency)), width="m", right=True
        ),
        Column(title="Dealt", cell=lambda d: When(d.dealt_at), width="m", right=True, hide="m"),
    )
    empty = ("No deals yet", "The first exchange of a customer makes the first one.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return all deals with their transactions."""
        del request
        return list_deals()


@register_page(
    route="ledger/positions/",
    name="ledger_positions",
    permission="ledger.view_fxdeal",
    navigation=Item(
        title="Currency positions",
        url_name="admin:ledger_positions",
        group="Books",
        icon="globe",
        permission="ledger.view_fxdeal",
        order=75,
    ),
)
def positions(request: HttpRequest) -> HttpResponse:
    """Answer what we hold or are short of in each currency, and what closing it now would bring."""
    rows = list_positions(now=clock.now())
    realised = realised_by_currency()
    waiting = sum(row.waiting for row in rows)
    unrealised = [row.unrealised for row in rows if row.unrealised is not None]
    base = base_currency()
    facts: list[tuple[str, object]] = [
        ("Base currency", base),
        ("Unrealised result", Amount(sum(unrealised, Money(0, base)), signed=True)),
        ("Realised so far", Amount(Money(sum(realised.values()), base), signed=True)),
        ("Postings to be worked out", f"{waiting:,}"),
    ]
    return page(
        request,
        "admin/change_form.html",
        title="Currency positions",
        path=[("Books", "")],
        summary="What customers' exchanges left us with, at average cost and at the latest mid rate",
        badges=[Badge(f"{waiting:,} waiting", "wait") if waiting else Badge("Up to date", "ok")],
        # One below the other: six columns of amounts need the whole width.
        panels=[facts_panel("In all", facts, two=True), _positions_panel(rows, realised)]
        if rows
        else [empty_panel("Positions", what="No exchange yet", icon="globe")],
        side_panels=[],
    )


def _positions_panel(rows: list[Position], realised: dict[str, int]) -> Any:
    base = base_currency()
    return table_panel(
        "Positions",
        columns=(
            Column(title="Currency", cell=_position_title),
            Column(title="Mid rate", cell=_position_rate, width="l", hide="m"),
            Column(title="Position", cell=lambda p: Amount(p.amount), width="m", right=True),
            Column(title="Cost", cell=lambda p: Amount(p.cost), width="m", right=True, hide="s"),
            Column(
                title="Worth now",
                cell=lambda p: Amount(p.value) if p.value else "No rate",
                width="m",
                right=True,
            ),
            Column(
                title="Unrealised",
                cell=lambda p: Amount(p.unrealised, signed=True) if p.unrealised is not None else "",
                width="m",
                right=True,
            ),
            Column(
                title="Realised",
                cell=lambda p: Amount(Money(realised.get(p.currency, 0), base), signed=True),
                width="m",
                right=True,
                hide="m",
            ),
        ),
        rows=rows,
        note="Below zero: we owe more of it than we hold",
        href=reverse("admin:ledger_fxdeal_changelist"),
        href_text="Deals",
    )


def _position_title(position: Position) -> Main:
    state = "Long" if position.amount.minor > 0 else "Short" if position.amount.minor < 0 else "Even"
    return Main(position.currency, state)


def _position_rate(position: Position) -> object:
    if position.rate is None:
        return "No mid rate on record"
    shown = rate_in_words(position.currency, _DIGITS.plus(position.rate.decimal), position.rate.quote)
    return Main(shown, f"{position.rate.source}, {minute(position.rate.valid_at)}")


say("exchange_rate.record", "Exchange rate recorded", "arrow-left-right")
say("exchange_rate.import", "Exchange rates imported", "arrow-left-right")
