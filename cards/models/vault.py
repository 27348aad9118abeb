"""The built-in processor's vault: the only table that holds a card number, and only sealed."""

from typing import ClassVar

from django.db import models

from flowlet.core.fields import EncryptedTextField, PublicIdField


class VaultEntry(models.Model):
    """
    One card number (PAN, ISO/IEC 7812) under its token; append-only.

    Sandbox numbers begin with 9999, which is given to no scheme. No verification value, PIN or track is stored: the
    verification value is derived where it is needed. `fingerprint` is a keyed digest of the whole number, unique.
    """

    public_id = PublicIdField(prefix="tok")
    pan = EncryptedTextField()
    fingerprint = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "vault entries"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fingerprint"], name="vault_number_once"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
