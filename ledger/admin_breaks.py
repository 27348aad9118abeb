"""Breaks and matches: lists, pages, and the buttons that take, explain, settle, write off and undo."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Due, Link, Main, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import FORMATTERS, Sentence, Subject, timeline_panel
from flowlet.core import clock
from flowlet.core.money import Money
from ledger.admin_bank_parts import line_facts, line_href
from ledger.admin_workbench import workbench_href
from ledger.choices_matching import LIVE_STATES, BreakKind, BreakReason, BreakState
from ledger.models.matching import Break
from ledger.operations import breaks
from ledger.operations.break_approvals import ask_to_rebook, ask_to_write_off, asked_for
from ledger.queries.breaks import age_text

WORK, WRITE = "ledger.work_break", "ledger.write_off_break"
_TONES: dict[str, Tone] = {
    BreakState.OPEN: "warn",
    BreakState.EXPLAINED: "info",
    BreakState.RESOLVED: "ok",
    BreakState.WRITTEN_OFF: "",
}
_LIVE = Q(state__in=LIVE_STATES)
_DUE_FIRST = ("due_at", "pk")
_YOUNG, _OLD = 5, 30


def break_href(found: Break) -> str:
    """Return the address of a break's page."""
    return reverse("admin:ledger_break_change", args=[found.public_id])


def state_badge(found: Break) -> Badge:
    """Return the state of a break as a badge."""
    return Badge(found.get_state_display(), _TONES[found.state])


def _amount(found: Break) -> Amount:
    return Amount(Money(found.amount_minor, found.currency), signed=True)


def _age(found: Break) -> object:
    if found.state not in LIVE_STATES:
        return ""
    today = clock.now().date()
    days = (today - found.since).days
    tone: Tone = "" if days <= 1 else "info" if days <= _YOUNG else "warn" if days <= _OLD else "bad"
    return Badge(age_text(found.since, today), tone)


def _about(found: Break) -> str:
    if found.line is not None:
        return f"{found.line.bank_account.name}, booked {found.line.booking_date:%-d %b %Y}"
    if found.posting is not None:
        return f"{words(found.posting.transaction.kind)}, {found.posting.transaction.source_key}"
    return f"Client money of {found.since:%-d %b %Y}"


def _owner(found: Break) -> str:
    return found.owner.full_name if found.owner else "Nobody"


def _older_than(days: int) -> Q:
    return Q(since__lt=timezone.localdate() - timedelta(days=days))


@register(Break)
class BreakAdmin(ModelAdmin):
    """What bank and books do not agree on, first due first."""

    path, title, group, icon, nav_order = "ledger/breaks", "Breaks", "Reconciliation", "circle-alert", 77
    summary = "What bank and books do not agree on, until somebody explains or settles it"
    related = ("line__bank_account", "posting__transaction", "owner", "proof", "booking")
    list_order = ("-opened_at", "-pk")
    search_by = ("public_id", "line__public_id", "posting__transaction__source_key")
    search_hint = "brk_ or bln_ id, or the id of the cause"
    views = (
        View(key="live", title="Open", condition=_LIVE, order=_DUE_FIRST),
        View(key="unexplained", title="Not explained", condition=Q(state=BreakState.OPEN), order=_DUE_FIRST),
        View(key="explained", title="Explained", condition=Q(state=BreakState.EXPLAINED), order=_DUE_FIRST),
        View(key="closed", title="Closed", condition=~_LIVE, counted=False),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("kind", "What", tuple(BreakKind.choices)),
        Text("currency", "Currency"),
        DateSpan("since", "Since", lookup="since"),
    )
    columns = (
        Column(title="Break", cell=lambda b: Main(b.get_kind_display(), _about(b))),
        Column(title="Age", cell=_age, width="s", order="since"),
        Column(
            title="Due",
            cell=lambda b: Due(b.due_at, clock.now()) if b.state in LIVE_STATES else When(b.closed_at),
            width="m",
            hide="s",
        ),
        Column(title="Owner", cell=_owner, width="m", hide="m"),
        Column(title="State", cell=state_badge, width="s"),
        Column(title="Amount", cell=_amount, width="m", right=True),
    )
    empty = ("No breaks", "Bank and books agree on everything.")

    def object_title(self, obj: Any) -> str:
        """Return what it is, and how much."""
        return f"{obj.get_kind_display()}: {Money(obj.amount_minor, obj.currency).format()}"

    def object_summary(self, obj: Any) -> str:
        """Return what it is about."""
        return f"{_about(obj)} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return state and age."""
        waits = obj.state in LIVE_STATES and asked_for(obj.public_id)
        return [state_badge(obj), _age(obj), *([Badge("Waits for a second person", "wait")] if waits else [])]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the workbench, for a line."""
        if (
            obj.line is None
            or obj.state not in LIVE_STATES
            or not person_of(request).may("ledger.view_workbench")
        ):
            return []
        href = workbench_href(line=obj.line.public_id)
        return [Button(label="Find its match", href=href, icon="arrow-left-right", key="b")]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what it is about, what was done, and who works on it."""
        return [
            facts_panel("What it is about", _about_facts(obj)),
            timeline_panel(Subject(object_type="break", object_id=obj.public_id), person_of(request)),
            facts_panel("Work", _work_facts(obj), side=True),
        ]


def _about_facts(obj: Break) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [("Amount", _amount(obj)), ("Since", Day(obj.since))]
    if obj.line is not None:
        facts += [
            ("Bank account", str(obj.line.bank_account)),
            ("Line", Link(obj.line.public_id, line_href(obj.line), mono=True)),
            *line_facts(obj.line),
            ("From or to", obj.line.counterparty_name or ""),
            ("Text", obj.line.text or ""),
            ("References", Code(obj.line.end_to_end_id or obj.line.bank_reference)),
        ]
    if obj.booking is not None:
        facts.append(("Its money waits in", _transaction_link(obj.booking.public_id)))
    if obj.posting is not None:
        facts += [
            ("Booking", _transaction_link(obj.posting.transaction.public_id)),
            ("Cause", Code(obj.posting.transaction.source_key)),
        ]
    if obj.proof is not None:
        href = reverse("admin:ledger_safeguardingproof_change", args=[obj.proof.public_id])
        facts.append(("Proof", Link(obj.proof.public_id, href, mono=True)))
    return facts


def _transaction_link(public_id: str) -> Link:
    return Link(public_id, reverse("admin:ledger_ledgertransaction_change", args=[public_id]), mono=True)


def _work_facts(obj: Break) -> list[tuple[str, object]]:
    return [
        ("Owner", _owner(obj)),
        ("Due", When(obj.due_at)),
        ("Reason", obj.get_reason_display() if obj.reason else ""),
        ("Note", obj.note),
        ("Closed", When(obj.closed_at)),
        ("By", Code(obj.closed_by) if obj.closed_by else ""),
    ]


def _is_live(found: Break) -> bool:
    return found.state in LIVE_STATES


def _has_line(found: Break) -> bool:
    return _is_live(found) and found.line_id is not None


def _may_write_off(found: Break) -> bool:
    return _is_live(found) and found.kind != BreakKind.SHORTFALL


_REASONS = tuple(
    (code.value, code.label)
    for code in BreakReason
    if code not in (BreakReason.MATCHED, BreakReason.MATCH_UNDONE)
)


@action(
    name="break.take",
    model=Break,
    permission=WORK,
    label="Take",
    title=lambda found: f"Take the break over {Money(found.amount_minor, found.currency).format()}?",
    text="Others see that you work on it.",
    reason=False,
    note="none",
    available=_is_live,
    key="t",
    order=10,
    done="The break is yours.",
    next_href=lambda _call, found: break_href(found),
)
def _take(call: ActionCall, found: Break) -> None:
    breaks.take_break(break_id=found.public_id, owner_id=call.person.user.pk, now=call.now)


class ExplainForm(forms.Form):
    """Until when the explanation holds."""

    due = forms.DateField(
        label="Settled by", widget=forms.DateInput(attrs={"type": "date", "class": "input"})
    )


@action(
    name="break.explain",
    model=Break,
    permission=WORK,
    label="Explain",
    title="Why is it there?",
    text="An explained break stays open, but does not stop the close of a period.",
    reasons=_REASONS,
    note="required",
    form=ExplainForm,
    available=_is_live,
    key="e",
    order=20,
    done="Explained.",
    next_href=lambda _call, found: break_href(found),
)
def _explain(call: ActionCall, found: Break) -> None:
    due = datetime.combine(call.data["due"], time(17), tzinfo=timezone.get_current_timezone())
    breaks.explain_break(
        break_id=found.public_id, reason=BreakReason(call.reason), note=call.note, due_at=due, now=call.now
    )


class AccountForm(forms.Form):
    """The account that takes the money."""

    account = forms.CharField(
        label="Account (acc_ id)", max_length=40, widget=forms.TextInput(attrs={"class": "input"})
    )


@action(
    name="break.rebook",
    model=Break,
    permission=WORK,
    label="Book to an account",
    title="To whom does the money belong?",
    text="A second person has to agree; then it is booked from where it waits to that account.",
    reasons=_REASONS,
    note="required",
    form=AccountForm,
    available=_has_line,
    order=30,
    done="A second person was asked.",
    next_href=lambda _call, found: break_href(found),
)
def _rebook(call: ActionCall, found: Break) -> None:
    ask_to_rebook(
        break_id=found.public_id,
        account_id=call.data["account"].strip(),
        maker_id=call.person.user.pk,
        reason=BreakReason(call.reason),
        note=call.note,
        now=call.now,
    )


@action(
    name="break.resolve",
    model=Break,
    permission=WORK,
    label="Resolve",
    title="Is it settled?",
    text="For a posting that was settled elsewhere, or a shortfall that was made up. Nothing is booked.",
    reasons=_REASONS,
    note="required",
    available=lambda found: _is_live(found) and found.line_id is None,
    key="r",
    order=40,
    done="Resolved.",
    next_href=lambda _call, found: break_href(found),
)
def _resolve(call: ActionCall, found: Break) -> None:
    breaks.resolve_break(
        break_id=found.public_id, reason=BreakReason(call.reason), note=call.note, now=call.now
    )


@action(
    name="break.write_off",
    model=Break,
    permission=WRITE,
    label="Write off",
    title=lambda found: f"Write {Money(abs(found.amount_minor), found.currency).format()} off?",
    text="Within the rule of the currency this is booked at once, as a cost or a gain of the house.",
    reasons=_REASONS,
    available=_may_write_off,
    danger=True,
    order=60,
    done="Written off.",
    next_href=lambda _call, found: break_href(found),
)
def _write_off(call: ActionCall, found: Break) -> None:
    breaks.write_off(break_id=found.public_id, reason=BreakReason(call.reason), now=call.now)


@action(
    name="break.ask_write_off",
    model=Break,
    permission=WORK,
    label="Ask to write off",
    title=lambda found: f"Ask to write {Money(abs(found.amount_minor), found.currency).format()} off?",
    text="A second person decides, whatever the amount.",
    reasons=_REASONS,
    note="required",
    available=_may_write_off,
    order=70,
    done="A second person was asked.",
    next_href=lambda _call, found: break_href(found),
)
def _ask_write_off(call: ActionCall, found: Break) -> None:
    ask_to_write_off(
        break_id=found.public_id,
        maker_id=call.person.user.pk,
        reason=BreakReason(call.reason),
        note=call.note,
        now=call.now,
    )


for _name, _sentence in {
    "break.take": Sentence(text="Break taken", icon="user"),
    "break.explain": Sentence(text="Break explained", icon="info", tone="info"),
    "break.reason": Sentence(text="Reason found by matching", icon="info"),
    "break.close": Sentence(text="Break closed", icon="shield-check", tone="ok"),
}.items():
    FORMATTERS.register(_name)(lambda _record, sentence=_sentence: sentence)
