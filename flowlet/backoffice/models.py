"""What the back office itself remembers: answers to forms, acts that wait for a second person, runs of jobs."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField


class FormReceipt(models.Model):
    """
    The one answer to a posted form: a second post of the same form gets it again and does nothing.

    Written in the transaction of the act, so that a receipt exists exactly when the act was done. Append-only.
    """

    form_id = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    object_id = models.CharField(max_length=80)
    message = models.CharField(max_length=300)
    next_href = models.CharField(max_length=500)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "form_id"], name="form_receipt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"


class ApprovalStatus(models.TextChoices):
    """How a request for a second person stands; all but PENDING are final."""

    PENDING = "PENDING", "Waiting"
    EXECUTED = "EXECUTED", "Approved and done"
    FAILED = "FAILED", "Approved, not possible"
    REJECTED = "REJECTED", "Rejected"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    EXPIRED = "EXPIRED", "Expired"
    VOID = "VOID", "Void: the object changed"


class Approval(models.Model):
    """
    One act that waits for a second person, with all that this person is shown.

    `payload` is what the act will use, `evidence` how the object stood when the maker asked; both and the maker are
    bound by `content_hash`, a SHA-256 of their canonical JSON. The content never changes; only the status moves, once.
    """

    public_id = PublicIdField(prefix="apr")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    payload = models.JSONField()
    evidence = models.JSONField()
    content_hash = models.CharField(max_length=64)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason_code = models.CharField(max_length=60)
    note = EncryptedTextField()
    status = models.CharField(max_length=9, choices=ApprovalStatus, default=ApprovalStatus.PENDING)
    outcome_code = models.CharField(max_length=60, blank=True, default="")
    outcome_text = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["action", "object_id"], condition=Q(status="PENDING"), name="approval_one_pending"
            ),
            models.UniqueConstraint(fields=["id", "maker"], name="approval_and_maker"),
            models.CheckConstraint(
                name="approval_decided_has_time",
                condition=Q(status="PENDING", decided_at__isnull=True)
                | ~Q(status="PENDING") & Q(decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="approval_expires_later", condition=Q(expires_at__gt=models.F("created_at"))
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(status="PENDING"), name="approval_pending"),
            models.Index(fields=["object_id", "action"], name="approval_by_object"),
            models.Index(fields=["-created_at", "-id"], name="approval_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"


class ApprovalVote(models.Model):
    """
    What one second person said; append-only.

    `maker` repeats the approval's, held equal by a foreign key over both columns, so that the database can refuse a
    checker who is the maker.
    """

    class Decision(models.TextChoices):
        """What was said."""

        APPROVE = "APPROVE", "Approved"
        REJECT = "REJECT", "Rejected"

    approval = models.ForeignKey(Approval, models.PROTECT, related_name="votes")
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decision = models.CharField(max_length=7, choices=Decision)
    seen_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=1000, blank=True, default="")
    voted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="vote_by_another", condition=~Q(checker=models.F("maker"))),
            models.UniqueConstraint(fields=["approval", "checker"], name="vote_once"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} of {self.approval_id}"


class JobRun(models.Model):
    """How a scheduled job last ended: one row for each task name, overwritten by each run."""

    class Outcome(models.TextChoices):
        """How it ended."""

        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"

    task = models.CharField(max_length=120, unique=True)
    outcome = models.CharField(max_length=6, choices=Outcome)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    result = models.CharField(max_length=200, blank=True, default="")
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    latest_failure_at = models.DateTimeField(null=True, blank=True)
    latest_failure = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return self.task
