"""Programmes, cards, their freezes, limits and counters."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from cards.choices import CardKind, CardStatus, CloseReason, FreezeSource, LimitSpan
from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX


class CardProgramme(models.Model):
    """What the cards of a partner in one currency share: processor, number range, time zone of the limits."""

    public_id = PublicIdField(prefix="cpg")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="card_programmes")
    processor = models.CharField(max_length=40)
    bin = models.CharField(max_length=6)
    currency = models.CharField(max_length=3)
    zone = models.CharField(max_length=60, default="UTC")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "currency"], name="programme_once"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} cards"


class Card(models.Model):
    """
    A card on a wallet. The number lives at the processor; here are its token, its ends and a keyed digest.

    `expires_on` is the last day it works. CLOSED is final; freezes are rows of their own.
    """

    public_id = PublicIdField(prefix="crd")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="cards")
    programme = models.ForeignKey(CardProgramme, models.PROTECT, related_name="cards")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="cards")
    wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="cards")
    kind = models.CharField(max_length=8, choices=CardKind)
    status = models.CharField(max_length=8, choices=CardStatus)
    close_reason = models.CharField(max_length=11, choices=CloseReason, blank=True, default="")
    token = models.CharField(max_length=40, unique=True)
    bin = models.CharField(max_length=6)
    last_four = models.CharField(max_length=4)
    expires_on = models.DateField()
    fingerprint = models.BinaryField(max_length=32)
    name_on_card = models.CharField(max_length=26)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [
            ("freeze_card", "Can freeze a card"),
            ("unfreeze_card", "Can lift operations' freeze of a card"),
            ("close_card", "Can close a card for good"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="card_key_once"),
            models.CheckConstraint(
                name="card_closed_whole",
                condition=Q(status="CLOSED", closed_at__isnull=False) & ~Q(close_reason="")
                | ~Q(status="CLOSED") & Q(closed_at__isnull=True, close_reason=""),
            ),
            models.CheckConstraint(
                name="card_digits", condition=Q(bin__regex=r"^\d{6}$", last_four__regex=r"^\d{4}$")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="card_by_partner"),
            models.Index(fields=["last_four"], name="card_by_last_four"),
            models.Index(fields=["-created_at", "-id"], name="card_newest"),
        ]

    def __str__(self) -> str:
        return f"•••• {self.last_four}"


class CardFreeze(models.Model):
    """One freeze of a card by one source; several may be in force, each is lifted by its own source."""

    card = models.ForeignKey(Card, models.PROTECT, related_name="freezes")
    source = models.CharField(max_length=10, choices=FreezeSource)
    reason_code = models.CharField(max_length=40)
    placed_by = models.CharField(max_length=100)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=100, blank=True, default="")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason_code = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["card", "source"], condition=Q(lifted_at__isnull=True), name="freeze_once_a_source"
            ),
            models.CheckConstraint(
                name="freeze_lifted_whole",
                condition=Q(lifted_at__isnull=True, lifted_by="")
                | Q(lifted_at__isnull=False, lifted_at__gte=F("placed_at")) & ~Q(lifted_by=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} freeze of card {self.card_id}"


class ControlSet(models.Model):
    """
    What a card may be used for, in versions; the one without `retired_at` is in force. Append-only but for that.

    Limits are in minor units of the card's currency: None is no limit, 0 is nothing at all. A block list wins over an
    allow list; an allow list that is None allows all.
    """

    card = models.ForeignKey(Card, models.PROTECT, related_name="controls")
    version = models.PositiveIntegerField()
    per_transaction_minor = models.BigIntegerField(null=True, blank=True)
    day_minor = models.BigIntegerField(null=True, blank=True)
    month_minor = models.BigIntegerField(null=True, blank=True)
    mcc_allow = ArrayField(models.CharField(max_length=4), null=True, blank=True)
    mcc_block = ArrayField(models.CharField(max_length=4), default=list, blank=True)
    country_allow = ArrayField(models.CharField(max_length=2), null=True, blank=True)
    country_block = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    made_by = models.CharField(max_length=100)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card", "version"], name="controls_version_once"),
            models.UniqueConstraint(
                fields=["card"], condition=Q(retired_at__isnull=True), name="controls_one_live"
            ),
            models.CheckConstraint(
                name="controls_not_negative",
                condition=(Q(per_transaction_minor__isnull=True) | Q(per_transaction_minor__gte=0))
                & (Q(day_minor__isnull=True) | Q(day_minor__gte=0))
                & (Q(month_minor__isnull=True) | Q(month_minor__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version} for card {self.card_id}"


class SpendCounter(models.Model):
    """What a card has used of a day or month: authorised while open, cleared once closed; minor units."""

    card = models.ForeignKey(Card, models.PROTECT, related_name="counters")
    span = models.CharField(max_length=5, choices=LimitSpan)
    bucket_date = models.DateField()
    amount_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card", "span", "bucket_date"], name="counter_once"),
            models.CheckConstraint(
                name="counter_range", condition=Q(amount_minor__gte=0, amount_minor__lte=MINOR_MAX)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.span} {self.bucket_date} of card {self.card_id}"
