"""What banks told us: our accounts at banks, the files that came, their statements and lines. Nothing here moves money."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices_bank import BankFileState, BankLineStatus, CsvSign
from ledger.models.accounts import Account

FILE_SIZE_MAX = 64 * 1024 * 1024


class HouseBankAccount(models.Model):
    """
    An account of the house at a bank, and the ledger account that mirrors it.

    Files are routed to it by `iban`, or by `other_id` where the bank sends no IBAN; both in capitals, without blanks.
    """

    public_id = PublicIdField(prefix="hba")
    account = models.OneToOneField(Account, models.PROTECT, related_name="bank_account")
    name = models.CharField(max_length=80)
    bank_name = models.CharField(max_length=80)
    iban = models.CharField(max_length=34, blank=True, default="")
    other_id = models.CharField(max_length=35, blank=True, default="")
    bic = models.CharField(max_length=11, blank=True, default="")
    currency = models.CharField(max_length=3)
    client_money = models.BooleanField()
    opened_at = models.DateTimeField()

    class Meta:
        verbose_name = "bank account of the house"
        verbose_name_plural = "bank accounts of the house"
        permissions: ClassVar = [("open_housebankaccount", "Can enter a bank account of the house")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["iban", "currency"], condition=~Q(iban=""), name="housebank_iban_once"
            ),
            models.UniqueConstraint(
                fields=["other_id", "currency"], condition=~Q(other_id=""), name="housebank_other_id_once"
            ),
            models.CheckConstraint(name="housebank_routable", condition=~Q(iban="") | ~Q(other_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"


class CsvMapping(models.Model):
    """
    How one bank writes its CSV for one of our accounts.

    `columns` maps our names (`booking_date`, `value_date`, `amount`, `credit`, `debit`, `indicator`, `balance`,
    `reference`, `end_to_end_id`, `name`, `iban`, `text`, `kind`) to the bank's column heads.
    """

    public_id = PublicIdField(prefix="csm")
    name = models.CharField(max_length=80, unique=True)
    bank_account = models.ForeignKey(HouseBankAccount, models.PROTECT, related_name="csv_mappings")
    columns = models.JSONField()
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    skip_lines = models.PositiveSmallIntegerField(default=0)
    date_format = models.CharField(max_length=20)
    decimal_comma = models.BooleanField()
    sign = models.CharField(max_length=11, choices=CsvSign)
    newest_first = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = "CSV mapping"
        permissions: ClassVar = [("save_csvmapping", "Can save a CSV mapping")]

    def __str__(self) -> str:
        return self.name


class BankFile(models.Model):
    """
    A file as it came, once: `sha256` is unique.

    `findings` says why it is not accepted: a list of `code`, `place` (line or element), `text`. `summary` lists the
    statements found in it, as text and minor units. `lines_done` counts what was written while it is ACCEPTING.
    """

    public_id = PublicIdField(prefix="bfl")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    format = models.CharField(max_length=20, blank=True, default="")
    mapping = models.ForeignKey(CsvMapping, models.PROTECT, null=True, blank=True, related_name="files")
    state = models.CharField(max_length=11, choices=BankFileState, default=BankFileState.STAGED)
    findings = models.JSONField(default=list, blank=True)
    summary = models.JSONField(default=list, blank=True)
    line_count = models.PositiveIntegerField(default=0)
    lines_done = models.PositiveIntegerField(default=0)
    received_by = models.CharField(max_length=160)
    received_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [
            ("import_bankfile", "Can bring in, retry and put aside bank files"),
            ("download_bankfile", "Can download bank files"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sha256"], name="bankfile_once"),
            models.CheckConstraint(name="bankfile_size", condition=Q(size__gte=1, size__lte=FILE_SIZE_MAX)),
            models.CheckConstraint(name="bankfile_state", condition=Q(state__in=BankFileState.values)),
            models.CheckConstraint(name="bankfile_done", condition=Q(lines_done__lte=F("line_count"))),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["state"],
                condition=Q(state__in=("STAGED", "ACCEPTING", "QUARANTINED", "REFUSED")),
                name="bankfile_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BankFileOriginal(models.Model):
    """The bytes of a file, sealed under the house's field keys and bound to the file; append-only."""

    file = models.OneToOneField(BankFile, models.PROTECT, primary_key=True, related_name="original")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"original of bank file {self.pk}"


class BankStatement(models.Model):
    """
    A bank's statement of one account: from an opening to a closing balance, signed, in minor units.

    `sequence` is ours, 1, 2, 3 … per account; `number` and `reference` are the bank's. The opening balance is the
    closing balance of the one before. It counts once `accepted_at` is set, which the database does only for one
    whose lines are all there and lead from opening to closing. `index` is its place in the file, `lead` how many lines
    of it had come before and are not taken again.
    """

    public_id = PublicIdField(prefix="bst")
    bank_account = models.ForeignKey(HouseBankAccount, models.PROTECT, related_name="statements")
    file = models.ForeignKey(BankFile, models.PROTECT, related_name="statements")
    sequence = models.PositiveIntegerField()
    index = models.PositiveIntegerField(default=0)
    lead = models.PositiveIntegerField(default=0)
    number = models.CharField(max_length=35, blank=True, default="")
    reference = models.CharField(max_length=70, blank=True, default="")
    opening_date = models.DateField()
    closing_date = models.DateField()
    opening_minor = models.BigIntegerField()
    closing_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    line_count = models.PositiveIntegerField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank_account", "sequence"], name="bankstatement_sequence_once"),
            models.CheckConstraint(
                name="bankstatement_days", condition=Q(opening_date__lte=F("closing_date"))
            ),
            models.CheckConstraint(
                name="bankstatement_range",
                condition=Q(
                    opening_minor__gte=-MINOR_MAX,
                    opening_minor__lte=MINOR_MAX,
                    closing_minor__gte=-MINOR_MAX,
                    closing_minor__lte=MINOR_MAX,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bank_account", "closing_date"], name="bankstatement_by_day"),
        ]

    def __str__(self) -> str:
        return self.number or self.public_id


class BankMovement(models.Model):
    """
    What a line of a bank says. `amount_minor` is signed as the bank's customer sees it: money in is above zero.

    `key` tells a line from every other of its account (see `ledger.reconciliation.keys`). What may name a person is
    encrypted; `counterparty_index` finds an IBAN by `blind_index("iban", None, …)`. `details` holds what a batch
    booked in one sum consists of: `end_to_end_id`, `reference`, `amount_minor` of each. `place` is the line or element of the file.
    """

    bank_account = models.ForeignKey(HouseBankAccount, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120)
    booking_date = models.DateField()
    value_date = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    end_to_end_id = models.CharField(max_length=70, blank=True, default="")
    bank_reference = models.CharField(max_length=70, blank=True, default="")
    batch_id = models.CharField(max_length=70, blank=True, default="")
    counterparty_name = EncryptedTextField(null=True, blank=True)
    counterparty_iban = EncryptedTextField(null=True, blank=True)
    counterparty_index = models.BinaryField(max_length=18, null=True, blank=True)
    text = EncryptedTextField(null=True, blank=True)
    kind = models.CharField(max_length=40, blank=True, default="")
    reversal = models.BooleanField(default=False)
    details = models.JSONField(default=list, blank=True)
    place = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        abstract = True


class BankLine(BankMovement):
    """One booked line of an account at a bank. Only its `status` ever changes."""

    public_id = PublicIdField(prefix="bln")
    statement = models.ForeignKey(
        BankStatement, models.PROTECT, null=True, blank=True, related_name="lines", db_index=False
    )
    stated_in = models.ForeignKey(BankFile, models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=7, choices=BankLineStatus, default=BankLineStatus.OPEN)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank_account", "key"], name="bankline_key_once"),
            models.UniqueConstraint(fields=["statement", "position"], name="bankline_position_once"),
            models.CheckConstraint(
                name="bankline_amount",
                condition=~Q(amount_minor=0) & Q(amount_minor__gte=-MINOR_MAX, amount_minor__lte=MINOR_MAX),
            ),
            models.CheckConstraint(name="bankline_status", condition=Q(status__in=BankLineStatus.values)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bank_account", "booking_date"], name="bankline_by_day"),
            models.Index(
                fields=["bank_account", "amount_minor"],
                condition=~Q(status="MATCHED"),
                name="bankline_unmatched",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class BankAnnouncement(BankMovement):
    """A line that a bank announced during the day (camt.052, camt.054): for looking, never booked; append-only."""

    public_id = PublicIdField(prefix="ban")
    stated_in = models.ForeignKey(BankFile, models.PROTECT, related_name="announcements")
    pending = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank_account", "key"], name="bankannouncement_key_once"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class ProcessorLine(models.Model):
    """
    One change of our balance at a payment processor; only `payout` is filled in later, once.

    `amount_minor - fee_minor = net_minor`, signed as seen from our balance. `payout` names the payout that brought it
    to a bank; the payout itself is a line of kind `payout` with its own id there and a negative amount. `intent` is the
    payment, as the processor and our rooms call it, that a charge, its refunds and disputes belong to.
    """

    public_id = PublicIdField(prefix="prl")
    processor = models.CharField(max_length=20)
    reference = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=80, blank=True, default="")
    intent = models.CharField(max_length=80, blank=True, default="")
    payout = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["processor", "reference"], name="processorline_once"),
            models.CheckConstraint(
                name="processorline_net", condition=Q(net_minor=F("amount_minor") - F("fee_minor"))
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["processor", "payout"], condition=~Q(payout=""), name="processorline_payout"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.processor} {self.reference}"
