"""The event log, which is the outbox as well: a row is written with the fact, relayed after the commit."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import PublicIdField


class Event(models.Model):
    """
    One fact, for the partner or for the house only. Rows are never changed but for `relayed_at`.

    `sequence` counts 1, 2, 3 … per object without gaps, so that a reader sees what he missed without a clock.
    `data` holds ids, states and amounts, no personal data.
    """

    class Visibility(models.TextChoices):
        """Who may see it."""

        PARTNER = "PARTNER", "Partner"
        INTERNAL = "INTERNAL", "House only"

    public_id = PublicIdField(prefix="evt")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, null=True, related_name="events")
    type = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    sequence = models.BigIntegerField()
    data = models.JSONField(default=dict)
    visibility = models.CharField(max_length=8, choices=Visibility)
    occurred_at = models.DateTimeField()
    request_id = models.CharField(max_length=40, blank=True, default="")
    relayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["object_id", "sequence"], name="event_sequence_once"),
            models.CheckConstraint(name="event_sequence_positive", condition=Q(sequence__gt=0)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="event_unrelayed", condition=Q(relayed_at__isnull=True)),
            models.Index(fields=["partner", "-occurred_at", "-id"], name="event_by_partner"),
            models.Index(fields=["type", "-id"], name="event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id} #{self.sequence}"


class ObjectSequence(models.Model):
    """The latest sequence number of an object; its row lock orders the writers of that object."""

    object_id = models.CharField(max_length=40, primary_key=True)
    latest = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.object_id}: {self.latest}"
