"""Official statements and the files made of them; exports that are made in the background."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from ledger.choices import ExportState, ExportSubject
from ledger.models.accounts import Account

# The failure of an export whose statement did not prove itself.
NOT_PROVEN = "statement_not_proven"


class Statement(models.Model):
    """
    One official statement: a range of an account's entries; append-only.

    Numbers, ranges and days of an account have no gaps: the database refuses one that does not continue, or whose
    balances are not those of the postings. `seq_to` is `seq_from - 1` where nothing was booked. Amounts in minor units
    and in the account's natural sign; `held_minor` is what was set aside at `cut_at`, up to which it was booked.
    """

    public_id = PublicIdField(prefix="stm")
    account = models.ForeignKey(Account, models.PROTECT, related_name="statements")
    number = models.IntegerField()
    first_date = models.DateField()
    latest_date = models.DateField()
    seq_from = models.BigIntegerField()
    seq_to = models.BigIntegerField()
    opening_minor = models.BigIntegerField()
    closing_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()
    available_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    cut_at = models.DateTimeField()
    issued_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("issue_statement", "Can issue official statements")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "number"], name="statement_number_once"),
            models.CheckConstraint(
                name="statement_range",
                condition=Q(number__gt=0, seq_from__gt=0, seq_to__gte=F("seq_from") - 1),
            ),
            models.CheckConstraint(name="statement_days", condition=Q(latest_date__gte=F("first_date"))),
            models.CheckConstraint(
                name="statement_available",
                condition=Q(held_minor__gte=0, available_minor=F("closing_minor") - F("held_minor")),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-issued_at", "-id"], name="statement_newest")]

    def __str__(self) -> str:
        return f"statement {self.number} of account {self.account_id}"


class StatementFile(models.Model):
    """
    An official statement as it was given out in a format; append-only, and what is given out again.

    `sealed` holds the compressed file, encrypted; `sha256` and `size` are those of the file itself.
    """

    public_id = PublicIdField(prefix="stf")
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="files")
    format = models.CharField(max_length=20)
    version = models.CharField(max_length=10, blank=True, default="")
    language = models.CharField(max_length=8, default="en")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    sealed = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["statement", "format", "version", "language"], name="statement_file_once"
            ),
            models.CheckConstraint(
                name="statement_file_digest", condition=Q(sha256__regex=r"^[0-9a-f]{64}$", size__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} of statement {self.statement_id}"


class ExportJob(models.Model):
    """
    Statements on demand, too many or too long for one answer: made in the background and kept for a week.

    `subject` is the public id of a wallet, customer or partner; of an official statement, or of the account it could
    not be issued for, where only its failure is kept. `partner` is whose API client asked;
    none: a member of staff. Progress counts entries and files. A worker that died is noticed by `claimed_until`.
    """

    public_id = PublicIdField(prefix="exp")
    partner = models.ForeignKey(
        "identity.Partner", models.PROTECT, null=True, blank=True, related_name="exports"
    )
    subject_kind = models.CharField(max_length=8, choices=ExportSubject)
    subject = models.CharField(max_length=40)
    title = models.CharField(max_length=160)
    first_date = models.DateField()
    latest_date = models.DateField()
    format = models.CharField(max_length=20)
    version = models.CharField(max_length=10, blank=True, default="")
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.QUEUED)
    failure_code = models.CharField(max_length=60, blank=True, default="")
    failure_detail = models.CharField(max_length=200, blank=True, default="")
    entries_done = models.BigIntegerField(default=0)
    entries_total = models.BigIntegerField(default=0)
    files_done = models.IntegerField(default=0)
    files_total = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    actor = models.CharField(max_length=100)
    actor_label = models.CharField(max_length=160, blank=True, default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "export"
        constraints: ClassVar = [
            models.CheckConstraint(name="export_state", condition=Q(state__in=ExportState.values)),
            models.CheckConstraint(name="export_subject", condition=Q(subject_kind__in=ExportSubject.values)),
            models.CheckConstraint(name="export_days", condition=Q(latest_date__gte=F("first_date"))),
            models.CheckConstraint(
                name="export_ended_whole",
                condition=Q(state__in=("QUEUED", "RUNNING"), finished_at__isnull=True)
                | Q(state__in=("DONE", "EXPIRED"), finished_at__isnull=False, expires_at__isnull=False)
                | Q(state="FAILED", finished_at__isnull=False) & ~Q(failure_code=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="export_newest"),
            models.Index(fields=["partner", "-created_at", "-id"], name="export_by_partner"),
            models.Index(
                fields=["created_at"], condition=Q(state__in=("QUEUED", "RUNNING")), name="export_waiting"
            ),
            models.Index(fields=["created_at"], condition=Q(failure_code=NOT_PROVEN), name="export_unproven"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class ExportFile(models.Model):
    """One file of an export, written once by a worker; several become a ZIP when they are fetched."""

    job = models.ForeignKey(ExportJob, models.PROTECT, related_name="files")
    position = models.IntegerField()
    accounts = models.JSONField(default=list)
    name = models.CharField(max_length=120)
    entries = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "position"], name="export_file_once"),
            models.CheckConstraint(
                name="export_file_whole",
                condition=Q(finished_at__isnull=True, sha256="")
                | Q(finished_at__isnull=False) & ~Q(sha256=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExportPart(models.Model):
    """A piece of an export's file, compressed and encrypted; goes when the export expires."""

    file = models.ForeignKey(ExportFile, models.PROTECT, related_name="parts")
    number = models.IntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "number"], name="export_part_once"),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of file {self.file_id}"
