"""Payments: an instruction to move money and how it ended."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX, Money
from payments.choices import PaymentKind, PaymentStatus, RefundStatus, StepState


class Payment(models.Model):
    """
    One instruction to pay: from one wallet to another of the same partner and currency, or from a card to a wallet.

    The database lets its state move forward only, and nothing else of it change but what was refunded. One that was
    refused or failed names why and has moved nothing. `parked`: the money came, but the wallet did not take it; it
    waits on the suspense account.
    """

    public_id = PublicIdField(prefix="pay")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=8, choices=PaymentKind, default=PaymentKind.P2P)
    rail = models.CharField(max_length=30, default="internal")
    payer_wallet = models.ForeignKey(
        "wallets.Wallet", models.PROTECT, null=True, blank=True, related_name="payments_out"
    )
    payee_wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="payments_in")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=15, choices=PaymentStatus)
    refusal_code = models.CharField(max_length=60, blank=True, default="")
    refusal_detail = models.CharField(max_length=200, blank=True, default="")
    description = models.CharField(max_length=140, blank=True, default="")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, null=True, blank=True, related_name="payment"
    )
    refunded_minor = models.BigIntegerField(default=0)
    refunding_minor = models.BigIntegerField(default=0)
    parked = models.BooleanField(default=False)
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
                    status__in=("COMPLETED", "RETURNED"),
                    transaction__isnull=False,
                    completed_at__isnull=False,
                    refusal_code="",
                )
                | Q(status__in=("REFUSED", "FAILED"), transaction__isnull=True, completed_at__isnull=True)
                & ~Q(refusal_code="")
                | Q(
                    status__in=("PROCESSING", "OUTCOME_UNKNOWN"),
                    transaction__isnull=True,
                    completed_at__isnull=True,
                    refusal_code="",
                ),
            ),
            models.CheckConstraint(
                name="payment_payer_by_kind",
                condition=Q(kind="P2P", payer_wallet__isnull=False, status__in=("COMPLETED", "REFUSED"))
                | Q(kind="TOP_UP", payer_wallet__isnull=True),
            ),
            models.CheckConstraint(
                name="payment_refunds_fit",
                condition=Q(refunded_minor__gte=0, refunding_minor__gte=0)
                & Q(amount_minor__gte=F("refunded_minor") + F("refunding_minor"))
                & (Q(refunded_minor=0, refunding_minor=0) | Q(kind="TOP_UP", status="COMPLETED")),
            ),
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="payment_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="payment_newest"),
            models.Index(fields=["partner", "-created_at", "-id"], name="payment_by_partner"),
            models.Index(fields=["payer_wallet", "-created_at", "-id"], name="payment_by_payer"),
            models.Index(fields=["payee_wallet", "-created_at", "-id"], name="payment_by_payee"),
            models.Index(fields=["amount_minor", "-id"], name="payment_by_amount"),
            models.Index(
                fields=["-created_at"], name="payment_unknown", condition=Q(status="OUTCOME_UNKNOWN")
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)

    @property
    def refundable(self) -> Money:
        """What can still be given back."""
        if self.kind != PaymentKind.TOP_UP or self.status != PaymentStatus.COMPLETED:
            return Money(0, self.currency)
        return Money(self.amount_minor - self.refunded_minor - self.refunding_minor, self.currency)


class VendorStep(models.Model):
    """
    One thing a vendor was asked to do: reserved, then called, then settled.

    `our_reference` goes to the vendor as idempotency key and as metadata. `next_check_at` is when a worker takes the
    step up again; None while an unsettled step waits for a person.
    """

    our_reference = models.CharField(max_length=80, unique=True)
    vendor_reference = models.CharField(max_length=255, blank=True, default="")
    vendor_code = models.CharField(max_length=80, blank=True, default="")
    state = models.CharField(max_length=8, choices=StepState, default=StepState.PLANNED)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    checks = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def settled(self) -> bool:
        """Tell whether the vendor has said yes or no."""
        return self.state in (StepState.DONE, StepState.REFUSED)


class PaymentAttempt(VendorStep):
    """One try to carry a payment over a rail; `payment_method` is the vendor's token of the card, never its number."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(default=1)
    payment_method = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["payment"],
                name="attempt_one_open",
                condition=~Q(state__in=("DONE", "REFUSED")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at", "id"], name="attempt_due", condition=Q(next_check_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.our_reference


class PaymentReturn(models.Model):
    """
    That a bank took back a top-up after it had come; `transaction` is the contra entry, `reason_code` the bank's.

    One for each of the vendor's objects: a return that is told twice is booked once.
    """

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="returned")
    rail = models.CharField(max_length=30)
    vendor_reference = models.CharField(max_length=255)
    reason_code = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, related_name="payment_return"
    )
    returned_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="return_amount_positive", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.UniqueConstraint(fields=["rail", "vendor_reference"], name="return_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rail} {self.reason_code}"


class Refund(VendorStep):
    """
    Part or all of a top-up on its way back to the card.

    `transaction` took the money from the wallet when the refund was made; `returned` gave it back when it failed.
    """

    public_id = PublicIdField(prefix="rfd")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=RefundStatus, default=RefundStatus.PENDING)
    reason = models.CharField(max_length=140, blank=True, default="")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, related_name="payment_refund"
    )
    returned = models.OneToOneField(
        "ledger.LedgerTransaction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payment_refund_returned",
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="refund_amount_positive", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(
                name="refund_failed_is_returned",
                condition=Q(status="FAILED", returned__isnull=False)
                | Q(status__in=("PENDING", "SUCCEEDED"), returned__isnull=True),
            ),
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="refund_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at", "id"], name="refund_due", condition=Q(next_check_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)
