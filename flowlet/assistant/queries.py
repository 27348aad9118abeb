"""Reads of chats."""

from django.db.models import Count, QuerySet

from flowlet.assistant.models import Chat, ChatMessage
from flowlet.core.errors import NotFound


def list_chats(*, partner_id: int) -> QuerySet[Chat]:
    """Return a partner's chats with their customers, newest first."""
    rows = Chat.objects.filter(partner_id=partner_id).select_related("customer")
    return rows.order_by("-created_at", "-id")


def get_chat(*, partner_id: int, public_id: str) -> Chat:
    """
    Return a partner's chat with its customer.

    :raises NotFound: if it is absent or another partner's
    """
    chat = list_chats(partner_id=partner_id).filter(public_id=public_id).first()
    if chat is None:
        raise NotFound
    return chat


def list_messages(*, chat_id: int) -> QuerySet[ChatMessage]:
    """Return what was said in a chat, newest first."""
    rows = ChatMessage.objects.filter(chat_id=chat_id).select_related("question")
    return rows.order_by("-created_at", "-id")


def with_counts(rows: QuerySet[Chat]) -> QuerySet[Chat]:
    """Return chats with `message_count`."""
    return rows.annotate(message_count=Count("messages"))
