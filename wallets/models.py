"""What customers own, where their money comes from and goes to, and how much of it may move."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.money import MINOR_MAX, Money
from flowlet.identity.choices import Tier
from wallets.choices import (
    BankAccountStatus,
    FrozenBy,
    LimitInterval,
    LimitKind,
    MoneySource,
    MonitorSide,
    MovementStatus,
    WalletStatus,
)

# Django looks for models here.
from wallets.models_exchange import Exchange, PartnerSpread, Quote  # noqa: F401
from wallets.models_incoming import IncomingReference, IncomingTransfer  # noqa: F401


class Wallet(models.Model):
    """
    A customer's purse in one currency; its money is booked on one ledger account.

    Balances live in the ledger. `frozen_by` and `freeze_reason_code` are set while the status is FROZEN.
    """

    public_id = PublicIdField(prefix="wal")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="wallets")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="wallets")
    currency = models.CharField(max_length=3)
    account = models.OneToOneField("ledger.Account", models.PROTECT, related_name="wallet")
    name = models.CharField(max_length=80, blank=True, default="")
    purpose = models.CharField(max_length=40, default="MAIN")
    status = models.CharField(max_length=6, choices=WalletStatus, default=WalletStatus.ACTIVE)
    frozen_by = models.CharField(max_length=7, choices=FrozenBy, blank=True, default="")
    freeze_reason_code = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [
            ("freeze_wallet", "Can freeze a wallet"),
            ("unfreeze_wallet", "Can lift a freeze of a wallet"),
            ("export_statement", "Can export statements"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "currency", "purpose"],
                condition=~Q(status="CLOSED"),
                name="wallet_one_open_per_purpose",
            ),
            models.CheckConstraint(
                name="wallet_freeze_explained",
                condition=Q(status="FROZEN") & ~Q(frozen_by="") & ~Q(freeze_reason_code="")
                | ~Q(status="FROZEN") & Q(frozen_by="", freeze_reason_code=""),
            ),
            models.CheckConstraint(
                name="wallet_closed_has_time",
                condition=Q(status="CLOSED", closed_at__isnull=False)
                | ~Q(status="CLOSED") & Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(name="wallet_status", condition=Q(status__in=WalletStatus.values)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="wallet_by_partner"),
            models.Index(fields=["-created_at", "-id"], name="wallet_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.public_id} ({self.currency})"


class BankAccount(models.Model):
    """
    An account of a customer at the sandbox's built-in bank.

    `balance_minor` is what that bank holds for him: a deposit takes from it, a withdrawal adds, below zero is
    declined. The IBAN is encrypted; `iban_index` finds it, `last_four` shows it.
    """

    public_id = PublicIdField(prefix="ba")
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="bank_accounts")
    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="bank_accounts")
    iban = EncryptedTextField()
    iban_index = models.BinaryField()
    last_four = models.CharField(max_length=4)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    status = models.CharField(max_length=7, choices=BankAccountStatus, default=BankAccountStatus.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "bank account"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bank_account_not_below_zero",
                condition=Q(balance_minor__gte=0, balance_minor__lte=MINOR_MAX),
            ),
            models.UniqueConstraint(
                fields=["customer", "iban_index", "currency"],
                condition=Q(status="ACTIVE"),
                name="bank_account_linked_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="bank_account_by_partner"),
            models.Index(fields=["iban_index"], name="bank_account_by_iban"),
        ]

    def __str__(self) -> str:
        return f"{self.country} •••• {self.last_four} ({self.currency})"


class Movement(models.Model):
    """
    What deposits and withdrawals share: an amount between a wallet and a bank account or cash, and how it ended.

    Cash is taken and given by the partner's agents; `location` names the till or branch.

    One that waits for the next run has its money held (or announced) by `hold` and ends once; everything else about a
    movement, and everything about one that ended, the database keeps.
    """

    public_id: PublicIdField
    partner = models.ForeignKey("identity.Partner", models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="%(class)ss")
    source = models.CharField(max_length=8, choices=MoneySource, default=MoneySource.BANK)
    bank_account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, blank=True, related_name="%(class)ss"
    )
    location = models.CharField(max_length=80, blank=True, default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=MovementStatus)
    refusal_code = models.CharField(max_length=60, blank=True, default="")
    refusal_detail = models.CharField(max_length=200, blank=True, default="")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    transaction = models.OneToOneField(
        "ledger.LedgerTransaction", models.PROTECT, null=True, blank=True, related_name="%(class)s"
    )
    hold = models.OneToOneField(
        "ledger.Hold", models.PROTECT, null=True, blank=True, related_name="%(class)s"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                name="%(class)s_amount_positive",
                condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX),
            ),
            models.CheckConstraint(
                name="%(class)s_ended_whole",
                condition=Q(
                    status="COMPLETED", transaction__isnull=False, refusal_code="", ended_at__isnull=False
                )
                | Q(status="REFUSED", transaction__isnull=True, ended_at__isnull=False) & ~Q(refusal_code="")
                | Q(
                    status="CANCELLED",
                    transaction__isnull=True,
                    refusal_code="",
                    hold__isnull=False,
                    ended_at__isnull=False,
                )
                | Q(
                    status="PENDING",
                    transaction__isnull=True,
                    refusal_code="",
                    hold__isnull=False,
                    source="BANK",
                    ended_at__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="%(class)s_source_named",
                condition=Q(source="BANK", bank_account__isnull=False, location="")
                | Q(source="CASH", bank_account__isnull=True) & ~Q(location="")
                | Q(source="TRANSFER", bank_account__isnull=True, location=""),
            ),
            models.UniqueConstraint(fields=["partner", "idempotency_key"], name="%(class)s_key_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="%(class)s_newest"),
            models.Index(fields=["wallet", "-created_at", "-id"], name="%(class)s_by_wallet"),
            models.Index(fields=["id"], condition=Q(status="PENDING"), name="%(class)s_waiting"),
        ]

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)

    @property
    def counterpart(self) -> str:
        """Where the money came from or went to, for people; needs `bank_account` selected."""
        if (account := self.bank_account) is not None:
            return f"•••• {account.last_four}"
        return f"Cash, {self.location}" if self.location else "Bank transfer"


class Deposit(Movement):
    """Money in: from a bank account, cash or a bank transfer into a wallet."""

    public_id = PublicIdField(prefix="dep")

    class Meta(Movement.Meta):
        pass

    def __str__(self) -> str:
        return str(self.public_id)


class Withdrawal(Movement):
    """Money out: from a wallet to a bank account."""

    public_id = PublicIdField(prefix="wdr")

    class Meta(Movement.Meta):
        constraints: ClassVar = [
            *Movement.Meta.constraints,
            models.CheckConstraint(name="withdrawal_no_transfer", condition=~Q(source="TRANSFER")),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class LimitRule(models.Model):
    """
    How much a customer of a tier may move in one currency: at once, by day, by month, or hold in all.

    A rule of one partner goes before the general one, a rule of one currency before that for all others (''), whose
    amount is in hundredths of the currency's unit. No rule means no limit.
    """

    tier = models.CharField(max_length=8, choices=Tier)
    partner = models.ForeignKey(
        "identity.Partner", models.PROTECT, null=True, blank=True, related_name="limit_rules"
    )
    kind = models.CharField(max_length=4, choices=LimitKind)
    interval = models.CharField(max_length=15, choices=LimitInterval)
    currency = models.CharField(max_length=3, blank=True, default="")
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tier", "partner", "kind", "interval", "currency"],
                nulls_distinct=False,
                name="limit_rule_once",
            ),
            models.CheckConstraint(
                name="limit_rule_range", condition=Q(amount_minor__gte=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(
                name="limit_rule_balance_is_money_in", condition=~Q(interval="BALANCE") | Q(kind="IN")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()}, {self.get_kind_display()}, {self.get_interval_display()}"


class LimitUse(models.Model):
    """What a customer has moved of one kind in one currency on a day, or in the month that `bucket_date` begins."""

    customer = models.ForeignKey("identity.Customer", models.PROTECT, related_name="limit_uses")
    kind = models.CharField(max_length=4, choices=LimitKind)
    interval = models.CharField(max_length=15, choices=LimitInterval)
    bucket_date = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "bucket_date", "kind", "interval", "currency"], name="limit_use_once"
            ),
            models.CheckConstraint(name="limit_use_not_negative", condition=Q(amount_minor__gte=0)),
            models.CheckConstraint(name="limit_use_interval", condition=Q(interval__in=("DAY", "MONTH"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_interval_display()} of {self.bucket_date}"


class BalanceMonitor(models.Model):
    """
    A line that a partner wants to be told about: the booked balance of a wallet falls below it, or rises to or above.

    `threshold_minor` is in minor units of the wallet's currency. One that was ended tells nothing any more.
    """

    public_id = PublicIdField(prefix="mon")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="monitors")
    side = models.CharField(max_length=5, choices=MonitorSide)
    threshold_minor = models.BigIntegerField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "balance monitor"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["wallet", "side", "threshold_minor"],
                condition=Q(ended_at__isnull=True),
                name="balance_monitor_once",
            ),
            models.CheckConstraint(name="balance_monitor_side", condition=Q(side__in=MonitorSide.values)),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class BalanceCrossing(models.Model):
    """One crossing of a monitor's line, by the number of the wallet's posting that did it; append-only, told once."""

    monitor = models.ForeignKey(BalanceMonitor, models.PROTECT, related_name="crossings")
    account_seq = models.BigIntegerField()
    balance_minor = models.BigIntegerField()
    transaction = models.CharField(max_length=40)
    crossed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["monitor", "account_seq"], name="balance_crossing_once"),
        ]

    def __str__(self) -> str:
        return f"crossing of monitor {self.monitor_id} at {self.account_seq}"
