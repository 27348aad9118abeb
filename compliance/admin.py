"""The queue of hits and the page that decides one: comparison on the left, the decision on the right."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from compliance import queries
from compliance.choices import PENDING_STATUSES, REASONS, HitStatus, Outcome
from compliance.comparison import lines_of
from compliance.list_formats import LISTS
from compliance.models.screening import POINTS_MAX, HitDecision, ScreeningHit
from compliance.operations import screening
from flowlet.audit import trail
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ACTIONS, ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Due, Main, Score, Tone, When
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core import clock

STATUS_TONES: dict[str, Tone] = {
    HitStatus.OPEN: "info",
    HitStatus.ESCALATED: "wait",
    HitStatus.TRUE_MATCH: "bad",
    HitStatus.FALSE_POSITIVE: "ok",
}
DECIDE = "compliance.decide_hit"
_ALIKE_SHOWN = 5
_SAME_LOOK = timedelta(minutes=15)
_NEAR = 0.9  # of the score: what is redder than the rest


def status_badge(hit: ScreeningHit) -> Badge:
    """Return the state of a hit as a badge."""
    return Badge(hit.get_status_display(), STATUS_TONES.get(hit.status, ""))


def hit_href(hit: ScreeningHit) -> str:
    """Return the address of a hit's page."""
    return reverse("admin:compliance_screeninghit_change", args=[hit.public_id])


def queue_href() -> str:
    """Return the address of the queue."""
    return reverse("admin:compliance_screeninghit_changelist")


def due_cell(hit: ScreeningHit, now: datetime) -> object:
    """Return the time left of a hit that waits, the day it was closed of others."""
    return Due(hit.due_at, now) if hit.status in PENDING_STATUSES else When(hit.closed_at)


def score_cell(hit: ScreeningHit) -> Score:
    """Return the score with its meter."""
    share = hit.points / POINTS_MAX
    return Score(share, "bad" if share >= _NEAR else "warn")


def _customer_cell(hit: ScreeningHit) -> Main:
    return Main(hit.customer.name, f"{hit.customer.partner.name} · {hit.public_id}")


def _listed_cell(hit: ScreeningHit) -> Main:
    return Main(hit.matched_name, hit.entity.source.title)


_PENDING = Q(status__in=PENDING_STATUSES)
_DUE_FIRST = ("due_at", "pk")


@register(ScreeningHit)
class HitAdmin(ModelAdmin):
    """Possible matches with a list, first due first."""

    path, title, group, icon, nav_order = "hits", "Hits", "Compliance", "shield-alert", 10
    summary = "Customers who may be on a sanctions list; money out is stopped until a hit is decided"
    related = ("customer__partner", "entity__source", "entity__from_version")
    list_order = ("-opened_at", "-pk")
    search_by = ("public_id", "customer__public_id", "customer__name__icontains", "matched_name__icontains")
    search_hint = "Customer, listed name or hit_ id"
    detail_template = "compliance/hit.html"
    views = (
        View(key="open", title="All open", condition=_PENDING, order=_DUE_FIRST),
        View(key="overdue", title="Overdue", condition=_PENDING & Q(due_at__lt=Now()), order=_DUE_FIRST),
        View(key="escalated", title="Escalated", condition=Q(status=HitStatus.ESCALATED), order=_DUE_FIRST),
        View(key="match", title="True matches", condition=Q(status=HitStatus.TRUE_MATCH)),
        View(key="cleared", title="Cleared", condition=Q(status=HitStatus.FALSE_POSITIVE), counted=False),
        View(
            key="facts", title="Cleared by facts", condition=Q(status=HitStatus.AUTO_CLEARED), counted=False
        ),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice(
            "list",
            "List",
            tuple((key, one.title) for key, one in LISTS.items()),
            lookup="entity__source__code",
        ),
        Choice("status", "Status", tuple(HitStatus.choices)),
        DateSpan("opened", "Opened", lookup="opened_at"),
    )
    columns = (
        Column(title="Due", cell=lambda hit: due_cell(hit, clock.now()), width="m", order="due_at"),
        Column(title="Customer", cell=_customer_cell, order="customer__name"),
        Column(title="Listed as", cell=_listed_cell, hide="s"),
        Column(title="Main reason", cell=lambda hit: hit.main_reason, width="xl", hide="m"),
        Column(title="Score", cell=score_cell, width="m", right=True, order="points"),
        Column(title="Status", cell=status_badge, width="s"),
    )
    empty = ("No hits", "Every customer was compared with the lists in use, and nobody is waiting for you.")

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return what waits, for the number in the side bar."""
        del person
        return queries.list_open_hits()

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """Return the hit with names and facts of its entity."""
        hit = super().find(request, object_id)
        hit.entity = queries.list_entities([hit.entity_id]).select_related("source", "from_version").get()
        return hit

    def object_title(self, obj: Any) -> str:
        """Return both names."""
        return f"{obj.customer.name} and {obj.matched_name}"

    def object_summary(self, obj: Any) -> str:
        """Return list, reason and id."""
        return f"{obj.entity.source.title} · {obj.main_reason} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state and how urgent it is."""
        return (
            [status_badge(obj), due_cell(obj, clock.now())]
            if obj.status in PENDING_STATUSES
            else [status_badge(obj)]
        )

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the customer."""
        href = reverse("admin:identity_customer_change", args=[obj.customer.public_id])
        may = person_of(request).may("identity.view_customer")
        return [Button(label="Customer", href=href, icon="user")] if may else []

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return comparison, listing and time line; the decision on the right."""
        person = person_of(request)
        reveal = person.may(DECIDE) and obj.status in PENDING_STATUSES
        if reveal and obj.customer.birth_date:
            _note_reveal(person, obj)
        return [
            _comparison_panel(obj, reveal=reveal),
            _listing_panel(obj),
            timeline_panel(Subject(object_type="hit", object_id=obj.public_id), person),
            _decision_panel(person, obj),
            _alike_panel(obj),
        ]

    def more_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return the place in the queue."""
        del request
        waiting = list(queries.list_open_hits().values_list("public_id", flat=True)[:200])
        if obj.public_id not in waiting:
            return {}
        at = waiting.index(obj.public_id)
        neighbours = (waiting[at - 1] if at else "", waiting[at + 1] if at + 1 < len(waiting) else "")
        earlier, later = (
            reverse("admin:compliance_screeninghit_change", args=[name]) if name else ""
            for name in neighbours
        )
        return {"place": f"{at + 1} of {len(waiting)}", "earlier_href": earlier, "later_href": later}


def _note_reveal(person: Person, hit: ScreeningHit) -> None:
    """Write down who saw a birth date, and for what; looking again within a quarter of an hour is the same look."""
    seen = AuditRecord.objects.filter(
        customer=hit.customer.public_id,
        action="customer.reveal",
        actor=person.actor.ref,
        recorded_at__gt=clock.now() - _SAME_LOOK,
    )
    if seen.exists():
        return
    with trail.acting(person.actor):
        trail.record(
            action="customer.reveal",
            object_type="customer",
            object_id=hit.customer.public_id,
            customer=hit.customer.public_id,
            partner_id=hit.customer.partner_id,
            changes={"field": [None, "birth_date"]},
            reason_code="COMPLIANCE_REVIEW",
        )


def _comparison_panel(hit: ScreeningHit, *, reveal: bool) -> Panel:
    live = "" if hit.entity.is_live else ", no longer so"
    since = hit.entity.from_version.live_at or hit.entity.from_version.staged_at
    return Panel(
        title="Comparison",
        template="compliance/comparison.html",
        data={
            "lines": lines_of(hit, reveal=reveal),
            "score": f"{hit.points / 100:.2f} %",
        },
        note=f"{hit.entity.source.title} of {since:%-d %b %Y}{live}",
    )


def _listing_panel(hit: ScreeningHit) -> Panel:
    others = [fact.text for fact in hit.entity.facts.all() if fact.kind == "OTHER"]
    return Panel(
        title="What the list says",
        template="compliance/listing.html",
        data={
            "entity": hit.entity,
            "names": [(name.text, name.get_kind_display()) for name in hit.entity.names.all()],
            "others": others,
        },
        note=f"Entry {hit.entity.uid}, compared by engine {hit.engine_version}",
    )


def _decision_panel(person: Person, hit: ScreeningHit) -> Panel:
    decisions = list(HitDecision.objects.filter(hit=hit).order_by("decided_at", "pk"))
    clear = ACTIONS.get("hit.clear")
    return Panel(
        title="Decision",
        template="compliance/decision.html",
        data={
            "hit": hit,
            "score": Score(hit.points / POINTS_MAX, "bad" if hit.points / POINTS_MAX >= _NEAR else "warn"),
            "threshold": f"{hit.threshold / POINTS_MAX * 100:.1f}",
            "decisions": [
                (one, Badge(one.get_outcome_display(), STATUS_TONES.get(one.outcome, "")))
                for one in decisions
            ],
            "may": person.may(DECIDE),
            "form_id": uuid.uuid4(),
            "version": clear.version(hit),
            "clear_href": clear.href(hit) if clear.available(hit) else "",
            "reasons": [(code.value, code.label) for code in REASONS[Outcome.FALSE_POSITIVE]],
            "buttons": _asking_buttons(hit) if person.may(DECIDE) else [],
        },
        side=True,
    )


def _asking_buttons(hit: ScreeningHit) -> list[Button]:
    found = []
    for name, key in (("hit.escalate", "e"), ("hit.confirm", "t")):
        known = ACTIONS.get(name)
        if known.available(hit):
            href = known.href(hit, hit_href(hit))
            found.append(
                Button(
                    label=f"{known.label}…",
                    href=href,
                    style="harm" if known.danger else "",
                    key=key,
                    dialog=True,
                )
            )
    return found


def _alike_panel(hit: ScreeningHit) -> Panel:
    """Return what was decided about the same listing or the same customer before."""
    same = Q(hit__entity__uid=hit.entity.uid, hit__entity__source_id=hit.entity.source_id) | Q(
        hit__customer_id=hit.customer_id
    )
    rows = (
        HitDecision.objects.filter(same)
        .exclude(hit=hit)
        .select_related("hit__customer")
        .order_by("-decided_at", "-pk")[:_ALIKE_SHOWN]
    )
    return Panel(
        title="Alike decisions",
        template="compliance/alike.html",
        data={
            "rows": [
                (one, hit_href(one.hit), Badge(one.get_outcome_display(), STATUS_TONES.get(one.outcome, "")))
                for one in rows
            ]
        },
        note="Same listing or same customer",
        side=True,
    )


def _next_href(call: ActionCall, hit: ScreeningHit) -> str:
    """Return the next hit that waits, first due first; the queue when all is done."""
    del call
    following = queries.list_open_hits().exclude(pk=hit.pk).first()
    return hit_href(following) if following else queue_href()


def _reasons(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return tuple((code.value, code.label) for code in REASONS[outcome])


def _is_open(hit: ScreeningHit) -> bool:
    return hit.status in PENDING_STATUSES


@action(
    name="hit.clear",
    model=ScreeningHit,
    permission=DECIDE,
    label="Clear",
    title=lambda hit: f"Clear the hit on {hit.customer.name}?",
    text="The customer is somebody else than the listed one. What this hit stops is possible again at once.",
    reasons=_reasons(Outcome.FALSE_POSITIVE),
    available=_is_open,
    primary=True,
    button=False,
    done=lambda hit: f"Cleared: {hit.customer.name} is not {hit.matched_name}.",
    next_href=_next_href,
)
def clear(call: ActionCall, hit: ScreeningHit) -> None:
    """Decide that the customer is not the listed one."""
    _decide(call, hit, Outcome.FALSE_POSITIVE)


@action(
    name="hit.escalate",
    model=ScreeningHit,
    permission=DECIDE,
    label="Escalate",
    title=lambda hit: f"Escalate the hit on {hit.customer.name}?",
    text="Money out stays stopped until somebody decides.",
    reasons=_reasons(Outcome.ESCALATED),
    note="required",
    available=lambda hit: hit.status in (HitStatus.OPEN, HitStatus.AUTO_CLEARED),
    button=False,
    done=lambda hit: f"Escalated: {hit.customer.name}.",
    next_href=_next_href,
)
def escalate(call: ActionCall, hit: ScreeningHit) -> None:
    """Hand the hit up."""
    _decide(call, hit, Outcome.ESCALATED)


@action(
    name="hit.confirm",
    model=ScreeningHit,
    permission=DECIDE,
    label="True match",
    title=lambda hit: f"Is {hit.customer.name} the listed {hit.matched_name}?",
    text="This cannot be undone here.",
    reasons=_reasons(Outcome.TRUE_MATCH),
    note="required",
    impact=lambda hit: (f"All wallets of {hit.customer.name}: frozen, in and out", "Risk level: prohibited"),
    available=lambda hit: _is_open(hit) or hit.status == HitStatus.AUTO_CLEARED,
    danger=True,
    button=False,
    keep_label="Not sure yet",
    done=lambda hit: f"True match: {hit.customer.name} is frozen.",
    next_href=_next_href,
)
def confirm(call: ActionCall, hit: ScreeningHit) -> None:
    """Decide that the customer is the listed one: everything is frozen."""
    _decide(call, hit, Outcome.TRUE_MATCH)


def _decide(call: ActionCall, hit: ScreeningHit, outcome: Outcome) -> None:
    screening.decide_hit(
        hit_id=hit.public_id, outcome=outcome, reason_code=call.reason, note=call.note, now=call.now
    )
