"""The audit trail: who did what, when; one act opens its before and after, and its digest."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.audit import trail
from flowlet.audit.models import AuditNote, AuditRecord
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When, ago, stamp, words
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, compare_panel, empty_panel, facts_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import actor_of, changes_of, detail_of, sentence_of

OUTCOME_TONES: dict[str, Tone] = {"DONE": "ok", "REFUSED": "warn", "FAILED": "bad"}


def _outcome(record: AuditRecord) -> Badge:
    return Badge(record.get_outcome_display(), OUTCOME_TONES.get(record.outcome, ""))


@register(AuditRecord)
class AuditAdmin(ModelAdmin):
    """The whole trail, newest first; times in UTC."""

    path, title, group, icon, nav_order = "audit", "Audit trail", "Control", "scroll-text", 10
    summary = "Every write, refusal and log-in; times in UTC"
    lookup = "pk"
    list_order = ("-id",)
    compact = True
    search_by = ("object_id", "customer", "actor", "request_id", "action")
    search_hint = "Object, actor, request id or verb"
    views = (
        View(key="all", title="All", counted=False),
        View(key="staff", title="By staff", condition=Q(actor_kind="STAFF"), counted=False),
        View(key="refused", title="Refused", condition=Q(outcome="REFUSED"), counted=False),
        View(key="unsigned", title="Raw SQL", condition=Q(origin="DATABASE"), counted=False),
    )
    filters = (
        DateSpan("at", "Time", lookup="recorded_at"),
        Choice(
            "by",
            "Actor kind",
            (("STAFF", "Staff"), ("CLIENT", "API client"), ("USER", "Partner user"), ("SYSTEM", "System")),
            lookup="actor_kind",
        ),
        Text("actor", "Actor", lookup="actor_label__icontains"),
        Text("action", "Verb"),
        Text("object", "Object id", lookup="object_id"),
    )
    columns = (
        Column(title="Time", cell=lambda r: Main(f"{r.recorded_at:%-d %b %Y, %H:%M:%S}"), width="l"),
        Column(title="Actor", cell=actor_of, width="m"),
        Column(title="Act", cell=lambda r: Main(sentence_of(r).text, detail_of(r))),
        Column(title="Object", cell=lambda r: Code(r.object_id), width="xl", hide="m"),
        Column(title="Outcome", cell=_outcome, width="s"),
    )

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """Return the record of that number."""
        number = object_id if object_id.isascii() and object_id.isdigit() and len(object_id) < 19 else "0"  # noqa: PLR2004 - BIGINT
        return super().find(request, number)

    def object_title(self, obj: Any) -> str:
        """Return the act as a sentence."""
        return sentence_of(obj).text

    def object_summary(self, obj: Any) -> str:
        """Return number, actor and time."""
        return f"Record {obj.pk:,} · {actor_of(obj)} · {stamp(obj.recorded_at)}"

    def badges(self, obj: Any) -> list[object]:
        """Return the outcome."""
        return [_outcome(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what changed, why, where it came from, and the digest that proves it."""
        del request
        rows = [{"label": words(name), "left": old, "right": new} for name, old, new in changes_of(obj)]
        changes = (
            compare_panel("Before and after", left="Before", right="After", rows=rows)
            if rows
            else empty_panel(
                "Before and after", what="No field changed", text="The act itself is the record."
            )
        )
        note = AuditNote.objects.filter(record=obj).first()
        words_given = trail.open_note(public_id=note.public_id, ciphertext=note.ciphertext) if note else ""
        why = facts_panel(
            "Why and where from",
            [
                ("Reason", words(obj.reason_code) if obj.reason_code else ""),
                ("Note", words_given),
                ("Verb", Code(obj.action)),
                ("Object", Code(f"{obj.object_type} {obj.object_id}")),
                ("Customer", Code(obj.customer)),
                ("Address", Code(obj.ip)),
                ("Request", Code(obj.request_id)),
            ],
        )
        proof = facts_panel(
            "Proof",
            [
                ("Origin", obj.get_origin_display()),
                ("Recorded", When(obj.recorded_at)),
                ("Transaction", Code(str(obj.xid))),
                ("Database user", Code(obj.db_user)),
                ("Key", Code(str(obj.key_id or ""))),
                ("Digest", Code(bytes(obj.mac).hex() if obj.mac else "")),
                ("Note digest", Code(obj.note_digest)),
            ],
            side=True,
        )
        return [changes, why, proof]


def _trail_state(_person: Person, now: datetime) -> HouseState:
    latest = AuditRecord.objects.order_by("-pk").first()
    href = reverse("admin:audit_auditrecord_changelist")
    if latest is None:
        return HouseState(text="Empty", tone="", note="Nothing has been recorded yet", href=href)
    unsigned = latest.origin == AuditRecord.Origin.DATABASE
    return HouseState(
        text="Unsigned" if unsigned else "Signed",
        tone="warn" if unsigned else "ok",
        note=f"Latest of about {latest.pk:,} records, {ago(latest.recorded_at, now)}",
        href=href,
    )


HOUSE.register("audit")(
    HouseLine(title="Audit trail", permission="audit.view_auditrecord", state=_trail_state, order=10)
)
