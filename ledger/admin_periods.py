"""The months of the books: how each stands, the checklist of its close, and its closings."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Day, Link, Main, Part, Tone, When
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.core import clock
from ledger.admin_actors import actor_words
from ledger.admin_parts import Sum
from ledger.choices import PeriodStatus
from ledger.models.periods import Period, PeriodClosing, PeriodTotal
from ledger.operations import periods
from ledger.queries.periods import StepState, checklist

_TONES: dict[str, Tone] = {PeriodStatus.OPEN: "ok", PeriodStatus.CLOSING: "warn", PeriodStatus.CLOSED: ""}
_SHOWN = 3
_REOPEN_REASONS = (
    ("LATE_BANK_FILE", "A bank's file came late"),
    ("MISTAKE", "A mistake must be put right in this month"),
    ("AUDIT", "The auditors ask for it"),
)


def _badge(period: Period) -> Badge:
    title = "Closed softly" if period.soft else period.get_status_display()
    return Badge(title, _TONES[period.status])


@register(Period)
class PeriodAdmin(ModelAdmin):
    """All periods, newest first."""

    path, title, group, icon, nav_order = "ledger/periods", "Periods", "Books", "calendar", 75
    summary = "The months of the books: closed ones take no posting any more"
    related = ("reopen_approval",)
    list_order = ("-first_date", "-pk")
    views = (
        View(key="all", title="All", counted=False),
        View(key="open", title="Not closed", condition=~Q(status=PeriodStatus.CLOSED)),
    )
    columns = (
        Column(title="Month", cell=lambda p: Main(str(p), p.public_id, mono=True)),
        Column(title="From", cell=lambda p: Day(p.first_date), width="m", hide="s"),
        Column(title="To", cell=lambda p: Day(p.last_date), width="m", hide="s"),
        Column(title="Closed", cell=lambda p: f"{p.version} times" if p.version > 1 else "", width="m"),
        Column(title="Status", cell=_badge, width="m"),
    )
    empty = ("No periods yet", "A job makes them each night, three months ahead.")

    def object_title(self, obj: Any) -> str:
        """Return the month."""
        return str(obj)

    def object_summary(self, obj: Any) -> str:
        """Return its dates and id."""
        return f"{obj.first_date:%-d %b %Y} to {obj.last_date:%-d %b %Y} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the status."""
        return [_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the month's trial balance."""
        del request
        query = urlencode({"as_of": obj.last_date.isoformat()})
        href = f"{reverse('admin:ledger_trial_balance')}?{query}"
        return [Button(label="Trial balance", href=href, icon="scale")]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the checklist, the totals of the latest closing, and what the period is."""
        del request
        closings = list(PeriodClosing.objects.filter(period=obj).order_by("-version"))
        names = actor_words([obj.changed_by, *(closing.actor for closing in closings[:_SHOWN])])
        facts: list[tuple[str, object]] = [
            ("Status", _badge(obj)),
            ("Latest change", When(obj.changed_at)),
            ("By", names[obj.changed_by]),
            ("Attempts to close", f"{obj.attempt:,}"),
            *_reopened(obj),
            ("Id", Code(obj.public_id)),
        ]
        return [
            _checklist_panel(obj),
            *([_totals_panel(obj, closings[0])] if closings else []),
            facts_panel("Period", facts, side=True),
            *(_closing_panel(closing, names[closing.actor]) for closing in closings[:_SHOWN]),
        ]


def _reopened(period: Period) -> list[tuple[str, object]]:
    approval = period.reopen_approval
    if approval is None:
        return []
    href = reverse("admin:backoffice_approval_change", args=[approval.public_id])
    return [("Opened again by", Link(approval.public_id, href, mono=True))]


def _checklist_panel(period: Period) -> Panel:
    states = checklist(period, clock.now())
    done = sum(state.done for state in states)
    return table_panel(
        "Checklist of the close",
        columns=(
            Column(title="Step", cell=_step),
            Column(title="State", cell=_state, width="m"),
            Column(title="Done", cell=lambda s: When(s.done_at) if s.done_at else "", width="m", hide="s"),
        ),
        rows=states,
        note=_checklist_note(period, states, done),
    )


def _checklist_note(period: Period, states: Sequence[StepState], done: int) -> str:
    if period.status == PeriodStatus.CLOSED:
        return "All done"
    if period.status == PeriodStatus.CLOSING:
        rest = "waits until it is closed for good" if period.soft else "a job goes on by itself"
        return f"{done} of {len(states)} done; {rest}"
    return "What stands against a close now"


def _step(state: StepState) -> Part:
    more = len(state.points) - 1
    tail = f" and {more:,} more" if more > 0 else ""
    return Main(state.title, f"{state.points[0]}{tail}" if state.points else state.result)


def _state(state: StepState) -> Badge:
    if state.done:
        return Badge("Done", "ok")
    return Badge("Open", "warn") if state.points else Badge("Ready", "")


def _totals_panel(period: Period, closing: PeriodClosing) -> Panel:
    totals = PeriodTotal.objects.filter(period=period, version=closing.version).select_related(
        "chart_account"
    )
    rows = list(totals.order_by("currency", "chart_account__number", "pk"))
    return table_panel(
        f"Totals of closing {closing.version}",
        columns=(
            Column(title="Heading", cell=lambda t: Main(str(t.chart_account), t.currency)),
            Column(title="Debit", cell=lambda t: Sum(t.debit, t.currency), width="l", right=True, hide="m"),
            Column(title="Credit", cell=lambda t: Sum(t.credit, t.currency), width="l", right=True, hide="m"),
            Column(
                title="Closing, debit > 0", cell=lambda t: Sum(t.closing, t.currency), width="l", right=True
            ),
        ),
        rows=rows,
        note="The month's turnover, and all that was booked up to its last day",
        empty=("Nothing was booked", "The month closed empty."),
    )


def _closing_panel(closing: PeriodClosing, name: str) -> Panel:
    facts: list[tuple[str, object]] = [
        ("Closed", When(closing.closed_at)),
        ("Close begun by", name),
        ("Postings in the month", f"{closing.postings:,}"),
        ("Digest", Code(bytes(closing.digest).hex()[:16])),
        ("Sealed in block", f"{closing.block_n:,}"),
    ]
    return facts_panel(f"Closing {closing.version}, how", facts, side=True)


@action(
    name="ledger_period.begin_close",
    model=Period,
    permission="ledger.close_period",
    label="Close",
    title=lambda p: f"Close {p}?",
    text="Ordinary postings into the month stop at once. The steps of the checklist are then done one after the other.",
    done=lambda p: f"{p} is being closed.",
    reason=False,
    note="none",
    available=lambda p: p.status == PeriodStatus.OPEN and p.last_date < clock.now().date(),
    primary=True,
    icon="lock",
)
def _begin(call: ActionCall, period: Period) -> None:
    periods.begin_close(period_id=period.pk, now=call.now)


@action(
    name="ledger_period.begin_soft_close",
    model=Period,
    permission="ledger.close_period",
    label="Close softly",
    title=lambda p: f"Close {p} softly?",
    text="Ordinary postings into the month stop at once. Journals that two people agree on go on, until you close it for "
    "good or open it again.",
    done=lambda p: f"{p} is closed softly.",
    reason=False,
    note="none",
    available=lambda p: p.status == PeriodStatus.OPEN and p.last_date < clock.now().date(),
    icon="lock",
)
def _begin_soft(call: ActionCall, period: Period) -> None:
    periods.begin_close(period_id=period.pk, soft=True, now=call.now)


@action(
    name="ledger_period.close_for_good",
    model=Period,
    permission="ledger.close_period",
    label="Close for good",
    title=lambda p: f"Close {p} for good?",
    text="The steps of the checklist are done one after the other; then nothing is posted into the month any more.",
    done=lambda p: f"{p} is being closed for good.",
    reason=False,
    note="none",
    available=lambda p: p.soft,
    primary=True,
    icon="lock",
)
def _close_for_good(call: ActionCall, period: Period) -> None:
    periods.close_for_good(period_id=period.pk, now=call.now)


@action(
    name="ledger_period.stop_close",
    model=Period,
    permission="ledger.close_period",
    label="Stop the close",
    title=lambda p: f"Stop closing {p}?",
    text="The month is open again. The next attempt does all steps once more.",
    done=lambda p: f"{p} is open again.",
    reason=False,
    note="none",
    available=lambda p: p.status == PeriodStatus.CLOSING,
    danger=True,
    icon="lock-open",
)
def _stop(call: ActionCall, period: Period) -> None:
    periods.stop_close(period_id=period.pk, now=call.now)


@action(
    name="ledger_period.ask_reopen",
    model=Period,
    permission="ledger.reopen_period",
    label="Open again",
    title=lambda p: f"Ask to open {p} again?",
    text="A second person must agree. Its closings are kept; the next close makes a new version.",
    done="A second person is asked to agree.",
    reasons=_REOPEN_REASONS,
    note="required",
    available=lambda p: p.status == PeriodStatus.CLOSED,
    danger=True,
    icon="lock-open",
)
def _ask_reopen(call: ActionCall, period: Period) -> None:
    periods.ask_reopen(
        period_id=period.pk,
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )
