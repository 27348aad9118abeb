"""What is said to people, in which words, whether they want it, and the codes that prove who they are."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.notifications.choices import (
    ChallengeStatus,
    Channel,
    MessageKind,
    MessageStatus,
    OptOutSource,
)


class Template(models.Model):
    """
    The words of one message in one language; a newer version replaces an older one, rows are never edited.

    `text` holds `$name` marks and no code. Without a row the built-in words (version 0, `texts.py`) are used.
    """

    code = models.CharField(max_length=60)
    language = models.CharField(max_length=5)
    channel = models.CharField(max_length=5, choices=Channel)
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code", "language", "channel", "version"], name="template_version_once"
            ),
            models.CheckConstraint(name="template_version_positive", condition=Q(version__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.language} v{self.version}"


class Message(models.Model):
    """
    One message to one person for one cause. Number and words are encrypted; they hold no card number, no balance.

    `reason` says in a code why it was suppressed or failed. `next_step_at` is when a worker looks at it again.
    """

    public_id = PublicIdField(prefix="msg")
    cause = models.CharField(max_length=100)
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="messages")
    channel = models.CharField(max_length=5, choices=Channel)
    kind = models.CharField(max_length=9, choices=MessageKind)
    template = models.CharField(max_length=60)
    template_version = models.PositiveIntegerField()
    language = models.CharField(max_length=5)
    to = EncryptedTextField()
    text = EncryptedTextField()
    status = models.CharField(max_length=11, choices=MessageStatus)
    reason = models.CharField(max_length=60, blank=True, default="")
    vendor_reference = models.CharField(max_length=255, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    sending_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["cause", "customer", "channel"], name="message_once_for_each_cause"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_step_at", "id"], name="message_due", condition=Q(next_step_at__isnull=False)
            ),
            models.Index(fields=["customer", "-queued_at", "-id"], name="message_by_customer"),
            models.Index(fields=["-queued_at", "-id"], name="message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.template} {self.status}"


class Preference(models.Model):
    """That a person does not want a kind of message on a channel; with source CARRIER none may be sent at all."""

    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="message_preferences")
    channel = models.CharField(max_length=5, choices=Channel)
    kind = models.CharField(max_length=9, choices=MessageKind)
    source = models.CharField(max_length=7, choices=OptOutSource)
    opted_out_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "channel", "kind", "source"], name="preference_said_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: no {self.kind} by {self.channel}"


class PartnerSetting(models.Model):
    """What a partner wants to be written to its customers; without a row, nothing."""

    partner = models.OneToOneField("identity.Partner", models.PROTECT, related_name="message_setting")
    payment_messages = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.partner_id}: {'with' if self.payment_messages else 'without'} payment messages"


class CodeThreshold(models.Model):
    """From which amount on a partner's payers must prove themselves by a code, in one currency."""

    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="code_thresholds")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "currency"], name="code_threshold_once"),
            models.CheckConstraint(name="code_threshold_not_below_zero", condition=Q(amount_minor__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.amount_minor} {self.currency}"


class Challenge(models.Model):
    """
    One one-time code for one purpose. The code itself is the carrier's; we know only whether it was right.

    A PLANNED one is sent by a worker at `next_step_at`; `expires_at` counts from the sending then.

    `purpose` names what it allows, such as `payment.confirm:pay_…`: an approval is good for that alone.
    """

    public_id = PublicIdField(prefix="chl")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="challenges")
    purpose = models.CharField(max_length=100)
    status = models.CharField(max_length=8, choices=ChallengeStatus, default=ChallengeStatus.STARTING)
    reason = models.CharField(max_length=60, blank=True, default="")
    vendor_reference = models.CharField(max_length=255, blank=True, default="")
    language = models.CharField(max_length=5, default="en")
    checks = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="challenge_approved_has_time",
                condition=Q(status=ChallengeStatus.APPROVED, approved_at__isnull=False)
                | (~Q(status=ChallengeStatus.APPROVED) & Q(approved_at__isnull=True)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-created_at", "-id"], name="challenge_by_customer"),
            models.Index(
                fields=["next_step_at", "id"],
                name="challenge_due",
                condition=Q(next_step_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.purpose} {self.status}"
