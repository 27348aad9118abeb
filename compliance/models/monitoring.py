"""Movements as compliance sees them, the scenarios that look at them, and the alerts these raise."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from compliance.choices_monitoring import (
    AlertStatus,
    Channel,
    DismissReason,
    ScenarioStatus,
    Severity,
    Side,
)
from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX
from flowlet.identity.models import Customer


class Activity(models.Model):
    """
    One side of one posted movement of a customer's wallet; written once by the feed, never changed.

    `amount_minor` is above zero, `side` says which way. `reporting_minor` is the amount in US cents, null where no
    rate was known (UNPRICED); `rate_code` names the rate table. `counterparty` is the customer on the other side, if
    one was; `counterparty_key` names whoever it was (`cus_…`, `ba_…`, a merchant), '' where nobody is known.
    `reverses`: the ledger transaction that this one undid; both then leave the sums.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    wallet = models.ForeignKey("wallets.Wallet", models.PROTECT, related_name="+")
    transaction = models.ForeignKey("ledger.LedgerTransaction", models.PROTECT, related_name="+")
    side = models.CharField(max_length=3, choices=Side)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=6, choices=Channel)
    counterparty = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="+")
    counterparty_key = models.CharField(max_length=80, blank=True, default="")
    counterparty_country = models.CharField(max_length=2, blank=True, default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reporting_minor = models.BigIntegerField(null=True, blank=True)
    rate_code = models.CharField(max_length=20, blank=True, default="")
    reverses = models.ForeignKey(
        "ledger.LedgerTransaction", models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "activities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "wallet", "side"], name="activity_once"),
            models.CheckConstraint(
                name="activity_amount", condition=Q(amount_minor__gt=0, amount_minor__lte=MINOR_MAX)
            ),
            models.CheckConstraint(
                name="activity_priced_by_a_rate",
                condition=Q(reporting_minor__isnull=True, rate_code="")
                | Q(reporting_minor__isnull=False) & ~Q(rate_code=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "at", "id"], name="activity_by_customer"),
            models.Index(fields=["kind", "at"], name="activity_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.amount_minor} {self.currency} {self.at:%Y-%m-%d}"


class DirtyWindow(models.Model):
    """
    A note that a customer's movements since `from_at` want another look; runs take and delete it.

    Only ever added, never merged: two feeds cannot wait for each other.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    from_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer"], name="dirtywindow_by_customer")]

    def __str__(self) -> str:
        return f"customer {self.customer_id} from {self.from_at:%Y-%m-%d}"


class ScenarioVersion(models.Model):
    """
    One set of parameters of a scenario; `scenario` is the key in the registry `compliance.scenarios`.

    Parameters are fixed once it is no draft; a later version than 1 goes live by two people's `approval`.
    """

    public_id = PublicIdField(prefix="scv")
    scenario = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=7, choices=ScenarioStatus, default=ScenarioStatus.DRAFT)
    parameters = models.JSONField()
    reason = models.CharField(max_length=200)
    made_by = models.CharField(max_length=160)
    made_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    approval = models.OneToOneField(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        permissions: ClassVar = [
            ("propose_scenario", "Can propose other parameters of a scenario"),
            ("approve_scenario", "Can approve other parameters of a scenario"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scenario", "number"], name="scenarioversion_number_once"),
            models.UniqueConstraint(
                fields=["scenario"], condition=Q(status="LIVE"), name="scenarioversion_one_live"
            ),
            models.CheckConstraint(
                name="scenarioversion_live_since", condition=~Q(status="LIVE") | Q(live_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario} v{self.number}"


class ScenarioRun(models.Model):
    """One evaluation of dirty windows by all live scenarios: what was looked at, and what came out."""

    public_id = PublicIdField(prefix="scr")
    started_at = models.DateTimeField()
    window_from = models.DateTimeField()
    window_to = models.DateTimeField()
    versions = models.JSONField(default=list)
    customers = models.PositiveIntegerField()
    activities = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField(default=0)
    alerts_new = models.PositiveIntegerField(default=0)
    alerts_grown = models.PositiveIntegerField(default=0)
    alerts_gone = models.PositiveIntegerField(default=0)
    elapsed_ms = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-started_at", "-id"], name="scenariorun_newest")]

    def __str__(self) -> str:
        return str(self.public_id)


class Alert(models.Model):
    """
    What a scenario (or fraud) found about a customer: one episode, with the sentence an officer reads.

    `episode_key` is computed from the movements, so that any split of their stream gives the same alerts. `source`
    names the scenario, or whoever raised it by hand. `amount_minor` is in US cents.
    """

    public_id = PublicIdField(prefix="alr")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    source = models.CharField(max_length=40)
    scenario_version = models.ForeignKey(
        ScenarioVersion, models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    episode_key = models.CharField(max_length=200, unique=True)
    severity = models.CharField(max_length=6, choices=Severity)
    status = models.CharField(max_length=9, choices=AlertStatus, default=AlertStatus.NEW)
    dismiss_reason = models.CharField(max_length=6, choices=DismissReason, blank=True, default="")
    reason = models.TextField()
    first_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    amount_minor = models.BigIntegerField(default=0)
    follows = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="followed_by")
    raised_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="alert_dismissed_says_why",
                condition=Q(status="DISMISSED") & ~Q(dismiss_reason="")
                | ~Q(status="DISMISSED") & Q(dismiss_reason=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-raised_at", "-id"], name="alert_newest"),
            models.Index(fields=["customer", "source"], name="alert_by_customer"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class AlertEvidence(models.Model):
    """A movement that an alert rests on. Append-only."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="evidence")
    activity = models.ForeignKey(Activity, models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "activity"], name="alertevidence_once"),
        ]

    def __str__(self) -> str:
        return f"activity {self.activity_id} of alert {self.alert_id}"
