"""Reports to the authority: what nobody outside may know of. Foreign keys point from here outwards only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from compliance.choices_reports import FilingForm, FilingState, ReportState
from compliance.models.cases import Case
from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.money import MINOR_MAX
from flowlet.identity.models import Customer, User


class Filing(models.Model):
    """
    One batch file for the authority: its sealed bytes, its digest, and how far it came.

    Reports point at their filing; `position` in it is their place in the file, by which it is acknowledged.
    """

    public_id = PublicIdField(prefix="fil")
    form = models.CharField(max_length=4, choices=FilingForm)
    state = models.CharField(max_length=12, choices=FilingState, default=FilingState.BATCHED)
    content = EncryptedTextField()
    sha256 = models.CharField(max_length=64)
    reports = models.PositiveIntegerField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    filed_on = models.DateField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [
            ("open_wall", "Can see reports to the authority"),
            ("draft_report", "Can draft reports to the authority"),
            ("approve_report", "Can approve reports to the authority as the second person"),
            ("file_report", "Can make, send and acknowledge files for the authority"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="filing_dates",
                condition=Q(state="BATCHED", filed_on__isnull=True, acknowledged_at__isnull=True)
                | Q(state="FILED", filed_on__isnull=False, acknowledged_at__isnull=True)
                | Q(state="ACKNOWLEDGED", filed_on__isnull=False, acknowledged_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-made_at", "-id"], name="filing_newest")]

    def __str__(self) -> str:
        return str(self.public_id)


class Report(models.Model):
    """What both kinds of report share: state, deadline, place in a file, the authority's number (BSA id)."""

    public_id: PublicIdField
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=ReportState)
    due_on = models.DateField()
    filing = models.ForeignKey(Filing, models.PROTECT, null=True, blank=True, related_name="+")
    position = models.PositiveIntegerField(null=True, blank=True)
    bsa_id = models.CharField(max_length=14, blank=True, default="")
    outcome_text = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                name="%(class)s_in_file",
                condition=Q(
                    state__in=("BATCHED", "FILED", "ACKNOWLEDGED", "REJECTED"),
                    filing__isnull=False,
                    position__isnull=False,
                )
                | ~Q(state__in=("BATCHED", "FILED", "ACKNOWLEDGED", "REJECTED"))
                & Q(filing__isnull=True, position__isnull=True),
            ),
            models.UniqueConstraint(fields=["filing", "position"], name="%(class)s_place"),
            models.UniqueConstraint(fields=["bsa_id"], condition=~Q(bsa_id=""), name="%(class)s_bsa_id"),
        ]


class SuspiciousActivityReport(Report):
    """
    A suspicious activity report drawn from a confirmed case; two people stand behind it.

    `corrects` names the filed report that it replaces. Amounts in US cents. Source of the clock: 31 CFR 1022.320 (30
    days from detection).
    """

    public_id = PublicIdField(prefix="rpt")
    case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by"
    )
    narrative = EncryptedTextField()
    total_cents = models.BigIntegerField()
    from_date = models.DateField()
    to_date = models.DateField()
    classes = models.JSONField()
    drafted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approval = models.OneToOneField(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Report.Meta):
        verbose_name = "suspicious activity report"
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="sar_newest"),
            models.Index(fields=["state", "due_on"], name="sar_due"),
        ]
        constraints: ClassVar = [
            *Report.Meta.constraints,
            models.UniqueConstraint(
                fields=["case"], condition=Q(corrects__isnull=True), name="sar_once_a_case"
            ),
            models.CheckConstraint(
                name="sar_values",
                condition=Q(
                    total_cents__gte=0, total_cents__lte=MINOR_MAX, to_date__gte=models.F("from_date")
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CurrencyTransactionReport(Report):
    """
    One person's cash of one business day above 10,000.00 USD, in or out; US cents; made by the daily job.

    `late_in_cents`, `late_out_cents`: what came to light (or was booked back, then below zero) after the report went into
    a file: it must be corrected, by a report that names this one as `corrects`. `unpriced`: movements without a rate,
    not in the sums; a day that is below the limit but has some stands as NOT_FILED until they have one.
    Sources: 31 CFR 1010.311, 1010.313 (aggregation), 1010.306 (15 days).
    """

    public_id = PublicIdField(prefix="rpt")
    day = models.DateField()
    cash_in_cents = models.BigIntegerField()
    cash_out_cents = models.BigIntegerField()
    movements = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField(default=0)
    late_in_cents = models.BigIntegerField(default=0)
    late_out_cents = models.BigIntegerField(default=0)
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by"
    )

    class Meta(Report.Meta):
        verbose_name = "currency transaction report"
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="ctr_newest"),
            models.Index(fields=["state", "due_on"], name="ctr_due"),
        ]
        constraints: ClassVar = [
            *Report.Meta.constraints,
            models.UniqueConstraint(
                fields=["customer", "day"], condition=Q(corrects__isnull=True), name="ctr_once_a_day"
            ),
            models.CheckConstraint(
                name="ctr_values", condition=Q(cash_in_cents__gte=0, cash_out_cents__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Acknowledgement(models.Model):
    """What the authority answered to a file; append-only; the same answer twice is one row."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="acknowledgements")
    sha256 = models.CharField(max_length=64, unique=True)
    accepted = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    warnings = models.JSONField()
    received_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"answer to {self.filing_id}"
