"""Limits by tier: the list of all rules, a page for each, and the buttons that ask a second person for another."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Main
from flowlet.backoffice.filters import Choice, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, say, timeline_panel
from flowlet.core.currencies import EXPONENTS
from flowlet.identity.choices import Tier
from flowlet.identity.models import Partner
from wallets.choices import LimitInterval, LimitKind
from wallets.models import LimitRule
from wallets.operations.limit_rules import RuleKey, ask_to_set_limit, key_of

_ASK = "wallets.change_limitrule"
_LARGEST = Decimal(1_000_000_000)
_REASONS = (
    ("REGULATION", "A law or an authority asks for it"),
    ("RISK_REVIEW", "After a review of the risk"),
    ("CONTRACT", "As agreed with the partner"),
    ("INCIDENT", "After an incident"),
)


def _what(rule: LimitRule) -> str:
    return f"{rule.get_kind_display()}, {rule.get_interval_display().lower()}"


def _for_whom(rule: LimitRule) -> str:
    return rule.partner.name if rule.partner else "All partners"


def _limit(rule: LimitRule) -> str:
    return key_of(rule).amount_of(rule.amount_minor)


@register(LimitRule)
class LimitRuleAdmin(ModelAdmin):
    """Every limit that binds now; a partner's goes before the general one, a currency's before that of the rest."""

    path, title, group, icon, nav_order = "limits", "Limits", "Money", "scale", 55
    summary = "How much customers of each tier may move and hold"
    related = ("partner",)
    lookup = "pk"
    list_order = ("pk",)
    views = (
        View(key="all", title="All", counted=False),
        View(key="partners", title="Of one partner", condition=Q(partner__isnull=False), counted=False),
    )
    filters = (
        Choice("tier", "Tier", tuple(Tier.choices)),
        Choice("kind", "What", tuple(LimitKind.choices)),
        Choice("interval", "Over", tuple(LimitInterval.choices)),
        Text("currency", "Currency"),
    )
    columns = (
        Column(title="Limit for", cell=lambda r: Main(_what(r), f"{r.get_tier_display()} tier")),
        Column(title="Partner", cell=_for_whom, width="m", hide="s"),
        Column(title="Currency", cell=lambda r: r.currency or "Any other", width="s"),
        Column(title="At most", cell=_limit, width="l", right=True),
    )
    empty = ("No limits", "Without a rule there is no limit.")

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """
        Return the rule.

        :raises Http404: if there is none of that number
        """
        if not (object_id.isascii() and object_id.isdecimal()):
            raise Http404
        return super().find(request, object_id)

    def object_title(self, obj: Any) -> str:
        """Return what is limited."""
        return _what(obj)

    def object_summary(self, obj: Any) -> str:
        """Return whom it binds."""
        return f"{obj.get_tier_display()} tier · {_for_whom(obj)} · {obj.currency or 'any other currency'}"

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the limit and who set it when."""
        facts: list[tuple[str, object]] = [
            ("At most", _limit(obj)),
            ("Counts", obj.get_interval_display()),
            ("Tier", obj.get_tier_display()),
            ("Partner", _for_whom(obj)),
            ("Currency", obj.currency or "Any that has no limit of its own"),
        ]
        subject = Subject(object_type="limit_rule", object_id=key_of(obj).text)
        return [facts_panel("Limit", facts, two=True), timeline_panel(subject, person_of(request))]


def _amount_field() -> forms.DecimalField:
    return forms.DecimalField(
        label="At most",
        min_value=0,
        max_value=_LARGEST,
        widget=forms.NumberInput({"class": "input", "step": "any"}),
        help_text="0 lets nothing pass.",
    )


class AmountForm(forms.Form):
    """The new figure."""

    amount = _amount_field()


def _select(label: str, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.Select({"class": "input"}), **options)


class PartnerLimitForm(forms.Form):
    """A whole rule for one partner."""

    tier = _select("Tier", Tier.choices)
    kind = _select("What", LimitKind.choices)
    interval = _select("Over", LimitInterval.choices)
    currency = _select(
        "Currency",
        (("", "Any that has no limit of its own"), *((code, code) for code in sorted(EXPONENTS))),
        required=False,
    )
    amount = _amount_field()


_DONE = "A second person is asked to agree to the limit."


@action(
    name="limit_rule.ask",
    model=LimitRule,
    permission=_ASK,
    label="Change",
    title=lambda rule: f"{_what(rule)}, {rule.get_tier_display().lower()} tier: how much?",
    text=lambda rule: (
        f"Now {_limit(rule)}. A second person must agree; then the next movement is measured by it."
    ),
    reasons=_REASONS,
    note="required",
    form=AmountForm,
    lookup="pk",
    icon="scale",
    done=_DONE,
)
def _ask(call: ActionCall, rule: LimitRule) -> None:
    _ask_for(call, key_of(rule))


@action(
    name="partner.ask_limit",
    model=Partner,
    permission=_ASK,
    label="Set a limit",
    title=lambda partner: f"What may customers of {partner.name} move?",
    text="It goes before the limit for all partners. A second person must agree; then the next movement is measured by it.",
    reasons=_REASONS,
    note="required",
    form=PartnerLimitForm,
    icon="scale",
    done=_DONE,
)
def _ask_for_partner(call: ActionCall, partner: Partner) -> None:
    names = ("tier", "kind", "interval", "currency")
    _ask_for(call, RuleKey(**{name: call.data[name] for name in names}, partner=partner.public_id))


def _ask_for(call: ActionCall, key: RuleKey) -> None:
    ask_to_set_limit(
        key=key,
        amount_minor=key.minor_of(call.data["amount"]),
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


say("limit_rule.set", "Limit of customers set", "scale")
