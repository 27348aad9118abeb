"""The caps of write-offs by one person: the list of all that were set, and the button that asks for others."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest

from flowlet.backoffice.actions import ACTIONS, ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Main, When
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.core.money import Money
from ledger.admin_parts import amount_cell
from ledger.models.currencies import Currency
from ledger.models.matching import WriteOffRule
from ledger.operations.break_approvals import ask_to_set_rule

_ASK = "ledger.write_off_break"
_LARGEST = Decimal(1_000_000)
# Where no book has named a currency of its own, caps are asked for in this one first.
_USUAL = "EUR"


@register(WriteOffRule)
class WriteOffRuleAdmin(ModelAdmin):
    """Every rule that was set; of each currency the latest counts."""

    path, title, group, icon, nav_order = (
        "ledger/write-off-rules",
        "Write-off rules",
        "Reconciliation",
        "settings",
        81,
    )
    summary = "How much one person may write off; the latest rule of a currency counts"
    list_order = ("-set_at", "-pk")
    detail = False
    columns = (
        Column(title="Currency", cell=lambda r: Main(r.currency, "")),
        Column(
            title="Per break",
            cell=lambda r: amount_cell(r.cap_break_minor, r.currency),
            width="m",
            right=True,
        ),
        Column(
            title="Per day", cell=lambda r: amount_cell(r.cap_day_minor, r.currency), width="m", right=True
        ),
        Column(title="Set", cell=lambda r: When(r.set_at), width="m", right=True),
    )
    empty = ("No rules yet", "Without a rule every write-off needs a second person.")

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the button that asks for a rule in each currency that has one, and in the usual one."""
        if not person_of(request).may(_ASK):
            return []
        known = Q(code__in=WriteOffRule.objects.values("currency")) | Q(code=_USUAL)
        asked = Currency.objects.filter(known).order_by("code")
        known_action = ACTIONS.get("write_off_rule.ask")
        return [
            Button(label=f"Set caps in {one.code}…", href=known_action.href(one, request.path), dialog=True)
            for one in asked
        ]


class CapsForm(forms.Form):
    """Both caps, as people write them."""

    cap_break = forms.DecimalField(
        label="Per break",
        min_value=0,
        max_value=_LARGEST,
        widget=forms.NumberInput(attrs={"class": "input", "step": "any"}),
    )
    cap_day = forms.DecimalField(
        label="Per day",
        min_value=0,
        max_value=_LARGEST,
        widget=forms.NumberInput(attrs={"class": "input", "step": "any"}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a day's cap below that of a single break."""
        found = super().clean() or {}
        if found.get("cap_break", 0) > found.get("cap_day", 0):
            self.add_error("cap_day", "The cap of a day cannot be below that of one break.")
        return found


@action(
    name="write_off_rule.ask",
    model=Currency,
    permission=_ASK,
    label="Set caps",
    title=lambda currency: f"How much may one person write off in {currency.code}?",
    text="A second person has to agree. Above the caps every write-off needs two people.",
    reasons=(
        ("NEW_RULE", "There is no rule yet"),
        ("REVIEW", "Regular review"),
        ("INCIDENT", "After an incident"),
    ),
    note="required",
    form=CapsForm,
    lookup="code",
    button=False,
    done="A second person was asked.",
)
def _ask(call: ActionCall, currency: Currency) -> None:
    code = currency.code
    ask_to_set_rule(
        cap_break=Money.parse(f"{call.data['cap_break']:f}", code),
        cap_day=Money.parse(f"{call.data['cap_day']:f}", code),
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )
