"""The chart of accounts, the accounts under it, and the balance of each."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices import AccountStatus, ChartKind


class ChartAccount(models.Model):
    """A heading of the chart: what the accounts under it stand for. Code and kind are fixed once it is used."""

    code = models.CharField(max_length=40, unique=True)
    number = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=9, choices=ChartKind)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        verbose_name = "chart account"

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Account(models.Model):
    """
    Where money of one currency and one owner is booked.

    `sign` is filled by the database from the chart: +1 where debits add, -1 where credits do. Everything but `name`
    is fixed. No customer: an account of the house (or of a partner); the unnamed one is there once per chart account,
    currency and partner. `shard_of` names the busy account that this one takes a share of, `shard` which.
    """

    public_id = PublicIdField(prefix="acc")
    chart_account = models.ForeignKey(ChartAccount, models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=3)
    sign = models.SmallIntegerField(default=0, editable=False)
    partner = models.ForeignKey(
        "identity.Partner", models.PROTECT, null=True, blank=True, related_name="ledger_accounts"
    )
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, null=True, blank=True, related_name="ledger_accounts"
    )
    name = models.CharField(max_length=120, blank=True, default="")
    shard_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="shards")
    shard = models.SmallIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["chart_account", "currency", "partner"],
                condition=Q(customer__isnull=True, name=""),
                nulls_distinct=False,
                name="account_house_once",
            ),
            models.UniqueConstraint(fields=["shard_of", "shard"], name="account_shard_once"),
            models.CheckConstraint(
                name="account_shard_numbered",
                condition=Q(shard_of__isnull=True, shard__isnull=True)
                | Q(shard_of__isnull=False, shard__gte=0),
            ),
            models.CheckConstraint(name="account_sign", condition=Q(sign__in=(1, -1))),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.public_id} ({self.currency})"


class Balance(models.Model):
    """
    What an account holds, in its natural sign: a wallet with 5.00 EUR reads +500 although it is a credit balance.

    Written by the database's guards only, but for `status` and `floor`. Available is `posted - held`, never below
    `floor`; no floor means that it may go either way. `seq` counts the account's postings.
    """

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="balance")
    currency = models.CharField(max_length=3)
    sign = models.SmallIntegerField()
    status = models.CharField(max_length=6, choices=AccountStatus, default=AccountStatus.OPEN)
    posted = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    pending_in = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True, default=0)
    latest_posted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="balance_floor", condition=Q(floor__isnull=True) | Q(posted__gte=F("floor") + F("held"))
            ),
            # Posted stays within what Money can carry. Each constraint costs every posting: two is what it takes.
            models.CheckConstraint(
                name="balance_range",
                condition=Q(posted__gte=-MINOR_MAX, posted__lte=MINOR_MAX, held__gte=0, pending_in__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"balance of account {self.pk}"
