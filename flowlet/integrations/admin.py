"""Vendors in the back office: how they are doing, what they told us, what we asked. No payloads, no keys."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.site import register, register_page
from flowlet.core import clock
from flowlet.core.outcomes import Outcome
from flowlet.integrations import admin_links as _links  # noqa: F401 - registers its page
from flowlet.integrations.choices import EventStatus, VendorName
from flowlet.integrations.events import retry_event
from flowlet.integrations.health import Health, get_health
from flowlet.integrations.models import VendorCall, VendorEvent

LOOK = "integrations.view_vendorcall"
OUTCOME_TONES: dict[str, Tone] = {
    Outcome.DONE: "ok",
    Outcome.ACCEPTED: "info",
    Outcome.REFUSED: "warn",
    Outcome.NOT_SENT: "wait",
    Outcome.UNKNOWN: "bad",
}
STATUS_TONES: dict[str, Tone] = {
    EventStatus.RECEIVED: "info",
    EventStatus.PROCESSED: "ok",
    EventStatus.UNKNOWN_TYPE: "",
    EventStatus.UNMATCHED: "warn",
    EventStatus.FAILED: "bad",
}
_KEPT = Q(status__in=[EventStatus.FAILED, EventStatus.UNMATCHED])


def state_of(health: Health) -> Badge:
    """Return in one word how a vendor is."""
    if not health.configured:
        return Badge("No key", "")
    if health.breaker_open_until:
        return Badge("Left alone", "bad")
    if health.alarms:
        return Badge("Keys refused", "bad")
    if health.kept or health.unknown:
        return Badge("Look at it", "warn")
    return Badge("Well", "ok")


def _status(event: VendorEvent) -> Badge:
    return Badge(event.get_status_display(), STATUS_TONES.get(event.status, ""))


@register_page(
    route="vendors/",
    name="vendors",
    permission=LOOK,
    navigation=Item(
        title="Vendors", url_name="admin:vendors", group="Control", icon="globe", permission=LOOK, order=70
    ),
)
def vendors_page(request: HttpRequest) -> HttpResponse:
    """Show each vendor's last 24 hours."""
    return page(
        request,
        "admin/change_form.html",
        title="Vendors",
        path=[("Control", "")],
        summary="The last 24 hours of each company we call",
        panels=[_panel(health) for health in get_health(now=clock.now())],
        side_panels=[],
    )


def _panel(health: Health) -> Panel:
    facts: list[tuple[str, object]] = [
        ("State", state_of(health)),
        ("Talks to", "Simulator" if health.simulated else "The vendor"),
        ("Calls", f"{health.calls:,}"),
        ("Reached", health.reached_text),
        ("95 % answered within", f"{health.p95_ms:,} ms" if health.p95_ms is not None else ""),
        ("Unknown outcomes", f"{health.unknown:,}"),
        ("Latest call", When(health.latest_call_at)),
        ("Latest webhook", When(health.latest_event_at)),
        ("Events waiting", f"{health.waiting:,}"),
        ("Events for a person", f"{health.kept:,}"),
    ]
    return facts_panel(VendorName(health.vendor).label, facts, two=True)


@register(VendorEvent)
class VendorEventAdmin(ModelAdmin):
    """What vendors told us, newest first."""

    path, title, group, icon, nav_order = "vendor-events", "Vendor events", "Control", "inbox", 71
    summary = "Webhooks that were certain, kept once each"
    list_order = ("-received_at", "-pk")
    search_by = ("public_id", "event_id", "object_reference")
    search_hint = "Event id or object reference"
    views = (
        View(key="all", title="All", counted=False),
        View(key="person", title="For a person", condition=_KEPT),
        View(key="waiting", title="Waiting", condition=Q(status=EventStatus.RECEIVED)),
    )
    filters = (
        Choice("vendor", "Vendor", tuple(VendorName.choices)),
        Choice("status", "State", tuple(EventStatus.choices)),
        Text("type", "Type"),
        DateSpan("at", "Received", lookup="received_at"),
    )
    columns = (
        Column(title="Event", cell=lambda e: Main(e.type, e.public_id, mono=True)),
        Column(title="Vendor", cell=lambda e: e.get_vendor_display(), width="s"),
        Column(title="Object", cell=lambda e: Code(e.object_reference), width="l", hide="m"),
        Column(title="Tries", cell=lambda e: str(e.attempts), width="xs", right=True, hide="m"),
        Column(title="State", cell=_status, width="m"),
        Column(title="Received", cell=lambda e: When(e.received_at), width="m", right=True),
    )

    def object_title(self, obj: Any) -> str:
        """Return the event's type."""
        return str(obj.type)

    def badges(self, obj: Any) -> list[object]:
        """Return its state."""
        return [_status(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what is known about it; the payload holds people's data and stays closed."""
        del request
        facts: list[tuple[str, object]] = [
            ("Vendor", obj.get_vendor_display()),
            ("Vendor's event", Code(obj.event_id)),
            ("Object", Code(obj.object_reference)),
            ("Happened", When(obj.occurred_at)),
            ("Received", When(obj.received_at)),
            ("Processed", When(obj.processed_at)),
            ("Next try", When(obj.next_try_at)),
            ("Tries", str(obj.attempts)),
            ("Problem", Code(obj.problem)),
        ]
        return [facts_panel("Event", facts, two=True)]


@register(VendorCall)
class VendorCallAdmin(ModelAdmin):
    """What we asked vendors, newest first."""

    path, title, group, icon, nav_order = "vendor-calls", "Vendor calls", "Control", "external-link", 72
    summary = "Each call: what for, how long, how it ended; never a body"
    detail = False
    compact = True
    list_order = ("-called_at", "-pk")
    search_by = ("our_reference", "vendor_reference", "vendor_request_id")
    search_hint = "Our reference or the vendor's"
    views = (
        View(key="all", title="All", counted=False),
        View(
            key="unknown",
            title="Unknown",
            condition=Q(outcome=Outcome.UNKNOWN.value, is_lookup=False),
            counted=False,
        ),
        View(key="alarms", title="Alarms", condition=Q(alarm=True), counted=False),
    )
    filters = (
        Choice("vendor", "Vendor", tuple(VendorName.choices)),
        Choice("outcome", "Outcome", tuple((item.value, item.value.capitalize()) for item in Outcome)),
        DateSpan("at", "Time", lookup="called_at"),
    )
    columns = (
        Column(title="Operation", cell=lambda c: Main(c.operation, c.our_reference, mono=True)),
        Column(title="Vendor", cell=lambda c: c.get_vendor_display(), width="s"),
        Column(title="Reference", cell=lambda c: Code(c.vendor_reference), width="l", hide="m"),
        Column(title="Code", cell=lambda c: Code(c.code), width="m", hide="m"),
        Column(title="ms", cell=lambda c: f"{c.elapsed_ms:,}", width="xs", right=True),
        Column(
            title="Outcome",
            cell=lambda c: Badge(c.outcome.replace("_", " ").capitalize(), OUTCOME_TONES.get(c.outcome, "")),
            width="s",
        ),
        Column(title="Time", cell=lambda c: When(c.called_at), width="m", right=True),
    )


@action(
    name="vendor_event.retry",
    model=VendorEvent,
    permission="integrations.retry_vendorevent",
    label="Process again",
    title="Process this event again?",
    text="A worker takes it within seconds. Processing an event twice does no harm.",
    reason=False,
    note="required",
    available=lambda event: event.status not in (EventStatus.PROCESSED, EventStatus.RECEIVED),
    done="The event will be processed again.",
)
def retry(call: ActionCall, event: VendorEvent) -> None:
    """Have a kept event processed again."""
    retry_event(public_id=event.public_id, note=call.note, now=call.now)


def _house_state(_person: Person, now: datetime) -> HouseState:
    href, kept = reverse("admin:vendors"), VendorEvent.objects.filter(_KEPT).count()
    del now
    if kept:
        return HouseState(text="Look at it", tone="warn", note=f"{kept:,} events need a person", href=href)
    return HouseState(text="Well", tone="ok", note="No event waits for a person", href=href)


HOUSE.register("vendors")(HouseLine(title="Vendors", permission=LOOK, state=_house_state, order=60))
