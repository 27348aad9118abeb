"""Support chats in the back office: what was asked and answered, with people's data masked, and how."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from flowlet.assistant.answering import known_of
from flowlet.assistant.choices import Role
from flowlet.assistant.models import Chat, ChatMessage
from flowlet.assistant.queries import with_counts
from flowlet.assistant.veil import Veil
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Link, Main, When, words
from flowlet.backoffice.filters import DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import say

_SHOWN = 100


def _customer(chat: Chat) -> Link:
    customer = chat.customer
    return Link(customer.name, reverse("admin:identity_customer_change", args=[customer.public_id]))


def _state(chat: Any) -> Badge:
    return Badge("For a person", "warn") if chat.wants_person else Badge("Answered", "ok")


@register(Chat)
class ChatAdmin(ModelAdmin):
    """Chats, the latest first."""

    path, title, group, icon, nav_order = "chats", "Support chats", "Work", "contact", 60
    summary = "What customers asked and what they were told; masked, kept for a time"
    related = ("customer", "partner")
    list_order = ("-latest_at", "-pk")
    search_by = ("public_id", "customer__public_id")
    search_hint = "cht_ or cus_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="person", title="For a person", condition=Q(wants_person=True)),
    )
    filters = (DateSpan("latest", "Latest", lookup="latest_at"),)
    columns = (
        Column(title="Chat", cell=lambda c: Main(c.customer.name, c.public_id, mono=True)),
        Column(title="Partner", cell=lambda c: c.partner.name, width="m", hide="m"),
        Column(title="Messages", cell=lambda c: f"{c.message_count:,}", width="s", right=True, hide="s"),
        Column(title="State", cell=_state, width="m"),
        Column(title="Latest", cell=lambda c: When(c.latest_at), width="m", right=True),
    )
    empty = ("No chats yet", "Partners open them through the API.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return chats with the number of their messages, and whether a person is wanted."""
        wanting = ChatMessage.objects.filter(chat=OuterRef("pk"), hand_over=True)
        return with_counts(super().get_queryset(request)).annotate(wants_person=Exists(wanting))

    def object_title(self, obj: Any) -> str:
        """Return whose chat it is."""
        return f"Chat with {obj.customer.name}"

    def object_summary(self, obj: Any) -> str:
        """Return partner and id."""
        return f"{obj.partner.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return whether a person is wanted."""
        return [_state(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what was said, oldest first, and how the answers came about."""
        del request
        said = list(obj.messages.order_by("-pk")[:_SHOWN])[::-1]
        veil = Veil(known_of(obj.customer))
        facts: list[tuple[str, object]] = [
            ("Customer", _customer(obj)),
            ("Partner", obj.partner.name),
            ("Opened", When(obj.created_at)),
            ("Latest", When(obj.latest_at)),
            ("Messages", f"{obj.message_count:,}"),
            ("Tokens", f"{sum(one.tokens_in + one.tokens_out for one in said):,}"),
        ]
        return [
            Panel(
                title="What was said",
                template="assistant/said.html",
                data={"said": [_line(one, veil) for one in said]},
                note="Names, numbers and addresses are masked",
            ),
            facts_panel("Details", facts, side=True),
        ]


def _line(message: ChatMessage, veil: Veil) -> dict[str, object]:
    answered = message.role == Role.ASSISTANT
    return {
        "who": message.get_role_display(),
        "own": answered,
        "text": veil.mask(message.text),
        "at": message.created_at,
        "source": message.get_source_display() if answered else "",
        "reason": words(message.reason) if message.reason else "",
        "model": message.model,
        "hand_over": message.hand_over,
    }


say(
    "chat.open",
    "Support chat opened",
)
say(
    "chat.delete",
    "Support chat deleted, its time was over",
)
