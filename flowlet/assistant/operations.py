"""Holding a chat: the question is kept, then answered outside any transaction, then the answer is kept. And forgetting."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum

from flowlet.assistant.answering import PROMPT_VERSION, Answered, Said, answer
from flowlet.assistant.choices import Role
from flowlet.assistant.errors import ChatFull, MessageKeyReused
from flowlet.assistant.models import Chat, ChatMessage
from flowlet.audit import trail
from flowlet.identity.models import Customer

MESSAGES_MAX = 100
_HISTORY = 6
_DAY = timedelta(days=1)


@transaction.atomic
def open_chat(*, customer_id: int, now: datetime) -> Chat:
    """Open a chat about one customer and his things; nothing can be asked about anybody else in it."""
    customer = Customer.objects.get(pk=customer_id)
    chat = Chat.objects.create(
        partner_id=customer.partner_id, customer=customer, created_at=now, latest_at=now
    )
    trail.record(
        action="chat.open",
        object_type="chat",
        object_id=chat.public_id,
        partner_id=chat.partner_id,
        customer=customer.public_id,
    )
    return chat


def ask(*, chat_id: int, text: str, idempotency_key: str | None, now: datetime) -> ChatMessage:
    """
    Keep a customer's question, answer it, keep the answer and return it; the same key gives the same answer.

    May call OpenAI, so it may not run inside a transaction; always answers, from a template if need be. A question
    whose worker died before the answer is answered when it is asked again under its key.

    :raises ChatFull: if the chat has as many messages as one may have
    :raises MessageKeyReused: if the key stands for another text
    """
    question = _keep_question(chat_id, text, idempotency_key, now)
    known = ChatMessage.objects.filter(question=question).first()
    if known is not None:
        return known
    before = list(ChatMessage.objects.filter(chat_id=chat_id, pk__lt=question.pk).order_by("-pk")[:_HISTORY])
    found = answer(
        customer=question.chat.customer,
        question=text,
        history=[Said(one.role, one.text) for one in reversed(before)],
        reference=question.public_id,
        may_ask=_over_budget(question.partner_id, now),
    )
    return _keep_answer(question, found, now)


def delete_old(*, now: datetime, limit: int = 500) -> int:
    """Delete chats in which nothing was said for as long as they are kept, and return how many; safe to run twice."""
    kept = timedelta(days=settings.ASSISTANT_CHATS_KEPT_DAYS)
    old = Chat.objects.filter(latest_at__lt=now - kept).order_by("latest_at", "pk")
    count = 0
    for chat in old[:limit]:
        with transaction.atomic():
            messages = ChatMessage.objects.filter(chat=chat)
            messages.filter(role=Role.ASSISTANT).delete()
            messages.delete()
            trail.record(
                action="chat.delete",
                object_type="chat",
                object_id=chat.public_id,
                reason_code="RETENTION",
                partner_id=chat.partner_id,
            )
            chat.delete()
        count += 1
    return count


@transaction.atomic
def _keep_question(chat_id: int, text: str, key: str | None, now: datetime) -> ChatMessage:
    rows = ChatMessage.objects.select_related("chat__customer").filter(chat_id=chat_id)
    known = rows.filter(idempotency_key=key).first() if key else None
    if known is not None:
        if known.text != text:
            raise MessageKeyReused
        return known
    if rows.count() >= MESSAGES_MAX:
        raise ChatFull(most=MESSAGES_MAX)
    chat = Chat.objects.select_related("customer").get(pk=chat_id)
    Chat.objects.filter(pk=chat_id).update(latest_at=now)
    return ChatMessage.objects.create(
        chat=chat,
        partner_id=chat.partner_id,
        role=Role.CUSTOMER,
        text=text,
        idempotency_key=key,
        created_at=now,
    )


def _keep_answer(question: ChatMessage, found: Answered, now: datetime) -> ChatMessage:
    try:
        with transaction.atomic():
            return ChatMessage.objects.create(
                chat_id=question.chat_id,
                partner_id=question.partner_id,
                role=Role.ASSISTANT,
                question=question,
                text=found.text,
                source=found.source,
                reason=found.reason[:60],
                model=found.model,
                prompt_version=PROMPT_VERSION if found.sent_digest else "",
                tokens_in=found.tokens_in,
                tokens_out=found.tokens_out,
                sent_digest=found.sent_digest,
                hand_over=found.hand_over,
                created_at=now,
            )
    except IntegrityError:
        # Asked twice at the same instant: the first answer stands.
        return ChatMessage.objects.get(question=question)


def _over_budget(partner_id: int, now: datetime) -> str:
    """Return a code when a partner has used up what its chats may cost in a day, else ''."""
    rows = ChatMessage.objects.filter(partner_id=partner_id, created_at__gt=now - _DAY)
    used = rows.aggregate(tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"))
    total = (used["tokens_in"] or 0) + (used["tokens_out"] or 0)
    return "over_budget" if total >= settings.ASSISTANT_TOKENS_PER_DAY else ""
