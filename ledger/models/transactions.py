"""Transactions and their postings: written once, never changed; the database fills and checks them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.models.accounts import Account


class LedgerTransaction(models.Model):
    """
    The header of postings that sum to zero in every currency.

    `source` and `source_key` name the cause and are there once; `fingerprint` is the SHA-256 of the content, by which
    a repeat is told from a clash. `context` holds ids only. The database sets `xid`, `epoch`, `posted_at` and the
    signature (`key_id`, `mac`), whatever was sent, and wants all `leg_count` legs in one statement of the same database
    transaction. `text_digest` is the SHA-256 over salt and words of the text.

    `approval` is what two people agreed on, `quote` the public id of the exchange quote that it uses up, `fx_rate` the
    rate applied: units of the bought currency for one unit of the sold one.
    """

    public_id = PublicIdField(prefix="txn")
    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    source_key = models.CharField(max_length=120)
    fingerprint = models.BinaryField(max_length=32)
    effective_date = models.DateField()
    leg_count = models.IntegerField()
    # No constraint of its own: the guard looks the target up, and headers are never deleted.
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        db_constraint=False,
        db_index=False,
    )
    # What an approval, a quote and a rate stand for is judged by the guards of those who use them.
    approval = models.ForeignKey(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    quote = models.CharField(max_length=40, blank=True, db_default="")
    fx_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True, blank=True)
    actor = models.CharField(max_length=100)
    context = models.JSONField(default=dict)
    xid = models.BigIntegerField(default=0, editable=False)
    # The signature covers this instead of the words, so that they can be erased and it still fits.
    text_digest = models.BinaryField(max_length=32, null=True, editable=False)
    epoch = models.SmallIntegerField(default=0, editable=False)
    posted_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    key_id = models.IntegerField(default=0, editable=False)
    mac = models.BinaryField(max_length=32, default=b"", editable=False)

    class Meta:
        db_table = "ledger_transaction"
        verbose_name = "transaction"
        permissions: ClassVar = [
            ("reverse_ledgertransaction", "Can reverse a transaction"),
            ("view_trialbalance", "Can view the trial balance"),
        ]
        constraints: ClassVar = [
            # First in the list on purpose: of two racing reversals with one key, the second must meet this index
            # before the next one, so that it is a replay and not a refusal.
            models.UniqueConstraint(fields=["source", "source_key"], name="transaction_source_key_once"),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="transaction_reversed_once"
            ),
            models.UniqueConstraint(fields=["quote"], condition=~Q(quote=""), name="transaction_quote_once"),
            models.CheckConstraint(
                name="transaction_named",
                condition=~Q(kind="") & ~Q(source="") & ~Q(source_key="") & ~Q(actor=""),
            ),
        ]
        # The order in which the sealer looks for what came since.
        indexes: ClassVar = [models.Index(fields=["epoch", "xid"], name="transaction_to_seal")]

    def __str__(self) -> str:
        return str(self.public_id)


class TextErasure(models.Model):
    """Says that the words of a transaction were erased, when and by whom; while there is none they cannot go."""

    transaction = models.OneToOneField(
        LedgerTransaction, models.PROTECT, primary_key=True, related_name="text_erasure"
    )
    actor = models.CharField(max_length=100)
    erased_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        db_table = "ledger_texterasure"

    def __str__(self) -> str:
        return f"erasure of the text of transaction {self.pk}"


class TransactionText(models.Model):
    """The words of a transaction, encrypted and salted apart from it, so that they alone can be erased."""

    transaction = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="text")
    public_id = PublicIdField(prefix="ttx")
    salt = models.BinaryField(max_length=16)
    text = EncryptedTextField()

    def __str__(self) -> str:
        return f"text of transaction {self.transaction_id}"


class Posting(models.Model):
    """
    One leg: `amount` in minor units, debit > 0.

    The database fills `balance_after` and `held_after` (in the account's natural sign), `account_seq` (1, 2, 3 …
    without gaps) and `posted_at` (never going back within an account).
    """

    # The guards want the header in the same database transaction: a foreign key would only ask again, for each leg.
    transaction = models.ForeignKey(
        LedgerTransaction, models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    leg = models.IntegerField()
    # The guard finds the balance by account and currency, which is the foreign key.
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    effective_date = models.DateField()
    balance_after = models.BigIntegerField(default=0, editable=False)
    held_after = models.BigIntegerField(default=0, editable=False)
    account_seq = models.BigIntegerField(default=0, editable=False)
    posted_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    key_id = models.IntegerField(default=0, editable=False)
    mac = models.BinaryField(max_length=32, default=b"", editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "leg"], name="posting_leg_once"),
            models.UniqueConstraint(fields=["account", "account_seq"], name="posting_seq_once"),
            models.CheckConstraint(
                name="posting_amount",
                condition=~Q(amount=0) & Q(amount__gte=-MINOR_MAX, amount__lte=MINOR_MAX),
            ),
        ]
        # Balance as of an instant and as of a value date, each from its index alone.
        indexes: ClassVar = [
            models.Index(
                fields=["account", "-posted_at", "-account_seq"],
                include=["balance_after"],
                name="posting_by_instant",
            ),
            models.Index(fields=["account", "effective_date"], include=["amount"], name="posting_by_date"),
        ]

    def __str__(self) -> str:
        return f"leg {self.leg} of transaction {self.transaction_id}"
