"""Postings that need not happen at once: they wait here and are posted many in one call."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from ledger.choices import QueueState


class QueuedPosting(models.Model):
    """
    A draft that waits. The ledger knows its key too, so a draft that was posted is never posted twice.

    `draft` is JSON under encryption, since it carries the text. FAILED rows say why and wait for a person.
    """

    public_id = PublicIdField(prefix="qpo")
    source = models.CharField(max_length=40)
    source_key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    draft = EncryptedTextField()
    state = models.CharField(max_length=6, choices=QueueState, default=QueueState.QUEUED)
    attempts = models.IntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_detail = models.CharField(max_length=300, blank=True, default="")
    transaction = models.CharField(max_length=40, blank=True, default="")
    queued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [("retry_queuedposting", "Can have a queued posting tried again")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "source_key"], name="queued_posting_once"),
            models.CheckConstraint(
                name="queued_posting_ended",
                condition=Q(state="QUEUED", transaction="", ended_at__isnull=True)
                | Q(state="POSTED", ended_at__isnull=False) & ~Q(transaction="")
                | Q(state="FAILED", transaction="", ended_at__isnull=False) & ~Q(error_code=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state="QUEUED"), name="queued_posting_waiting"),
            models.Index(fields=["id"], condition=Q(state="FAILED"), name="queued_posting_failed"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
