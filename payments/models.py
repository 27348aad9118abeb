"""Payments: an instruction to move money and how it ended."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX, Money
from payments.choices import PaymentKind, PaymentStatus


class Payment(models.Model):
    """
    One instruction to pay, from one wallet to another of the same partner and currency.

    Written once in its final state: the database refuses every change. A refused one names why and has moved nothing.
    """

    public_id = PublicIdField(prefix="pay")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=8, choices=PaymentKind, default=PaymentKind.P2P)
    rail = models.CharField(max_length=30, default="internal")
    payer_wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="payments_out")
    payee_wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="payments_in")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=PaymentStatus)
    refusal_code = models.CharField(max_length=60, blank=True, default="")
    refusal_detail = models.CharField(max_length=200, blank=True, default="")
    description = models.CharField(max_length=140, blank=True, default="")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, null=True, blank=True, related_name="payment"
    )
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="payment_amount_positive", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(name="payment_two_wallets", condition=~Q(payer_wallet=F("payee_wallet"))),
            models.CheckConstraint(
                name="payment_ended_whole",
                condition=Q(
                    status="COMPLETED", transaction__isnull=False, completed_at__isnull=False, refusal_code=""
                )
                | Q(status="REFUSED", transaction__isnull=True, completed_at__isnull=True)
                & ~Q(refusal_code=""),
            ),
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="payment_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="payment_newest"),
            models.Index(fields=["partner", "-created_at", "-id"], name="payment_by_partner"),
            models.Index(fields=["payer_wallet", "-created_at", "-id"], name="payment_by_payer"),
            models.Index(fields=["payee_wallet", "-created_at", "-id"], name="payment_by_payee"),
            models.Index(fields=["amount_minor", "-id"], name="payment_by_amount"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)
