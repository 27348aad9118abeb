"""What the gateway keeps: answers by idempotency key, and families of refresh tokens."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from flowlet.core.fields import PublicIdField


class IdempotencyRecord(models.Model):
    """
    The answer that was given for a key, as bytes, written in the transaction of its effect.

    `operation` is method and path template; `fingerprint` the SHA-256 of concrete address and canonical body.
    """

    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="+")
    operation = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    content_type = models.CharField(max_length=60)
    body = models.BinaryField()
    object_id = models.CharField(max_length=40, blank=True, default="")
    request_id = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # The key comes second: lists find objects by partner and key, whatever the operation.
            models.UniqueConstraint(fields=["partner", "key", "operation"], name="idempotency_key_once")
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return f"{self.operation} {self.object_id}"


class RefreshFamily(models.Model):
    """
    One sign-in of a partner's user: the refresh tokens that descend from it, of which only the latest is good.

    Using an older one ends the family. `expires_at` is fixed at sign-in: refreshing does not prolong it.
    """

    public_id = PublicIdField(prefix="rfm")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="refresh_families")
    current_jti = models.CharField(max_length=32, unique=True)
    security_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=20, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    agent = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "refresh families"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="refresh_family_revoked_whole",
                condition=models.Q(revoked_at__isnull=True, reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(reason="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_id} of {self.user_id}"
