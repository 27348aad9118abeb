"""Payments: an instruction to move money and how it ended."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.errors import InvariantBroken
from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX, Money
from payments.choices import WALLET_KINDS, PaymentKind, PaymentStatus, RefundStatus, StepState
from wallets.models import Wallet


class Payment(models.Model):
    """
    One instruction to pay: between wallets of one partner and currency, from outside into one, or from one to a bank.

    The database lets its state move forward only, and nothing else of it change but what was refunded. One that was
    refused, failed or canceled names why and has moved nothing; a returned one names why and has moved there and back.
    `hold` keeps money aside while it is held for review or under way to a bank. `fraud_decision` names the decision
    that let it pass or not; '' for what was loaded as history. `parked`: the money came, but the wallet did not take
    it; it waits on the suspense account.
    """

    public_id = PublicIdField(prefix="pay")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=8, choices=PaymentKind, default=PaymentKind.P2P)
    rail = models.CharField(max_length=30, default="internal")
    payer_wallet = models.ForeignKey(
        "wallets.Wallet", models.PROTECT, null=True, blank=True, related_name="payments_out"
    )
    payee_wallet = models.ForeignKey(
        "wallets.Wallet", models.PROTECT, null=True, blank=True, related_name="payments_in"
    )
    bank_account = models.ForeignKey(
        "wallets.BankAccount", models.PROTECT, null=True, blank=True, related_name="payouts"
    )
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
    returned = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, null=True, blank=True, related_name="payment_returned"
    )
    hold = models.OneToOneField("ledger.Hold", models.PROTECT, null=True, blank=True, related_name="payment")
    fraud_decision = models.CharField(max_length=40, blank=True, default="")
    refunded_minor = models.BigIntegerField(default=0)
    refunding_minor = models.BigIntegerField(default=0)
    parked = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [
            ("decide_payment", "Can release or refuse held payments"),
            ("check_payment", "Can have a rail asked about a payment"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="payment_amount_positive", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(name="payment_two_wallets", condition=~Q(payer_wallet=F("payee_wallet"))),
            models.CheckConstraint(
                name="payment_ended_whole",
                condition=Q(
                    status="COMPLETED",
                    transaction__isnull=False,
                    completed_at__isnull=False,
                    returned__isnull=True,
                    refusal_code="",
                )
                | Q(status="RETURNED", transaction__isnull=False, completed_at__isnull=False)
                & Q(returned__isnull=False)
                & ~Q(refusal_code="")
                | Q(transaction__isnull=True, completed_at__isnull=True, returned__isnull=True)
                & (
                    Q(status__in=("REFUSED", "FAILED", "CANCELED")) & ~Q(refusal_code="")
                    | Q(
                        status__in=("PROCESSING", "OUTCOME_UNKNOWN", "HELD", "REQUIRES_ACTION"),
                        refusal_code="",
                    )
                ),
            ),
            models.CheckConstraint(
                name="payment_sides_by_kind",
                condition=Q(kind__in=WALLET_KINDS, payer_wallet__isnull=False, payee_wallet__isnull=False)
                & Q(bank_account__isnull=True)
                & ~Q(status__in=("OUTCOME_UNKNOWN", "RETURNED"))
                | Q(kind="TOP_UP", payer_wallet__isnull=True, payee_wallet__isnull=False)
                | Q(kind="PAYOUT", payer_wallet__isnull=False, payee_wallet__isnull=True)
                & Q(bank_account__isnull=False),
            ),
            models.CheckConstraint(
                name="payment_held_has_hold", condition=~Q(status="HELD") | Q(hold__isnull=False)
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
            models.Index(
                fields=["created_at", "id"],
                name="payment_waiting",
                condition=Q(status__in=("HELD", "REQUIRES_ACTION")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)

    @property
    def own_wallet(self) -> Wallet:
        """The wallet on our side that the payment is about: the payer's, for a top-up the payee's."""
        wallet = self.payer_wallet or self.payee_wallet
        if wallet is None:
            raise InvariantBroken(f"payment {self.public_id} has no wallet")
        return wallet

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
    """
    One try to carry a payment over a rail.

    `payment_method` is the vendor's token of the card or the id of the bank account, never a number of either.
    """

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
