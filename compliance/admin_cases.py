"""The queue of cases and the page of one: what was found, on which movements, what people did, and the decision."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from compliance import queries_cases as queries
from compliance.choices_monitoring import (
    OPEN_STATES,
    CaseEventKind,
    CaseOutcome,
    CaseReason,
    CaseState,
    DismissReason,
    Severity,
)
from compliance.models.cases import Case, CaseEvent
from compliance.models.monitoring import Activity, Alert
from compliance.operations.cases_deciding import case_href
from compliance.queries_monitoring import source_title
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Due, Link, Main, Tone, When, words
from flowlet.backoffice.filters import Applied, Choice, DateSpan, Params
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.models import ApprovalStatus
from flowlet.backoffice.pages.approvals import approval_href
from flowlet.backoffice.pages.drafts import draft_href
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Entry
from flowlet.core import clock
from flowlet.core.countries import NAMES
from flowlet.core.money import Money

VIEW, WORK = "compliance.view_case", "compliance.work_case"
SEVERITY_TONES: dict[str, Tone] = {Severity.HIGH: "bad", Severity.MEDIUM: "warn", Severity.LOW: "info"}
STATE_TONES: dict[str, Tone] = {
    CaseState.OPEN: "info",
    CaseState.INVESTIGATING: "info",
    CaseState.WAITING: "wait",
    CaseState.PROPOSED: "wait",
    CaseState.CLOSED_CONFIRMED: "bad",
    CaseState.CLOSED_REFUTED: "ok",
}
_SHORT_STATES: dict[str, str] = {
    CaseState.PROPOSED: "Proposed",
    CaseState.CLOSED_CONFIRMED: "Confirmed",
    CaseState.CLOSED_REFUTED: "Refuted",
    CaseState.CLOSED_INCONCLUSIVE: "Inconclusive",
}
EVIDENCE_SHOWN = 200
_PENDING = Q(state__in=OPEN_STATES)
_DUE_FIRST = ("due_at", "pk")
_IN_WORK = (CaseState.OPEN, CaseState.INVESTIGATING, CaseState.WAITING)
DRAFT = "case_summary"  # the kind of draft, see flowlet.backoffice.drafting


def state_badge(case: Case) -> Badge:
    """Return the state of a case in one or two words."""
    label = _SHORT_STATES.get(case.state, case.get_state_display())
    return Badge(label, STATE_TONES.get(case.state, ""))


def severity_badge(severity: str) -> Badge:
    """Return a severity as a badge."""
    return Badge(Severity(severity).label, SEVERITY_TONES[severity])


def queue_href() -> str:
    """Return the address of the queue."""
    return reverse("admin:compliance_case_changelist")


def due_cell(case: Case, now: datetime) -> object:
    """Return the time left of an open case; the clock of one that waits stands still."""
    if case.state == CaseState.WAITING:
        return "Clock stopped"
    return Due(case.due_at, now) if case.state in OPEN_STATES else When(case.closed_at)


def _customer_cell(case: Case) -> Main:
    return Main(case.customer.name, case.title)


def _assignee_cell(case: Case) -> str:
    return case.assignee.full_name or case.assignee.email if case.assignee else "Nobody"


class _Assignee:
    """Whether somebody took the case."""

    title, names = "Assignee", ("assignee",)

    def inputs(self, params: Params) -> Any:
        """Return one select."""
        return Choice("assignee", self.title, (("none", "Nobody"), ("some", "Somebody"))).inputs(params)

    def read(self, params: Params) -> Applied | None:
        """Return whether somebody took the case."""
        value = params.get("assignee", "")
        if not value:
            return None
        return Applied(Q(assignee__isnull=value == "none"), "Nobody" if value == "none" else "Somebody")


@register(Case)
class CaseAdmin(ModelAdmin):
    """Cases, first due first."""

    path, title, group, icon, nav_order = "cases", "Cases", "Compliance", "briefcase", 12
    summary = "Suspicions about a customer, from the first alert to the decision of two people"
    related = ("customer__partner", "assignee", "approval__maker")
    list_order = ("-opened_at", "-pk")
    search_by = ("public_id", "customer__public_id", "customer__name__icontains")
    search_hint = "Customer, or cas_ id"
    views = (
        View(key="open", title="All open", condition=_PENDING, order=_DUE_FIRST),
        View(key="overdue", title="Overdue", condition=_PENDING & Q(due_at__lt=Now()), order=_DUE_FIRST),
        View(key="new", title="Nobody took", condition=Q(state=CaseState.OPEN), order=_DUE_FIRST),
        View(key="waiting", title="Waiting", condition=Q(state=CaseState.WAITING), order=_DUE_FIRST),
        View(key="proposed", title="Proposed", condition=Q(state=CaseState.PROPOSED), order=_DUE_FIRST),
        View(key="closed", title="Closed", condition=Q(state__startswith="CLOSED_"), counted=False),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("severity", "Severity", tuple(Severity.choices)),
        Choice("state", "State", tuple(CaseState.choices)),
        _Assignee(),
        DateSpan("due", "Due", lookup="due_at"),
    )
    columns = (
        Column(title="Due", cell=lambda case: due_cell(case, clock.now()), width="m", order="due_at"),
        Column(title="Customer", cell=_customer_cell, order="customer__name"),
        Column(title="Alerts", cell=lambda case: f"{case.alert_count:,}", width="xs", right=True, hide="m"),
        Column(title="Severity", cell=lambda case: severity_badge(case.severity), width="s"),
        Column(title="Assignee", cell=_assignee_cell, width="l", hide="s"),
        Column(title="State", cell=state_badge, width="m"),
        Column(title="Opened", cell=lambda case: When(case.opened_at), width="m", right=True, hide="m"),
    )
    empty = ("No cases", "Monitoring has raised nothing that waits for a person.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all cases with the number of their alerts."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(alert_count=Count("links"))
        return rows

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return what waits, for the number in the side bar."""
        del person
        return queries.list_open_cases()

    def object_title(self, obj: Any) -> str:
        """Return whom it is about."""
        return str(obj.customer.name)

    def object_summary(self, obj: Any) -> str:
        """Return what was found, and the id."""
        return f"{obj.title} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return state, severity, and how urgent it is."""
        found: list[object] = [state_badge(obj), severity_badge(obj.severity)]
        return [*found, due_cell(obj, clock.now())] if obj.state in OPEN_STATES else found

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the customer, and to the request that waits."""
        person = person_of(request)
        found = []
        if obj.state in _IN_WORK and person.may(WORK):
            href = draft_href(DRAFT, obj.public_id)
            found.append(Button(label="Draft summary", href=href, icon="file-text"))
        if obj.state == CaseState.PROPOSED and obj.approval and person.may("backoffice.view_approval"):
            found.append(Button(label="Approval", href=approval_href(obj.approval), icon="users"))
        if person.may("identity.view_customer"):
            href = reverse("admin:identity_customer_change", args=[obj.customer.public_id])
            found.append(Button(label="Customer", href=href, icon="user"))
        return found

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return alerts, evidence and timeline; decision and customer on the right."""
        del request
        alerts = list(queries.list_alerts_of(obj))
        return [
            _alerts_panel(alerts),
            _evidence_panel(obj),
            _timeline_panel(obj),
            _decision_panel(obj),
            _customer_panel(obj),
        ]


def _alerts_panel(alerts: Sequence[Alert]) -> Panel:
    facts: list[tuple[str, object]] = [(source_title(alert.source), _alert_text(alert)) for alert in alerts]
    return facts_panel("What was found", facts, note="Amounts in US dollars at the rates of the house.")


def _alert_text(alert: Alert) -> str:
    dropped = (
        f" Dropped: {DismissReason(alert.dismiss_reason).label.lower()}." if alert.dismiss_reason else ""
    )
    return f"{alert.reason}{dropped}"


def _evidence_panel(case: Case) -> Panel:
    rows = list(queries.list_evidence_of(case)[: EVIDENCE_SHOWN + 1])
    more = f"The first {EVIDENCE_SHOWN} movements." if len(rows) > EVIDENCE_SHOWN else ""
    return table_panel(
        "Movements in evidence",
        columns=(
            Column(title="When", cell=lambda row: When(row.at), width="m"),
            Column(title="Other side", cell=other_side),
            Column(title="Amount", cell=signed_amount, width="m", right=True),
            Column(title="US dollars", cell=dollars_cell, width="m", right=True, hide="m"),
        ),
        rows=rows[:EVIDENCE_SHOWN],
        empty=("No movements", "The alerts of this case rest on no movement that stands."),
        note=more,
    )


def other_side(row: Activity) -> object:
    """Return who was on the other side of a movement, and what kind it was."""
    meta = " · ".join(part for part in (words(row.kind), NAMES.get(row.counterparty_country, "")) if part)
    if row.counterparty is not None:
        href = reverse("admin:identity_customer_change", args=[row.counterparty.public_id])
        return Main(row.counterparty.name, meta, href=href)
    return Main(row.get_channel_display(), meta)


def signed_amount(row: Activity) -> Amount:
    """Return the amount, below zero when money went out."""
    amount = Money(row.amount_minor, row.currency)
    return Amount(amount if row.side == "IN" else -amount, signed=True)


def dollars_cell(row: Activity) -> object:
    """Return the amount in dollars, or that no rate was known."""
    return "No rate" if row.reporting_minor is None else Amount(Money(row.reporting_minor, "USD"))


_EVENT_ICONS: dict[str, tuple[str, Tone]] = {
    CaseEventKind.OPENED: ("flag", "warn"),
    CaseEventKind.ALERT_ADDED: ("flag", "warn"),
    CaseEventKind.ALERT_GROWN: ("flag", ""),
    CaseEventKind.TAKEN: ("user", ""),
    CaseEventKind.WAITING: ("clock", ""),
    CaseEventKind.PROPOSED: ("users", "info"),
    CaseEventKind.RETURNED: ("history", "warn"),
    CaseEventKind.CLOSED: ("shield-check", "ok"),
}


def _timeline_panel(case: Case) -> Panel:
    lines = list(queries.list_events_of(case)[:100])
    ids = {str(line.data["alert"]) for line in lines if "alert" in line.data}
    sources = dict(Alert.objects.filter(public_id__in=ids).values_list("public_id", "source"))
    return Panel(
        title="Time line",
        template="backoffice/timeline.html",
        data={"entries": [_entry(line, sources) for line in lines]},
    )


def _entry(line: CaseEvent, sources: dict[str, str]) -> Entry:
    icon, tone = _EVENT_ICONS.get(line.kind, ("activity", ""))
    source = sources.get(str(line.data.get("alert", "")), "")
    what = [source_title(source)] if source else []
    if line.data.get("outcome"):
        outcome, reason = CaseOutcome(line.data["outcome"]), CaseReason(line.data["reason"])
        what.append(f"{outcome.label}: {reason.label.lower()}")
    if line.data.get("status"):
        what.append(str(line.data["status"]))
    return Entry(
        at=line.at,
        text=": ".join([line.get_kind_display(), *what]),
        actor=line.actor_label,
        detail=line.note or "",
        icon=icon,
        tone=tone,
    )


def _decision_panel(case: Case) -> Panel:
    proposed = case.state == CaseState.PROPOSED and case.approval is not None
    waiting: list[tuple[str, object]] = []
    if proposed and case.approval is not None:
        pending = case.approval.status == ApprovalStatus.PENDING
        text = (
            "Waits for a second person"
            if pending
            else f"{case.approval.get_status_display()}; goes back to work"
        )
        waiting = [
            ("Proposed by", case.approval.maker.full_name),
            ("Approval", Link(text, approval_href(case.approval))),
        ]
    return facts_panel(
        "Decision",
        [
            ("State", case.get_state_display()),
            ("Proposed" if proposed else "Outcome", queries.outcome_text(case)),
            *waiting,
            ("Assignee", _assignee_cell(case)),
            ("Due", When(case.due_at)),
            ("Opened", When(case.opened_at)),
            ("Closed", When(case.closed_at)),
            ("Who may approve", "A lead who wrote nothing to this case"),
        ],
        side=True,
    )


def _customer_panel(case: Case) -> Panel:
    customer = case.customer
    earlier = Case.objects.filter(customer=customer).exclude(pk=case.pk).order_by("-opened_at", "-pk")[:3]
    before: list[tuple[str, object]] = [
        (
            "Earlier case" if at == 0 else "",
            Link(f"{one.get_state_display()}, {one.opened_at:%-d %b %Y}", case_href(one.public_id)),
        )
        for at, one in enumerate(earlier)
    ]
    return facts_panel(
        "Customer",
        [
            ("Kind", customer.get_kind_display()),
            ("Partner", customer.partner.name),
            ("Country", NAMES.get(customer.country, customer.country)),
            ("Customer since", When(customer.created_at)),
            ("Tier", customer.get_tier_display()),
            ("Risk", customer.get_risk_level_display()),
            *before,
        ],
        side=True,
    )
