"""Exchanges between two wallets of a customer: the quote that fixes the terms, and the exchange that used it."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX, Money
from ledger.rates import BASIS_POINTS, Terms
from wallets.choices import QuoteSide, QuoteStatus

SPREAD_BP_MAX = 2_000


class PartnerSpread(models.Model):
    """What customers of one partner pay on exchanges, in hundredths of a percent; without a row the setting counts."""

    partner = models.OneToOneField("identity.Partner", models.PROTECT, related_name="exchange_spread")
    spread_bp = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = "exchange spread"
        permissions: ClassVar = [("set_spread", "Can set what a partner's customers pay on exchanges")]
        constraints: ClassVar = [
            models.CheckConstraint(name="spread_range", condition=Q(spread_bp__range=(0, SPREAD_BP_MAX)))
        ]

    def __str__(self) -> str:
        return f"{self.spread_bp} basis points of partner {self.partner_id}"


class Quote(models.Model):
    """
    Terms of an exchange, good until `expires_at` and for one use. All but the state is fixed from the start.

    `mid` and `rate` count units of the bought currency for one unit of the sold one; `rate` is the mid less the
    spread and times `sell_minor` makes `buy_minor`. `spread_minor` is the part of what is sold that is our income.
    """

    public_id = PublicIdField(prefix="quo")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="+")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="quotes")
    sell_wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="+")
    buy_wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=QuoteSide)
    sell_minor = models.BigIntegerField()
    sell_currency = models.CharField(max_length=3)
    buy_minor = models.BigIntegerField()
    buy_currency = models.CharField(max_length=3)
    mid = models.DecimalField(max_digits=24, decimal_places=12)
    spread_bp = models.PositiveSmallIntegerField()
    spread_minor = models.BigIntegerField()
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    rate_source = models.CharField(max_length=100)
    rate_valid_at = models.DateTimeField()
    status = models.CharField(max_length=7, choices=QuoteStatus, default=QuoteStatus.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="quote_amounts",
                condition=Q(sell_minor__gt=0, sell_minor__lte=MINOR_MAX)
                & Q(buy_minor__gt=0, buy_minor__lte=MINOR_MAX)
                & Q(spread_minor__gte=0, spread_minor__lt=F("sell_minor")),
            ),
            models.CheckConstraint(
                name="quote_rates",
                condition=Q(rate__gt=0, mid__gte=F("rate"), spread_bp__range=(0, SPREAD_BP_MAX)),
            ),
            models.CheckConstraint(
                name="quote_two_currencies", condition=~Q(sell_currency=F("buy_currency"))
            ),
            models.CheckConstraint(
                name="quote_used_in_time",
                condition=Q(status="USED", used_at__gte=F("created_at"), used_at__lt=F("expires_at"))
                | Q(status__in=("OPEN", "EXPIRED"), used_at__isnull=True),
            ),
            models.CheckConstraint(name="quote_lasts", condition=Q(expires_at__gt=F("created_at"))),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="quote_newest"),
            models.Index(fields=["expires_at"], condition=Q(status="OPEN"), name="quote_open"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def sell(self) -> Money:
        """What leaves the wallet that sells."""
        return Money(self.sell_minor, self.sell_currency)

    @property
    def buy(self) -> Money:
        """What comes into the wallet that buys."""
        return Money(self.buy_minor, self.buy_currency)

    @property
    def terms(self) -> Terms:
        """The terms as the ledger books them."""
        spread = Money(self.spread_minor, self.sell_currency)
        return Terms(sell=self.sell, buy=self.buy, spread=spread, mid=self.mid, rate=self.rate)

    @property
    def spread_percent(self) -> str:
        """The spread for people: `1.00 %`."""
        return f"{self.spread_bp * 100 / BASIS_POINTS:.2f}\N{NO-BREAK SPACE}%"

    def status_at(self, now: datetime) -> str:
        """Return the state at an instant: an open quote whose time is over reads expired before the job comes by."""
        over = self.status == QuoteStatus.OPEN and now >= self.expires_at
        return QuoteStatus.EXPIRED if over else self.status


class Exchange(models.Model):
    """A quote that was used: written once, with the transaction that moved the money."""

    public_id = PublicIdField(prefix="exc")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="+")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="exchanges")
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="exchange")
    transaction = models.OneToOneField("ledger.LedgerTransaction", models.PROTECT, related_name="exchange")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="exchange_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="exchange_by_partner"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
