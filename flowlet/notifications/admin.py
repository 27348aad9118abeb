"""Messages to people, in the back office: to whom (masked), what for, and how far they came."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Link, Main, Masked, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import say
from flowlet.notifications.choices import MessageKind, MessageStatus
from flowlet.notifications.models import Message

TONES: dict[str, Tone] = {
    MessageStatus.QUEUED: "info",
    MessageStatus.SENDING: "info",
    MessageStatus.UNKNOWN: "warn",
    MessageStatus.DELIVERED: "ok",
    MessageStatus.SENT: "ok",
    MessageStatus.UNDELIVERED: "bad",
    MessageStatus.FAILED: "bad",
}
_SHOWN_DIGITS = 3


def _status(message: Message) -> Badge:
    return Badge(message.get_status_display(), TONES.get(message.status, ""))


def _number(message: Message) -> Masked:
    return Masked(f"\N{BULLET}\N{BULLET}\N{BULLET}{message.to[-_SHOWN_DIGITS:]}" if message.to else "")


def _customer(message: Message) -> Link:
    customer = message.customer
    return Link(customer.name, reverse("admin:identity_customer_change", args=[customer.public_id]))


@register(Message)
class MessageAdmin(ModelAdmin):
    """Messages, newest first."""

    path, title, group, icon, nav_order = "messages", "Messages", "Control", "inbox", 75
    summary = "Text messages to customers: one for each cause"
    related = ("customer",)
    list_order = ("-queued_at", "-pk")
    search_by = ("public_id", "cause", "customer__public_id", "vendor_reference")
    search_hint = "msg_ or cus_ id, cause"
    views = (
        View(key="all", title="All", counted=False),
        View(
            key="lost",
            title="Did not arrive",
            condition=Q(status__in=(MessageStatus.UNDELIVERED, MessageStatus.FAILED)),
            counted=False,
        ),
        View(key="unknown", title="Unknown", condition=Q(status=MessageStatus.UNKNOWN)),
        View(key="suppressed", title="Not sent", condition=Q(status=MessageStatus.SUPPRESSED), counted=False),
    )
    filters = (
        Choice("kind", "Kind", tuple(MessageKind.choices)),
        Choice("status", "State", tuple(MessageStatus.choices)),
        DateSpan("queued", "Queued", lookup="queued_at"),
    )
    columns = (
        Column(title="Message", cell=lambda m: Main(words(m.template), m.public_id, mono=True)),
        Column(title="Customer", cell=_customer, width="l"),
        Column(title="To", cell=_number, width="s", hide="s"),
        Column(title="Why not", cell=lambda m: words(m.reason) if m.reason else "", width="m", hide="m"),
        Column(title="State", cell=_status, width="m"),
        Column(title="Queued", cell=lambda m: When(m.queued_at), width="m", right=True, hide="s"),
    )
    empty = ("No messages yet", "They are written when a partner wants them.")

    def object_title(self, obj: Any) -> str:
        """Return what it is about."""
        return words(obj.template)

    def badges(self, obj: Any) -> list[object]:
        """Return how far it came."""
        return [_status(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return its words and its way."""
        del request
        way: list[tuple[str, object]] = [
            ("Customer", _customer(obj)),
            ("To", _number(obj)),
            ("Kind", obj.get_kind_display()),
            ("Cause", Code(obj.cause)),
            ("Carrier's id", Code(obj.vendor_reference)),
            ("Reason", words(obj.reason) if obj.reason else ""),
            ("Tries", str(obj.attempts)),
            ("Queued", When(obj.queued_at)),
            ("Handed over", When(obj.sending_at)),
            ("Ended", When(obj.done_at)),
        ]
        return [
            facts_panel("Words", [("Text", obj.text), ("Language", obj.language.upper())]),
            facts_panel("Way", way, two=True),
        ]


say("message_settings.change", "Settings of messages changed", "settings")
say("challenge.approve", "One-time code confirmed", "key-round", "ok")
