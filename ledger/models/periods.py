"""The months of the books: which are closed, what each held when it was closed, and how far a close has come."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from ledger.choices import PeriodStatus
from ledger.models.accounts import Account, ChartAccount


class Period(models.Model):
    """
    One month of value dates, both ends included. Periods follow each other without gaps and close in their order.

    `version` counts how often it was closed, `attempt` how often a close was begun; the database counts both. Days
    before the first period close with it; days after the latest are open. `soft`: its close stays as it is until
    somebody lets it end. `changed_by` is who began the latest close or
    opened the period again; `reopen_approval` says who agreed to that.
    """

    public_id = PublicIdField(prefix="per")
    first_date = models.DateField(unique=True)
    last_date = models.DateField(unique=True)
    status = models.CharField(max_length=7, choices=PeriodStatus, default=PeriodStatus.OPEN)
    version = models.IntegerField(default=0)
    attempt = models.IntegerField(default=0)
    soft = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)
    reopen_approval = models.ForeignKey(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        permissions: ClassVar = [
            ("close_period", "Can close a period"),
            ("post_in_closing", "Can ask for journals in a period that is being closed"),
            ("reopen_period", "Can ask to open a closed period again"),
            ("approve_reopen", "Can agree to open a closed period again"),
            ("export_books", "Can export journals and ledgers"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="period_dates", condition=Q(first_date__lte=F("last_date"))),
            models.CheckConstraint(name="period_status", condition=Q(status__in=PeriodStatus.values)),
            models.CheckConstraint(
                name="period_soft", condition=Q(soft=False) | Q(status=PeriodStatus.CLOSING)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_date:%B %Y}"


class PeriodStep(models.Model):
    """
    One step of one attempt to close a period that was done, with what it said; append-only.

    Written in the transaction of the step's own postings, so that a step that broke off is done again, once.
    """

    period = models.ForeignKey(Period, models.PROTECT, related_name="steps")
    attempt = models.IntegerField()
    name = models.CharField(max_length=60)
    result = models.CharField(max_length=300, blank=True, default="")
    actor = models.CharField(max_length=100)
    done_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "attempt", "name"], name="period_step_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of period {self.period_id}"


class PeriodClosing(models.Model):
    """
    One closing of a period; append-only, written by the database when the period closes.

    `digest` is the SHA-256 over its totals, a line `number:currency:debit:credit:closing` each, by number, currency.
    `block_n` is the block of the chain that it is sealed in, the first made after it.
    """

    period = models.ForeignKey(Period, models.PROTECT, related_name="closings")
    version = models.IntegerField()
    digest = models.BinaryField(max_length=32)
    postings = models.BigIntegerField()
    block_n = models.BigIntegerField()
    actor = models.CharField(max_length=100)
    closed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "version"], name="period_closing_once"),
        ]

    def __str__(self) -> str:
        return f"closing {self.version} of period {self.period_id}"


class PeriodTotal(models.Model):
    """
    What one heading of the chart held at the end of a period, minor units; append-only, written by the database.

    `debit` and `credit` are the period's turnover without sign, `closing` all that was booked up to its last day,
    debit > 0. Headings without any posting so far have none.
    """

    period = models.ForeignKey(Period, models.PROTECT, related_name="totals")
    version = models.IntegerField()
    chart_account = models.ForeignKey(ChartAccount, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
    closing = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["period", "version", "chart_account", "currency"], name="period_total_once"
            ),
        ]

    def __str__(self) -> str:
        return f"closing of {self.chart_account_id} in {self.currency}"


class PeriodBalance(models.Model):
    """The same as PeriodTotal for one account; accounts at zero that nothing moved have none."""

    period = models.ForeignKey(Period, models.PROTECT, related_name="balances")
    version = models.IntegerField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="period_balances", db_index=False)
    currency = models.CharField(max_length=3)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
    closing = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "version", "account"], name="period_balance_once"),
        ]

    def __str__(self) -> str:
        return f"closing of account {self.account_id}"
