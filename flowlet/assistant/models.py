"""Support chats: what was said, encrypted, and how each answer was made. Kept for a time, then gone."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.assistant.choices import Role, Source
from flowlet.core.fields import EncryptedTextField, PublicIdField


class Chat(models.Model):
    """One conversation of one customer; `latest_at` is when something was last said in it."""

    public_id = PublicIdField(prefix="cht")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="chats")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="chats")
    created_at = models.DateTimeField()
    latest_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="chat_by_partner"),
            models.Index(fields=["customer", "-created_at", "-id"], name="chat_by_customer"),
            models.Index(fields=["-latest_at", "-id"], name="chat_latest"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class ChatMessage(models.Model):
    """
    One thing said. An answer names its question and how it came about: model, version of the prompt, tokens.

    `sent_digest` is the SHA-256 of what left the house for it, '' when nothing did; `reason` says in a code why a
    template answered. The database refuses edits; the retention job deletes.
    """

    public_id = PublicIdField(prefix="chm")
    chat = models.ForeignKey(Chat, models.PROTECT, related_name="messages")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="+")
    role = models.CharField(max_length=9, choices=Role)
    text = EncryptedTextField()
    question = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="answer")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source, blank=True, default="")
    reason = models.CharField(max_length=60, blank=True, default="")
    model = models.CharField(max_length=60, blank=True, default="")
    prompt_version = models.CharField(max_length=20, blank=True, default="")
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    sent_digest = models.CharField(max_length=64, blank=True, default="")
    hand_over = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chat", "idempotency_key"], name="chat_message_key_once"),
            models.CheckConstraint(
                name="chat_answer_has_question",
                condition=Q(role=Role.ASSISTANT, question__isnull=False) & ~Q(source="")
                | Q(role=Role.CUSTOMER, question__isnull=True, source=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["chat", "id"], name="chat_message_by_chat"),
            models.Index(fields=["partner", "created_at"], name="chat_message_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.public_id}"
