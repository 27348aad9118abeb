"""The audit trail: rows that can be written once and never changed, each with a keyed digest."""

from typing import ClassVar

from django.db import models


class AuditRecord(models.Model):
    """
    One act: who did what to which object, when, with which outcome.

    The database fills `epoch`, `xid`, `recorded_at`, `origin`, `db_user` and `mac` whatever was sent, and refuses
    UPDATE, DELETE and TRUNCATE. Actors and objects are values, not foreign keys: this room lies below theirs.
    `changes` is JSON as text (`{"status": ["ACTIVE", "FROZEN"]}`), since what is signed is stored as it was signed.
    """

    class Origin(models.TextChoices):
        """Where the row came from."""

        APP = "APP", "Application"
        DATABASE = "DATABASE", "Raw SQL, unsigned"

    class Outcome(models.TextChoices):
        """How the act ended."""

        DONE = "DONE", "Done"
        REFUSED = "REFUSED", "Refused"
        FAILED = "FAILED", "Failed"

    epoch = models.SmallIntegerField(default=1)
    xid = models.BigIntegerField(default=0)
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.DATABASE)
    partner_id = models.BigIntegerField(null=True)
    customer = models.CharField(max_length=40, blank=True, default="")
    actor_kind = models.CharField(max_length=8)
    actor = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=160, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    request_id = models.CharField(max_length=40, blank=True, default="")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    outcome = models.CharField(max_length=8, choices=Outcome)
    reason_code = models.CharField(max_length=60, blank=True, default="")
    changes = models.TextField(blank=True, default="{}")
    note_digest = models.CharField(max_length=64, blank=True, default="")
    db_user = models.CharField(max_length=63, blank=True, default="")
    key_id = models.IntegerField(null=True)
    nonce = models.BinaryField(null=True)
    mac = models.BinaryField(null=True)

    class Meta:
        permissions: ClassVar = [
            ("verify_auditrecord", "Can verify the whole audit trail"),
            ("export_auditrecord", "Can export the audit trail"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(
                fields=["customer", "-id"], name="audit_by_customer", condition=~models.Q(customer="")
            ),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["request_id"], name="audit_by_request", condition=~models.Q(request_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class AuditNote(models.Model):
    """The words a person gave with an act: the only part that may be erased; the record keeps their digest."""

    record = models.OneToOneField(AuditRecord, models.PROTECT, related_name="note", primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    ciphertext = models.BinaryField()

    def __str__(self) -> str:
        return f"note of record {self.pk}"
