"""The event log: what the house told its partners and itself, and whether it has been relayed."""

import json
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState
from flowlet.backoffice.cells import Badge, Code, Main, When, ago
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.site import register
from flowlet.events.models import Event


def _relayed(event: Event) -> Badge:
    return Badge("Relayed", "ok") if event.relayed_at else Badge("Waiting", "info")


@register(Event)
class EventAdmin(ModelAdmin):
    """All events, newest first."""

    path, title, group, icon, nav_order = "events", "Event log", "Control", "activity", 50
    summary = "What happened, in the order it was told"
    related = ("partner",)
    list_order = ("-id",)
    search_by = ("public_id", "object_id", "type")
    search_hint = "Event id, object id or type"
    views = (
        View(key="all", title="All", counted=False),
        View(key="waiting", title="Waiting", condition=Q(relayed_at__isnull=True)),
    )
    filters = (
        Choice("visibility", "Seen by", tuple(Event.Visibility.choices)),
        Text("type", "Type"),
        DateSpan("at", "Time", lookup="occurred_at"),
    )
    columns = (
        Column(title="Event", cell=lambda e: Main(e.type, e.public_id, mono=True)),
        Column(title="Object", cell=lambda e: Code(e.object_id), width="xl", hide="s"),
        Column(title="No.", cell=lambda e: str(e.sequence), width="xs", right=True, hide="m"),
        Column(title="Partner", cell=lambda e: e.partner.name if e.partner else "", width="m", hide="m"),
        Column(title="State", cell=_relayed, width="s"),
        Column(title="Time", cell=lambda e: When(e.occurred_at), width="m", right=True),
    )

    def object_title(self, obj: Any) -> str:
        """Return the event's type."""
        return str(obj.type)

    def badges(self, obj: Any) -> list[object]:
        """Return whether it was relayed."""
        return [_relayed(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the data as it was sent, and where it belongs."""
        del request
        data = [(key, Code(json.dumps(value, ensure_ascii=False))) for key, value in sorted(obj.data.items())]
        facts: list[tuple[str, object]] = [
            ("Object", Code(obj.object_id)),
            ("Number", str(obj.sequence)),
            ("Partner", obj.partner.name if obj.partner else ""),
            ("Seen by", obj.get_visibility_display()),
            ("Happened", When(obj.occurred_at)),
            ("Relayed", When(obj.relayed_at)),
            ("Request", Code(obj.request_id)),
        ]
        return [facts_panel("Data", data), facts_panel("Event", facts, side=True)]


def _relay_state(_person: Person, now: datetime) -> HouseState:
    waiting = Event.objects.filter(relayed_at__isnull=True)
    href = f"{reverse('admin:events_event_changelist')}?view=waiting"
    oldest = waiting.order_by("pk").first()
    if oldest is None:
        return HouseState(text="Up to date", tone="ok", note="Every event has been relayed", href=href)
    number = shown(count_each({"": waiting})[""])
    late = (now - oldest.occurred_at).total_seconds() > 60  # noqa: PLR2004 - a minute is long for the relay
    return HouseState(
        text="Behind" if late else "Running",
        tone="warn" if late else "info",
        note=f"{number} waiting, the oldest from {ago(oldest.occurred_at, now)}",
        href=href,
    )


HOUSE.register("events")(
    HouseLine(title="Event relay", permission="events.view_event", state=_relay_state, order=20)
)
