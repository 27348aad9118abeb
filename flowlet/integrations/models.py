"""What we asked the vendors and what they told us."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.outcomes import Outcome
from flowlet.integrations.choices import EventStatus, VendorName


class VendorCall(models.Model):
    """
    One call to a vendor: what for, how long, how it ended. Never a body, never a secret.

    Rows are written once after the call; the database refuses edits.
    """

    vendor = models.CharField(max_length=10, choices=VendorName)
    operation = models.CharField(max_length=60)
    our_reference = models.CharField(max_length=80, blank=True, default="")
    vendor_reference = models.CharField(max_length=255, blank=True, default="")
    vendor_request_id = models.CharField(max_length=255, blank=True, default="")
    outcome = models.CharField(max_length=8, choices=[(item.value, item.value) for item in Outcome])
    code = models.CharField(max_length=80, blank=True, default="")
    alarm = models.BooleanField(default=False)
    is_lookup = models.BooleanField(default=False)
    elapsed_ms = models.PositiveIntegerField()
    called_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="vendor_call_outcome_known", condition=Q(outcome__in=[item.value for item in Outcome])
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["vendor", "-called_at", "-id"], name="vendor_call_recent"),
            models.Index(
                fields=["our_reference"], name="vendor_call_by_reference", condition=~Q(our_reference="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation} {self.outcome}"


class VendorEvent(models.Model):
    """
    One thing a vendor told us, stored once however often it comes, processed by a worker.

    The payload is kept encrypted: it may hold numbers and names of people. Who, what and when never change; the
    database refuses that and the deletion of a row.
    """

    public_id = PublicIdField(prefix="vev")
    vendor = models.CharField(max_length=10, choices=VendorName)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=120)
    object_reference = models.CharField(max_length=255, blank=True, default="")
    payload = EncryptedTextField()
    occurred_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=EventStatus, default=EventStatus.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vendor", "event_id"], name="vendor_event_once"),
            models.CheckConstraint(
                name="vendor_event_processed_has_time",
                condition=~Q(status=EventStatus.PROCESSED) | Q(processed_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at", "id"], name="vendor_event_due", condition=Q(next_try_at__isnull=False)
            ),
            models.Index(fields=["vendor", "-received_at", "-id"], name="vendor_event_recent"),
        ]
        permissions: ClassVar = [("retry_vendorevent", "Can have a vendor's event processed again")]

    def __str__(self) -> str:
        return f"{self.vendor} {self.type} {self.event_id}"
