"""What the back office itself remembers: the answer each posted form got."""

from typing import ClassVar

from django.conf import settings
from django.db import models


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
