"""Approvals: what waits for a second person, as the maker saw it, and the two answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ACTIONS, ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.approvals import operations
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.cards import FIGURES, QUEUES, Figure, FigureValue, NextRow, Queue
from flowlet.backoffice.cells import Badge, Code, Due, Link, Main, Tone, When, ago, words
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.models import Approval, ApprovalStatus, ApprovalVote
from flowlet.backoffice.panels import Panel, compare_panel, facts_panel, table_panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import FORMATTERS, Sentence
from flowlet.core import clock

TONES: dict[str, Tone] = {
    "PENDING": "wait",
    "EXECUTED": "ok",
    "FAILED": "bad",
    "REJECTED": "warn",
    "VOID": "warn",
}
_PENDING = Q(status=ApprovalStatus.PENDING)


def kind_of(approval: Approval) -> ApprovalKind | None:
    """Return what the app declared about this act, or None when the act is no longer known."""
    return APPROVALS.get(approval.action) if approval.action in APPROVALS else None


def title_of(approval: Approval) -> str:
    """Return the act in words."""
    kind = kind_of(approval)
    return kind.title_for(approval.object_id) if kind else words(approval.action)


def seen_by(person: Person) -> Q:
    """Return which requests a person may see: those they may make or check."""
    allowed = [
        name
        for name, kind in APPROVALS.items()
        if person.may(kind.permission) or person.may(kind.maker_permission)
    ]
    return Q(action__in=allowed)


def checkable_by(person: Person) -> Q:
    """Return which open requests wait for this person: they may check the act and did not ask for it."""
    allowed = [name for name, kind in APPROVALS.items() if person.may(kind.permission)]
    return _PENDING & Q(action__in=allowed) & ~Q(maker_id=person.user.pk)


def approval_href(approval: Approval) -> str:
    """Return the address of a request's page."""
    return reverse("admin:backoffice_approval_change", args=[approval.public_id])


def _status(approval: Approval) -> Badge:
    return Badge(approval.get_status_display(), TONES.get(approval.status, ""))


def _expiry(approval: Approval) -> object:
    return Due(approval.expires_at, clock.now()) if approval.status == ApprovalStatus.PENDING else ""


@register(Approval)
class ApprovalAdmin(ModelAdmin):
    """Every request for a second person."""

    path, title, group, icon, nav_order = "approvals", "Approvals", "Work", "users", 30
    summary = "Acts that two people must agree on: one asks, another decides"
    view_permission = "backoffice.view_approval"
    nav_count_text = "wait for you"
    related = ("maker",)
    list_order = ("-created_at", "-id")
    search_by = ("public_id", "object_id", "maker__full_name__icontains")
    search_hint = "Object id or the name of who asked"
    views = (
        View(key="open", title="Waiting", condition=_PENDING, order=("expires_at", "id")),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("status", "State", tuple(ApprovalStatus.choices)),
        DateSpan("asked", "Asked", lookup="created_at"),
    )
    columns = (
        Column(title="Act", cell=lambda a: Main(title_of(a), a.object_id, mono=True)),
        Column(title="Asked by", cell=lambda a: a.maker.full_name or a.maker.email, width="l"),
        Column(title="Reason", cell=lambda a: words(a.reason_code), width="m", hide="m"),
        Column(title="Asked", cell=lambda a: When(a.created_at), width="m", hide="s"),
        Column(title="Until", cell=_expiry, width="m"),
        Column(title="State", cell=_status, width="m"),
    )
    empty = ("Nothing waits for a second person", "Requests appear here when a colleague asks for one.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the requests of the acts this person may make or check."""
        return super().get_queryset(request).filter(seen_by(person_of(request)))

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return what waits for this person."""
        return Approval.objects.filter(checkable_by(person))

    def object_title(self, obj: Any) -> str:
        """Return the act in words."""
        return title_of(obj)

    def object_summary(self, obj: Any) -> str:
        """Return id, maker and age."""
        return f"{obj.public_id} · asked by {obj.maker.full_name or obj.maker.email}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_status(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the two answers for who may give them, and the way back for who asked."""
        person, kind = person_of(request), kind_of(obj)
        if kind is None or obj.status != ApprovalStatus.PENDING:
            return []
        if obj.maker_id == person.user.pk:
            names = ["approval.withdraw"]
        elif person.may(kind.permission) and operations.may_check(obj, kind, person.user):
            names = ["approval.approve", "approval.reject"]
        else:
            names = []
        return [_button(name, obj, request.get_full_path()) for name in names]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what is asked, what the object looked like then and looks like now, and who said what."""
        del request
        kind = kind_of(obj)
        note = obj.note
        asked = facts_panel(
            "What is asked",
            [
                ("Act", title_of(obj)),
                ("Object", Link(obj.object_id, kind.object_href(obj.object_id)) if kind else obj.object_id),
                *_facts(obj.payload),
                ("Reason", words(obj.reason_code)),
                ("Note", note),
            ],
        )
        panels = [asked, _evidence_panel(obj, kind)]
        votes = list(obj.votes.select_related("checker").order_by("pk"))
        if votes:
            panels.append(_votes_panel(votes))
        panels.append(
            facts_panel(
                "Request",
                [
                    ("State", _status(obj)),
                    ("Outcome", obj.outcome_text or (words(obj.outcome_code) if obj.outcome_code else "")),
                    ("Asked", When(obj.created_at)),
                    ("Expires", When(obj.expires_at)),
                    ("Decided", When(obj.decided_at)),
                    ("Digest of what is shown", Code(obj.content_hash[:16])),
                ],
                side=True,
            )
        )
        return panels


def _evidence_panel(approval: Approval, kind: ApprovalKind | None) -> Panel:
    """Show how the object stood; while the request is open, beside how it stands now if that differs."""
    if kind is not None and approval.status == ApprovalStatus.PENDING:
        now = dict(kind.evidence(approval.object_id))
        if now != approval.evidence:
            rows = [
                {"label": name, "left": _plain(approval.evidence.get(name)), "right": _plain(now.get(name))}
                for name in dict.fromkeys((*approval.evidence, *now))
            ]
            return compare_panel(
                "The object has changed since",
                left="When it was asked",
                right="Now",
                rows=rows,
                note="Approving will only close this request as void; ask again with the new state.",
            )
    return facts_panel("How the object stood when it was asked", _facts(approval.evidence), two=True)


def _votes_panel(votes: Sequence[ApprovalVote]) -> Panel:
    return table_panel(
        "Second person",
        columns=(
            Column(title="Who", cell=lambda v: v.checker.full_name or v.checker.email),
            Column(title="Decision", cell=lambda v: v.get_decision_display(), width="m"),
            Column(title="Note", cell=lambda v: v.note),
            Column(title="When", cell=lambda v: When(v.voted_at), width="m"),
        ),
        rows=votes,
    )


def _facts(values: Mapping[str, object]) -> list[tuple[str, object]]:
    return [(words(name), _plain(value)) for name, value in values.items()]


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case list():
            return ", ".join(_plain(one) for one in value)
        case dict():
            return ", ".join(f"{words(str(name))}: {_plain(one)}" for name, one in value.items())
        case int():
            return f"{value:,}"
    text = str(value)
    return words(text) if text.isupper() and "_" in text else text


def _button(name: str, approval: Approval, back: str) -> Button:
    declared = ACTIONS.get(name)
    return Button(
        label=f"{declared.label}…",
        href=declared.href(approval, back),
        style="harm" if declared.danger else "primary" if declared.primary else "",
        icon=declared.icon,
        key=declared.key,
        dialog=True,
    )


def _open(approval: Approval) -> bool:
    return approval.status == ApprovalStatus.PENDING


def _done(approval: Approval) -> str:
    tail = f" {approval.outcome_text}" if approval.outcome_text else ""
    return f"{title_of(approval)}: {approval.get_status_display().lower()}.{tail}"


@action(
    name="approval.approve",
    model=Approval,
    permission="backoffice.view_approval",
    label="Approve",
    title=lambda a: f"Approve: {title_of(a)}?",
    text="It is done at once, under your name as the second person.",
    done=_done,
    reason=False,
    available=_open,
    primary=True,
    icon="check",
    key="a",
    button=False,
)
def _approve(call: ActionCall, approval: Approval) -> None:
    operations.approve(
        approval_id=approval.pk,
        checker_id=call.person.user.pk,
        seen_hash=approval.content_hash,
        note=call.note,
        now=call.now,
    )


@action(
    name="approval.reject",
    model=Approval,
    permission="backoffice.view_approval",
    label="Reject",
    title=lambda a: f"Reject: {title_of(a)}?",
    text="Nothing is done; the colleague who asked sees your note.",
    done=_done,
    reason=False,
    note="required",
    available=_open,
    danger=True,
    icon="x",
    key="r",
    button=False,
)
def _reject(call: ActionCall, approval: Approval) -> None:
    operations.reject(
        approval_id=approval.pk,
        checker_id=call.person.user.pk,
        seen_hash=approval.content_hash,
        note=call.note,
        now=call.now,
    )


@action(
    name="approval.withdraw",
    model=Approval,
    permission="backoffice.view_approval",
    label="Withdraw",
    title=lambda a: f"Withdraw: {title_of(a)}?",
    text="The request is closed and nothing is done.",
    done=_done,
    reason=False,
    note="none",
    available=_open,
    icon="history",
    button=False,
)
def _withdraw(call: ActionCall, approval: Approval) -> None:
    operations.withdraw(approval_id=approval.pk, maker_id=call.person.user.pk, now=call.now)


def _waiting(person: Person, now: datetime) -> FigureValue:
    rows = Approval.objects.filter(checkable_by(person))
    first = rows.order_by("expires_at", "pk").values_list("expires_at", flat=True)[:1]
    number = rows.count()
    until = next(iter(first), None)
    return FigureValue(
        value=f"{number:,}",
        note="nothing waits" if until is None else f"oldest ends {until:%-d %b, %H:%M}",
        tone="bad" if until is not None and until < now else "",
    )


def _next(person: Person, now: datetime, limit: int) -> list[NextRow]:
    rows = Approval.objects.filter(checkable_by(person)).select_related("maker").order_by("expires_at", "pk")
    return [
        NextRow(
            title=title_of(row),
            meta=f"{row.object_id} · {row.maker.full_name or row.maker.email}, {ago(row.created_at, now)}",
            href=approval_href(row),
            due=Due(row.expires_at, now),
        )
        for row in rows[:limit]
    ]


def _list_href() -> str:
    return reverse("admin:backoffice_approval_changelist")


FIGURES.register("approvals")(
    Figure(
        title="Waiting for my approval",
        permission="backoffice.view_approval",
        icon="users",
        value=_waiting,
        href=_list_href,
        order=15,
    )
)
QUEUES.register("approvals")(
    Queue(title="Approvals", permission="backoffice.view_approval", rows=_next, href=_list_href, order=40)
)

_VERBS = {
    "request": ("Asked for a second person", "users"),
    "executed": ("Approved by a second person and done", "check"),
    "rejected": ("Rejected by a second person", "x"),
    "withdrawn": ("Request withdrawn", "history"),
    "expired": ("Request expired", "clock-alert"),
}


def _sentence(verb: str, sign: str) -> Any:
    def read(record: AuditRecord) -> Sentence:
        del record
        return Sentence(text=verb, icon=sign)

    return read


for _verb, (_text, _sign) in _VERBS.items():
    FORMATTERS.register(f"approval.{_verb}")(_sentence(_text, _sign))
