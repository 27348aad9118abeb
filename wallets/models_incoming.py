"""References for incoming transfers, and which line of a bank came in by which of them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import PublicIdField
from wallets.choices import ReferenceKind, ReferenceState


class IncomingReference(models.Model):
    """
    What a transfer to our bank account carries so that it finds a wallet; nothing about it changes but its retirement.

    `reference` is in capitals without blanks: a code of ours, or an IBAN that a bank keeps for the wallet alone. The
    database checks its check digits, and that a wallet has one active code.
    """

    public_id = PublicIdField(prefix="irf")
    wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="references")
    kind = models.CharField(max_length=4, choices=ReferenceKind, default=ReferenceKind.CODE)
    reference = models.CharField(max_length=34, unique=True)
    state = models.CharField(max_length=7, choices=ReferenceState, default=ReferenceState.ACTIVE)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name = "reference for incoming transfers"
        verbose_name_plural = "references for incoming transfers"
        permissions: ClassVar = [
            ("give_incomingreference", "Can give and retire references for incoming transfers")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["wallet", "kind"], condition=Q(state="ACTIVE"), name="incomingreference_one_active"
            ),
            models.CheckConstraint(name="incomingreference_kind", condition=Q(kind__in=ReferenceKind.values)),
            models.CheckConstraint(
                name="incomingreference_retired_whole",
                condition=Q(state="ACTIVE", retired_at__isnull=True, retired_by="")
                | Q(state="RETIRED", retired_at__isnull=False) & ~Q(retired_by=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class IncomingTransfer(models.Model):
    """
    A line of a bank that was credited to a wallet by its reference: once a line, append-only.

    The line keeps who sent it.
    """

    deposit = models.OneToOneField("wallets.Deposit", models.PROTECT, related_name="incoming")
    reference = models.ForeignKey(IncomingReference, models.PROTECT, related_name="transfers")
    line = models.OneToOneField("ledger.BankLine", models.PROTECT, related_name="incoming_transfer")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"transfer of line {self.line_id}"
