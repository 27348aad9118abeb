"""What we asked the vendors, what they told us, and the banks that customers let us reach through them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.outcomes import Outcome
from flowlet.integrations.choices import EventStatus, LinkStatus, OwnerMatch, VendorName


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


class VendorCursor(models.Model):
    """How far we have read a vendor's list of events; it only goes forward."""

    name = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.position}"


class BankLink(models.Model):
    """
    One bank that a customer linked through Plaid; the access token is a secret and gone once the link is removed.

    `token_digest` is that of the public token it was made from: the same token again finds the same link.
    """

    public_id = PublicIdField(prefix="blk")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="bank_links")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="bank_links")
    token_digest = models.BinaryField(unique=True)
    vendor_reference = models.CharField(max_length=255, blank=True, default="")
    access_token = EncryptedTextField(null=True, blank=True)
    institution = models.CharField(max_length=120, blank=True, default="")
    status = models.CharField(max_length=8, choices=LinkStatus, default=LinkStatus.PENDING)
    reason = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bank_link_usable_has_token",
                condition=~Q(status__in=("ACTIVE", "BROKEN", "REMOVING")) | Q(access_token__isnull=False),
            ),
            models.CheckConstraint(
                name="bank_link_removed_has_none",
                condition=~Q(status="REMOVED") | Q(access_token__isnull=True, removed_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="bank_link_by_partner"),
            models.Index(fields=["customer", "-created_at", "-id"], name="bank_link_by_customer"),
            models.Index(fields=["-created_at", "-id"], name="bank_link_newest"),
            models.Index(fields=["vendor_reference"], name="bank_link_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.institution or 'Bank'} {self.public_id}"


class LinkedAccount(models.Model):
    """An account at a linked bank: its name and last digits, and whether its owner seems to be the customer."""

    public_id = PublicIdField(prefix="lac")
    link = models.ForeignKey(BankLink, models.PROTECT, related_name="accounts")
    vendor_reference = models.CharField(max_length=255)
    name = models.CharField(max_length=120)
    mask = models.CharField(max_length=8, blank=True, default="")
    subtype = models.CharField(max_length=30, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    owner_match = models.CharField(max_length=12, choices=OwnerMatch, default=OwnerMatch.NOT_POSSIBLE)
    owner_score = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["link", "vendor_reference"], name="linked_account_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} •••• {self.mask}"

    @property
    def usable(self) -> bool:
        """Tell whether money may be drawn from it: the link lives and the owner seems to be the customer."""
        owned = self.owner_match in (OwnerMatch.MATCH, OwnerMatch.CLOSE_MATCH)
        return owned and self.link.status == LinkStatus.ACTIVE
