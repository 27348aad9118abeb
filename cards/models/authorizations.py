"""Authorisations, what the network told about them, what was booked, and why each was answered as it was."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cards.choices import AuthorizationState, Channel, EventKind, ExceptionCode, Outcome
from cards.models.issuing import Card
from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX, Money


class CardAuthorization(models.Model):
    """
    A promise to a merchant, or its refusal; amounts in minor units of the card's currency.

    `authorized_minor`, `cleared_minor`, `refunded_minor` and `state` are what `policies.position` makes of the network's
    events; `hold` sets aside what is promised and not cleared. `counted_minor` is what the limits count for it.
    """

    public_id = PublicIdField(prefix="cau")
    card = models.ForeignKey(Card, models.PROTECT, related_name="authorizations")
    processor = models.CharField(max_length=40)
    network_reference = models.CharField(max_length=80)
    body_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=AuthorizationState)
    requested_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    merchant_minor = models.BigIntegerField()
    merchant_currency = models.CharField(max_length=3)
    merchant_id = models.CharField(max_length=40, blank=True, default="")
    merchant_name = models.CharField(max_length=80)
    mcc = models.CharField(max_length=4)
    country = models.CharField(max_length=2)
    channel = models.CharField(max_length=9, choices=Channel)
    network_time = models.DateTimeField()
    expires_at = models.DateTimeField()
    hold = models.OneToOneField("ledger.Hold", models.PROTECT, null=True, blank=True, related_name="+")
    authorized_minor = models.BigIntegerField(default=0)
    cleared_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    counted_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "card authorisation"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["processor", "network_reference"], name="authorization_once"),
            models.CheckConstraint(
                name="authorization_amounts",
                condition=Q(
                    requested_minor__gte=0,
                    requested_minor__lte=MINOR_MAX,
                    authorized_minor__gte=0,
                    cleared_minor__gte=0,
                    refunded_minor__gte=0,
                    counted_minor__gte=0,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["card", "-created_at", "-id"], name="authorization_by_card"),
            models.Index(fields=["-created_at", "-id"], name="authorization_newest"),
            models.Index(fields=["expires_at"], condition=Q(state="OPEN"), name="authorization_open"),
        ]

    def __str__(self) -> str:
        return f"{self.merchant_name}, {self.amount}"

    @property
    def amount(self) -> Money:
        """What the merchant asked for, in the card's currency."""
        return Money(self.requested_minor, self.currency)


class NetworkEvent(models.Model):
    """
    One message of the network, in whatever order it came; append-only.

    `network_reference` names the authorisation it belongs to, or nothing; one that came before its authorisation waits
    and is found by that reference. `amount_minor` is in the card's currency; `final` says that no clearing follows.
    """

    card = models.ForeignKey(Card, models.PROTECT, related_name="network_events")
    processor = models.CharField(max_length=40)
    kind = models.CharField(max_length=9, choices=EventKind)
    reference = models.CharField(max_length=80)
    network_reference = models.CharField(max_length=80, blank=True, default="")
    network_time = models.DateTimeField()
    amount_minor = models.BigIntegerField()
    final = models.BooleanField(default=False)
    merchant_name = models.CharField(max_length=80, blank=True, default="")
    mcc = models.CharField(max_length=4, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    digest = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["processor", "kind", "reference"], name="network_event_once"),
            models.CheckConstraint(
                name="network_event_amount", condition=Q(amount_minor__gte=0, amount_minor__lte=MINOR_MAX)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["processor", "network_reference"], name="network_event_by_auth"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class CardTransaction(models.Model):
    """A clearing or refund as it was booked, once for its event; append-only."""

    public_id = PublicIdField(prefix="ctx")
    event = models.OneToOneField(NetworkEvent, models.PROTECT, related_name="booked")
    card = models.ForeignKey(Card, models.PROTECT, related_name="transactions")
    authorization = models.ForeignKey(
        CardAuthorization, models.PROTECT, null=True, blank=True, related_name="transactions"
    )
    kind = models.CharField(max_length=9, choices=EventKind)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exception_code = models.CharField(max_length=20, choices=ExceptionCode, blank=True, default="")
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, related_name="card_transaction"
    )
    booked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="card_transaction_amount", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(name="card_transaction_kind", condition=Q(kind__in=("CLEAR", "REFUND"))),
        ]
        indexes: ClassVar = [
            models.Index(fields=["card", "-booked_at", "-id"], name="card_transaction_by_card"),
            models.Index(fields=["-booked_at", "-id"], name="card_transaction_newest"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)


class CardDecision(models.Model):
    """
    Why an authorisation was answered as it was: every check with what it saw; append-only.

    `checks` holds, for each, its name, whether it passed, the value it saw, the limit, and what would have been left.
    """

    authorization = models.OneToOneField(CardAuthorization, models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=8, choices=Outcome)
    network_code = models.CharField(max_length=2)
    reason = models.CharField(max_length=40, blank=True, default="")
    reasons = ArrayField(models.CharField(max_length=40), default=list)
    approved_minor = models.BigIntegerField()
    checks = models.JSONField()
    controls_version = models.PositiveIntegerField(null=True, blank=True)
    fraud_decision = models.CharField(max_length=40, blank=True, default="")
    latency_us = models.PositiveIntegerField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="decision_whole",
                condition=Q(outcome="DECLINED", approved_minor=0) & ~Q(reason="")
                | Q(outcome__in=("APPROVED", "PARTIAL"), reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.network_code}"
