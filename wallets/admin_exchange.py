"""Quotes of exchanges in words, and what a partner's customers pay on them."""

from typing import Any

from django import forms
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Link, Main, Tone, When, stamp
from flowlet.backoffice.filters import DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import say
from flowlet.core import clock
from flowlet.core.ids import is_id
from flowlet.core.money import Money
from flowlet.identity.models import Partner
from ledger.rates import plain
from wallets.admin_parts import customer_link, entries_panel, wallet_link
from wallets.choices import QuoteStatus
from wallets.models_exchange import SPREAD_BP_MAX, Quote
from wallets.operations.exchange import set_spread
from wallets.queries_exchange import spread_of

_TONES: dict[str, Tone] = {QuoteStatus.OPEN: "info", QuoteStatus.USED: "ok", QuoteStatus.EXPIRED: ""}


def _badge(quote: Quote) -> Badge:
    status = QuoteStatus(quote.status_at(clock.now()))
    return Badge(status.label, _TONES[status])


def _title(quote: Quote) -> str:
    return f"{quote.sell.format()} for {quote.buy.format()}"


def _rate(quote: Quote) -> str:
    return f"1 {quote.sell_currency} = {plain(quote.rate)} {quote.buy_currency}"


@register(Quote)
class QuoteAdmin(ModelAdmin):
    """All quotes, newest first, in words."""

    path, title, group, icon, nav_order = "quotes", "Exchange quotes", "Money", "arrow-left-right", 65
    summary = "Terms that customers were given: good for seconds, and for one exchange"
    related = ("customer", "partner", "sell_wallet", "buy_wallet", "exchange__transaction")
    list_order = ("-created_at", "-id")
    search_by = ("public_id", "customer__public_id")
    search_hint = "quo_ or cus_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="used", title="Used", condition=Q(status=QuoteStatus.USED), counted=False),
        View(
            key="open",
            title="Open",
            condition=Q(status=QuoteStatus.OPEN, expires_at__gt=Now()),
            counted=False,
        ),
        View(
            key="expired",
            title="Expired",
            condition=Q(status=QuoteStatus.EXPIRED) | Q(status=QuoteStatus.OPEN, expires_at__lte=Now()),
            counted=False,
        ),
    )
    filters = (
        Text("sells", "Sells", lookup="sell_currency"),
        Text("buys", "Buys", lookup="buy_currency"),
        DateSpan("asked", "Asked", lookup="created_at"),
    )
    columns = (
        Column(title="Exchange", cell=lambda q: Main(_title(q), q.public_id, mono=True)),
        Column(title="Customer", cell=lambda q: customer_link(q.customer), width="m", hide="s"),
        Column(title="Rate", cell=_rate, width="l", hide="m"),
        Column(title="Spread", cell=lambda q: q.spread_percent, width="s", right=True, hide="m"),
        Column(title="Status", cell=_badge, width="s"),
        Column(title="Asked", cell=lambda q: When(q.created_at), width="m", right=True),
    )
    empty = ("No quotes yet", "Partners ask for them through the API.")

    def object_title(self, obj: Any) -> str:
        """Return what is exchanged for what."""
        return _title(obj)

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the terms in words, what came of it and its entries, and whose it is."""
        del request
        made = getattr(obj, "exchange", None)
        spread = Money(obj.spread_minor, obj.sell_currency)
        terms: list[tuple[str, object]] = [
            ("The customer gives", Amount(obj.sell)),
            ("The customer gets", Amount(obj.buy)),
            ("At the rate", _rate(obj)),
            ("Mid rate before the spread", plain(obj.mid)),
            ("Spread", f"{obj.spread_percent}, which is {spread.format()} of what is given"),
            ("Fixed by the customer", obj.get_side_display()),
            ("Mid rate from", obj.rate_source),
            ("Mid rate of", When(obj.rate_valid_at)),
        ]
        life: list[tuple[str, object]] = [
            # To the second: a quote lives for half a minute.
            ("Asked", stamp(obj.created_at)),
            ("Good until", stamp(obj.expires_at)),
            ("Used", stamp(obj.used_at) if obj.used_at else ""),
            ("Exchange", Code(made.public_id if made else "")),
            ("Transaction", _transaction(made)),
        ]
        whose: list[tuple[str, object]] = [
            ("Customer", customer_link(obj.customer)),
            ("Partner", obj.partner.name),
            ("From wallet", wallet_link(obj.sell_wallet)),
            ("To wallet", wallet_link(obj.buy_wallet)),
            ("Id", Code(obj.public_id)),
        ]
        return [
            facts_panel("Terms", terms, two=True),
            *([entries_panel(made.transaction_id)] if made else []),
            facts_panel("Life", life, side=True),
            facts_panel("Whose", whose, side=True),
        ]


def _transaction(made: Any) -> object:
    if made is None:
        return ""
    href = reverse("admin:ledger_ledgertransaction_change", args=[made.transaction.public_id])
    return Link(made.transaction.public_id, href, mono=True)


class SpreadForm(forms.Form):
    """What exchanges cost."""

    spread_bp = forms.IntegerField(
        label="Spread in hundredths of a percent",
        min_value=0,
        max_value=SPREAD_BP_MAX,
        widget=forms.NumberInput({"class": "input"}),
        help_text="100 is one percent: of 100.00 EUR sold, 1.00 EUR is ours. Quotes that are out keep theirs.",
    )


@action(
    name="partner.set_spread",
    model=Partner,
    permission="wallets.set_spread",
    label="Set exchange spread",
    title=lambda partner: f"What do customers of {partner.name} pay on exchanges?",
    text=lambda partner: f"Now {spread_of(partner.pk) / 100:.2f} %.",
    reasons=(("CONTRACT", "As agreed with the partner"), ("MARKET", "The market has changed")),
    form=SpreadForm,
    done="The spread is set; new quotes use it.",
    icon="arrow-left-right",
    # The row of the spread is not the partner's: what the form saw is the spread itself.
    version=lambda partner: f"spread:{spread_of(partner.pk)}",
)
def _set_spread(call: ActionCall, partner: Partner) -> None:
    set_spread(
        partner_id=partner.pk,
        spread_bp=call.data["spread_bp"],
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


def _find(term: str, _person: Any) -> Any:
    for quote in Quote.objects.filter(public_id=term):
        href = reverse("admin:wallets_quote_change", args=[quote.public_id])
        yield Found(title=_title(quote), meta=quote.public_id, href=href)


SEARCH.register("wallets.quotes")(
    SimpleSource(
        title="Exchange quotes",
        icon="arrow-left-right",
        permission="wallets.view_quote",
        find=_find,
        wants=lambda term: is_id(term, "quo"),
        order=35,
    )
)
say("quote.create", "Exchange quoted", "arrow-left-right")
say("exchange.create", "Money exchanged", "arrow-left-right", "ok")
say("partner.set_spread", "Exchange spread set", "arrow-left-right")
