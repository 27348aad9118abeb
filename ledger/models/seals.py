"""
The chain: blocks of what was booked, what each holds, anchors outside the database, and the runs of the proof.

The pads of the keys are in tables of their own (`ledger_keypad`, `ledger_signer`) that are no models: nobody but the
database's guards reads them.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from ledger.choices import CheckScope, CheckStatus
from ledger.models.accounts import ChartAccount
from ledger.models.holds import HoldEvent
from ledger.models.transactions import LedgerTransaction


class Block(models.Model):
    """
    The transactions and hold events that one run of the sealer found; append-only.

    The database makes all of it: an INSERT of any row seals, or makes no row if there is nothing to seal. `hash` is
    the SHA-256 over number, counts, instant, the hash before (`previous`) and the signatures of all rows in order;
    `mac` signs the hash. `floor_xid` is where the next search begins: everything below it is sealed.
    """

    n = models.BigIntegerField(primary_key=True)
    epoch = models.SmallIntegerField()
    floor_xid = models.BigIntegerField()
    transactions = models.IntegerField()
    hold_events = models.IntegerField()
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    key_id = models.IntegerField()
    mac = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_block"
        permissions: ClassVar = [("verify_block", "Can verify the ledger")]

    def __str__(self) -> str:
        return f"block {self.n}"


class SealedTransaction(models.Model):
    """Which block a transaction is in; written by the sealer only, once."""

    # Neither side needs a constraint: the sealer reads the one and makes the other, and neither is ever deleted.
    transaction = models.OneToOneField(
        LedgerTransaction, models.PROTECT, primary_key=True, related_name="seal", db_constraint=False
    )
    block = models.ForeignKey(Block, models.PROTECT, related_name="sealed", db_constraint=False)

    class Meta:
        db_table = "ledger_sealedtransaction"

    def __str__(self) -> str:
        return f"transaction {self.pk} in block {self.block_id}"


class SealedHoldEvent(models.Model):
    """Which block a hold event is in; written by the sealer only, once."""

    event = models.OneToOneField(
        HoldEvent, models.PROTECT, primary_key=True, related_name="seal", db_constraint=False
    )
    block = models.ForeignKey(Block, models.PROTECT, related_name="sealed_events", db_constraint=False)

    class Meta:
        db_table = "ledger_sealedholdevent"

    def __str__(self) -> str:
        return f"hold event {self.pk} in block {self.block_id}"


class DayTotal(models.Model):
    """
    What was booked under a heading for a value date, as far as the ledger knew it on a day.

    `known_date` is the UTC day on which the block was sealed: once that day is over its rows never change, so that
    sums over `known_date <= K` give the same answer for ever. Debits and credits are both positive minor units; wider
    than an account's balance, since turnovers have no limit. Written by the sealer only.
    """

    chart_account = models.ForeignKey(ChartAccount, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    effective_date = models.DateField()
    known_date = models.DateField()
    debit = models.DecimalField(max_digits=30, decimal_places=0)
    credit = models.DecimalField(max_digits=30, decimal_places=0)
    count = models.BigIntegerField()

    class Meta:
        db_table = "ledger_daytotal"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["effective_date", "chart_account", "currency", "known_date"], name="day_total_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} on {self.effective_date}, known on {self.known_date}"


class Anchor(models.Model):
    """The hash of a block under our Ed25519 key, which the database does not have; append-only."""

    block = models.OneToOneField(Block, models.PROTECT, primary_key=True, related_name="anchor")
    hash = models.BinaryField(max_length=32)
    key_id = models.IntegerField()
    signature = models.BinaryField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_anchor"

    def __str__(self) -> str:
        return f"anchor of block {self.pk}"


class AnchorCopy(models.Model):
    """Where outside the database an anchor was written; append-only."""

    anchor = models.ForeignKey(Anchor, models.PROTECT, related_name="copies", db_index=False)
    store = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_anchorcopy"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["anchor", "store"], name="anchor_copy_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.store}"


class LedgerCheck(models.Model):
    """
    One run of the proof: what was looked at, what was found.

    `since` is empty when everything was looked at. `findings` holds the first of them, as [check, row, field, text];
    `faults` counts all.
    """

    public_id = PublicIdField(prefix="vfy")
    scope = models.CharField(max_length=7, choices=CheckScope)
    since = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=7, choices=CheckStatus, default=CheckStatus.WAITING)
    asked_by = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.BigIntegerField(default=0)
    faults = models.BigIntegerField(default=0)
    findings = models.JSONField(default=list)
    block = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_ledgercheck"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="ledger_check_ended",
                condition=Q(status__in=("WAITING", "RUNNING"), finished_at__isnull=True)
                | Q(status__in=("CLEAN", "FAULTS", "FAILED"), finished_at__gte=F("asked_at")),
            ),
            # One at a time: a second would only make both slow.
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(status__in=("WAITING", "RUNNING")),
                name="ledger_check_alone",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-asked_at"], name="ledger_check_latest")]

    def __str__(self) -> str:
        return str(self.public_id)
