"""The ledger that one writes first: plain models, balances kept by `save()`, no guard in the database."""

from typing import ClassVar

from django.db import models


class NaiveAccount(models.Model):
    """An account with its balance in a column."""

    currency = models.CharField(max_length=3, default="EUR")
    balance = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager["NaiveAccount"]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return f"account {self.pk}"


class NaiveTransaction(models.Model):
    """The header, once for each key."""

    source_key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    effective_date = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["NaiveTransaction"]] = models.Manager()

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.source_key


class NaiveLeg(models.Model):
    """One side, with the balance after it."""

    transaction = models.ForeignKey(NaiveTransaction, models.PROTECT)
    account = models.ForeignKey(NaiveAccount, models.PROTECT)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["NaiveLeg"]] = models.Manager()

    class Meta:
        app_label = "naive"
        indexes: ClassVar = [models.Index(fields=["account", "-id"])]

    def __str__(self) -> str:
        return f"leg {self.pk}"
