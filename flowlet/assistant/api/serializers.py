"""Bodies and answers of support chats."""

from typing import Any

from rest_framework import serializers

from flowlet.assistant.choices import Role, Source
from flowlet.assistant.models import Chat, ChatMessage
from flowlet.gateway.fields import IdField, TextField
from flowlet.gateway.serializers import ListQuery, StrictSerializer

TEXT_MAX = 2000


class ChatIn(StrictSerializer):
    """A chat about one customer."""

    customer = IdField(prefix="cus", help_text="Whose things can be asked about, and nobody else's.")


class MessageIn(StrictSerializer):
    """A question."""

    text = TextField(max_length=TEXT_MAX, lines=True, help_text="In English.")


class ChatQuery(ListQuery):
    """Filters of the list of chats."""

    customer = IdField(prefix="cus", required=False)


class MessageQuery(ListQuery):
    """Page of a list of messages, each of which was made with a key of its own."""

    idempotency_key = None  # type: ignore[assignment]  # how DRF drops a field


class ChatOut(serializers.Serializer[Any]):
    """A chat."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["chat"])
    customer = serializers.CharField()
    created_at = serializers.DateTimeField()
    latest_at = serializers.DateTimeField()


class MessageOut(serializers.Serializer[Any]):
    """One thing said."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["chat_message"])
    chat = serializers.CharField()
    role = serializers.ChoiceField(choices=[code.lower() for code in Role.values])
    text = serializers.CharField(help_text="Plain text; show it as text, never as HTML.")
    source = serializers.ChoiceField(  # type: ignore[assignment] # the declared fields leave the class
        choices=[code.lower() for code in Source.values],
        allow_null=True,
        help_text="Whether a model answered or a template; null for the customer's own words.",
    )
    hand_over = serializers.BooleanField(help_text="The assistant could not help: let a person answer.")
    created_at = serializers.DateTimeField()


def render_chat(chat: Chat) -> dict[str, Any]:
    """Return a chat."""
    return {
        "id": chat.public_id,
        "object": "chat",
        "customer": chat.customer.public_id,
        "created_at": chat.created_at,
        "latest_at": chat.latest_at,
    }


def render_message(message: ChatMessage, chat: Chat) -> dict[str, Any]:
    """Return a message of that chat."""
    return {
        "id": message.public_id,
        "object": "chat_message",
        "chat": chat.public_id,
        "role": message.role.lower(),
        "text": message.text,
        "source": message.source.lower() or None,
        "hand_over": message.hand_over,
        "created_at": message.created_at,
    }
