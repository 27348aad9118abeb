"""Money set aside: what was asked for, every change of it, and what is open now."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices import HoldDirection, HoldEventKind, HoldStatus
from ledger.models.accounts import Account


class Hold(models.Model):
    """
    Money set aside on an account (OUT), or announced to it (IN); append-only.

    `amount_minor` is what was asked for at first. The database makes the first event and the state from this row.
    """

    public_id = PublicIdField(prefix="hld")
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds")
    direction = models.CharField(max_length=3, choices=HoldDirection, default=HoldDirection.OUT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=40)
    source_key = models.CharField(max_length=120)
    expires_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=100)
    placed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_hold"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "source_key"], name="hold_source_key_once"),
            models.CheckConstraint(
                name="hold_amount", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(name="hold_direction", condition=Q(direction__in=HoldDirection.values)),
            models.CheckConstraint(
                name="hold_named", condition=~Q(source="") & ~Q(source_key="") & ~Q(actor="")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="hold_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class HoldEvent(models.Model):
    """
    One change of a hold; append-only.

    `delta_minor` is signed: positive sets more aside. The database fills `open_after_minor`, and `delta_minor` of a
    RELEASE or EXPIRE, which give back all that is open. A CAPTURE names the ledger transaction that took the money.
    """

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=8, choices=HoldEventKind)
    delta_minor = models.BigIntegerField(default=0)
    open_after_minor = models.BigIntegerField(default=0)
    transaction = models.CharField(max_length=40, blank=True, default="")
    # A capture is keyed by its draft: source, source key, and a mark for the rest that a final one gives back.
    source_key = models.CharField(max_length=200)
    actor = models.CharField(max_length=100)
    recorded_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    xid = models.BigIntegerField(default=0, editable=False)
    epoch = models.SmallIntegerField(default=0, editable=False)
    # The signature covers the hold too: an edited hold shows in all of its events.
    key_id = models.IntegerField(default=0, editable=False)
    mac = models.BinaryField(max_length=32, default=b"", editable=False)

    class Meta:
        db_table = "ledger_holdevent"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hold", "source_key"], name="hold_event_once"),
            models.CheckConstraint(
                name="hold_event_sign",
                condition=Q(kind__in=("PLACE", "INCREASE"), delta_minor__gt=0)
                | Q(kind__in=("DECREASE", "CAPTURE", "RELEASE", "EXPIRE"), delta_minor__lt=0),
            ),
            models.CheckConstraint(
                name="hold_event_capture",
                condition=Q(kind="CAPTURE") & ~Q(transaction="") | ~Q(kind="CAPTURE") & Q(transaction=""),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["epoch", "xid"], name="hold_event_to_seal")]

    def __str__(self) -> str:
        return f"{self.kind} of hold {self.hold_id}"


class HoldState(models.Model):
    """What of a hold is open now; written by the database's guards only."""

    hold = models.OneToOneField(Hold, models.PROTECT, primary_key=True, related_name="state")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    open_minor = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=HoldStatus)

    class Meta:
        db_table = "ledger_holdstate"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="hold_state_open",
                condition=Q(status="ACTIVE", open_minor__gt=0) | ~Q(status="ACTIVE") & Q(open_minor=0),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account"], condition=Q(status="ACTIVE"), name="hold_state_active"),
        ]

    def __str__(self) -> str:
        return f"state of hold {self.pk}"


class Owing(models.Model):
    """Which receivable a customer's account fills when it cannot pay what was forced on it; made once, never changed."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="owing")
    receivable = models.OneToOneField(Account, models.PROTECT, related_name="+")

    class Meta:
        db_table = "ledger_owing"

    def __str__(self) -> str:
        return f"what account {self.pk} owes"
