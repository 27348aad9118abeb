"""Manual journals before they are posted: what a person wrote down, for a second person to agree to."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices import JournalStatus
from ledger.models.accounts import Account
from ledger.models.transactions import LedgerTransaction


class JournalDraft(models.Model):
    """
    A manual journal. As a draft its maker may change it; once posted the database lets nobody.

    With `corrects` it replaces that transaction: one approval reverses the old and posts the new. `transaction` and
    `approval` are set when it is posted; its public id is the transaction's source key.
    """

    public_id = PublicIdField(prefix="jrn")
    title = models.CharField(max_length=120)
    text = EncryptedTextField()
    template = models.CharField(max_length=40, blank=True, default="")
    effective_date = models.DateField()
    status = models.CharField(max_length=9, choices=JournalStatus, default=JournalStatus.DRAFT)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    corrects = models.ForeignKey(
        LedgerTransaction, models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    transaction = models.OneToOneField(
        LedgerTransaction, models.PROTECT, null=True, blank=True, related_name="journal"
    )
    approval = models.ForeignKey(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [
            ("make_journal", "Can write manual journals and ask for a second person"),
            ("approve_journal", "Can agree to manual journals and reversals"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="journal_posted",
                condition=Q(status="POSTED", transaction__isnull=False, approval__isnull=False)
                | ~Q(status="POSTED") & Q(transaction__isnull=True, approval__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class JournalLine(models.Model):
    """One line of a journal: an account and an amount in its currency, debit > 0."""

    draft = models.ForeignKey(JournalDraft, models.PROTECT, related_name="lines")
    position = models.IntegerField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    text = models.CharField(max_length=140, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["draft", "position"], name="journal_line_once"),
            models.CheckConstraint(
                name="journal_line_amount",
                condition=~Q(amount_minor=0) & Q(amount_minor__gte=-MINOR_MAX, amount_minor__lte=MINOR_MAX),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.position} of journal {self.draft_id}"
