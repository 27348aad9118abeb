"""Currencies and their exponents, what one was worth in another, and what the house bought and sold."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices import RateKind
from ledger.models.accounts import Account
from ledger.models.transactions import LedgerTransaction


class Currency(models.Model):
    """One ISO 4217 currency. The database refuses to change or delete one: every stored amount hangs on it."""

    code = models.CharField(max_length=3, unique=True)
    exponent = models.SmallIntegerField()

    class Meta:
        verbose_name_plural = "currencies"
        constraints: ClassVar = [
            models.CheckConstraint(name="currency_code_upper", condition=Q(code__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="currency_exponent_range", condition=Q(exponent__range=(0, 4))),
        ]

    def __str__(self) -> str:
        return self.code


class FxRate(models.Model):
    """
    What one unit of `base` was worth in `quote` at `valid_at`, as a source said; append-only.

    `rate` counts whole units (1 EUR = 1.1 USD), whatever the digits of the currencies. A wrong rate is followed by a
    right one with a later instant. `recorded_at` is when we learnt it.
    """

    public_id = PublicIdField(prefix="fxr")
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    kind = models.CharField(max_length=7, choices=RateKind)
    source = models.CharField(max_length=40)
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    valid_at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_fxrate"
        verbose_name = "exchange rate"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["base", "quote", "kind", "source", "valid_at"], name="rate_once"),
            models.CheckConstraint(name="rate_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(name="rate_two_currencies", condition=~Q(base=F("quote"))),
            models.CheckConstraint(name="rate_kind", condition=Q(kind__in=RateKind.values)),
            models.CheckConstraint(name="rate_named", condition=~Q(source="") & ~Q(actor="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["base", "quote", "kind", "-valid_at", "-id"], name="rate_latest"),
            models.Index(fields=["-valid_at", "-id"], name="rate_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate}"


class FxDeal(models.Model):
    """
    What one transaction moved between two currency positions of the house; append-only.

    Seen from the customer: `sold_minor` came into the house's position of one currency (after the spread, which is
    income), `bought_minor` left that of the other. `base_minor` is what the deal was worth in the book's base
    currency: the base leg itself where there is one, else the sold side at the mid rate. The database compares all
    amounts with the postings.
    """

    transaction = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="deal")
    sold_currency = models.CharField(max_length=3)
    sold_minor = models.BigIntegerField()
    bought_currency = models.CharField(max_length=3)
    bought_minor = models.BigIntegerField()
    spread_minor = models.BigIntegerField()
    mid = models.DecimalField(max_digits=24, decimal_places=12)
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    base_currency = models.CharField(max_length=3)
    base_minor = models.BigIntegerField()
    dealt_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_fxdeal"
        verbose_name = "currency deal"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="deal_amounts",
                condition=Q(sold_minor__gt=0, sold_minor__lte=MINOR_MAX)
                & Q(bought_minor__gt=0, bought_minor__lte=MINOR_MAX)
                & Q(base_minor__gte=0, base_minor__lte=MINOR_MAX, spread_minor__gte=0),
            ),
            models.CheckConstraint(
                name="deal_two_currencies", condition=~Q(sold_currency=F("bought_currency"))
            ),
            models.CheckConstraint(
                name="deal_base_is_its_leg",
                condition=(~Q(sold_currency=F("base_currency")) | Q(base_minor=F("sold_minor")))
                & (~Q(bought_currency=F("base_currency")) | Q(base_minor=F("bought_minor"))),
            ),
            models.CheckConstraint(name="deal_rates", condition=Q(rate__gt=0) & Q(mid__gte=F("rate"))),
        ]
        indexes: ClassVar = [models.Index(fields=["-dealt_at", "-id"], name="deal_newest")]

    def __str__(self) -> str:
        return f"{self.sold_currency} to {self.bought_currency} in {self.transaction_id}"


class FxCost(models.Model):
    """
    What one posting did to the cost of a currency position, by weighted average; append-only, made by a job.

    `quantity_minor` is the posting (debit > 0) in the currency, `value_minor` what it was worth in base currency at
    its deal, both signed alike; `cost_minor` is what the posting added to the book cost, and the difference of the
    two is the result: `result_minor` > 0 is a gain. Rows follow the account's own gapless sequence, so that each run
    goes on where the one before it stopped. `booked` names the transaction that booked the result.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    account_seq = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    effective_date = models.DateField()
    quantity_minor = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    cost_minor = models.BigIntegerField()
    result_minor = models.BigIntegerField()
    position_after_minor = models.BigIntegerField()
    cost_after_minor = models.BigIntegerField()
    booked = models.ForeignKey(LedgerTransaction, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "ledger_fxcost"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "account_seq"], name="cost_once"),
            models.CheckConstraint(
                name="cost_result", condition=Q(result_minor=F("value_minor") - F("cost_minor"))
            ),
            # Results of a day that cancel out leave nothing to book.
            models.CheckConstraint(name="cost_booked", condition=Q(booked__isnull=True) | ~Q(result_minor=0)),
        ]

    def __str__(self) -> str:
        return f"posting {self.account_seq} of position {self.currency}"
