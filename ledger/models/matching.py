"""What lines of banks and postings of ours have to do with each other, and what has not been explained yet."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from flowlet.core.fields import PublicIdField
from flowlet.core.money import MINOR_MAX
from ledger.choices_matching import LIVE_STATES, BreakKind, BreakReason, BreakState, MatchedBy
from ledger.models.reconciliation import BankLine
from ledger.models.transactions import LedgerTransaction, Posting


class Match(models.Model):
    """
    Lines and items that belong together, with the journal it posted. It is never changed, but may be undone once.

    `score` is of 100; `reasons` are codes of `ledger.reconciliation.suggesting.REASONS`.
    """

    public_id = PublicIdField(prefix="mtc")
    matched_by = models.CharField(max_length=11, choices=MatchedBy)
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list, blank=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    transaction = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="match")
    made_by = models.CharField(max_length=100)
    made_at = models.DateTimeField()
    reversal = models.OneToOneField(
        LedgerTransaction, models.PROTECT, null=True, blank=True, related_name="undone_match"
    )
    undone_by = models.CharField(max_length=100, blank=True, default="")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "matches"
        permissions: ClassVar = [
            ("make_match", "Can match bank lines with postings, and undo it"),
            ("view_workbench", "Can see the reconciliation workbench"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="match_score", condition=Q(score__lte=100)),
            models.CheckConstraint(name="match_by", condition=Q(matched_by__in=MatchedBy.values)),
            models.CheckConstraint(
                name="match_undone_whole",
                condition=Q(reversal__isnull=True, undone_at__isnull=True, undone_by="")
                | Q(reversal__isnull=False, undone_at__isnull=False) & ~Q(undone_by=""),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["made_at"], name="match_by_time")]

    def __str__(self) -> str:
        return str(self.public_id)


class MatchLeg(models.Model):
    """
    How much of a line was settled by how much of a posting (signed, minor units); append-only.

    Without a posting the line was booked elsewhere, without a line the posting was written off. The database lets no
    line and no posting be used beyond its own amount; legs of undone matches do not count.
    """

    match = models.ForeignKey(Match, models.PROTECT, related_name="legs")
    line = models.ForeignKey(BankLine, models.PROTECT, null=True, blank=True, related_name="match_legs")
    # The guard looks the posting up and locks it; postings are never deleted.
    posting = models.ForeignKey(
        Posting, models.PROTECT, null=True, blank=True, related_name="match_legs", db_constraint=False
    )
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["match", "line", "posting"], name="matchleg_once"),
            models.CheckConstraint(
                name="matchleg_sides", condition=Q(line__isnull=False) | Q(posting__isnull=False)
            ),
            models.CheckConstraint(
                name="matchleg_amount",
                condition=~Q(amount_minor=0) & Q(amount_minor__gte=-MINOR_MAX, amount_minor__lte=MINOR_MAX),
            ),
        ]

    def __str__(self) -> str:
        return f"leg of match {self.match_id}"


class SafeguardingProof(models.Model):
    """
    What customers were owed at the end of a day, against what lay at banks for them; append-only, in one currency.

    `requirement = customers + unallocated`; `customers_minor` sums what each customer is owed by himself: nobody's
    debt lessens it. `resource_minor` is what the banks' statements close with. `accounts` lists them, with the day of
    the statement. `sha256` is over all of it; a day that is proven anew gets the next `version`. `signature` is over the
    digest, by an anchor key, which the database does not have (`ledger.queries.safeguarding`).
    """

    public_id = PublicIdField(prefix="sgp")
    day = models.DateField()
    currency = models.CharField(max_length=3)
    version = models.PositiveSmallIntegerField()
    customer_count = models.PositiveIntegerField()
    customers_minor = models.BigIntegerField()
    unallocated_minor = models.BigIntegerField()
    requirement_minor = models.BigIntegerField()
    resource_minor = models.BigIntegerField()
    on_the_way_minor = models.BigIntegerField()
    accounts = models.JSONField(default=list, blank=True)
    complete = models.BooleanField()
    sha256 = models.CharField(max_length=64)
    key_id = models.IntegerField()
    signature = models.BinaryField(max_length=64)
    made_by = models.CharField(max_length=100)
    made_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("export_safeguardingproof", "Can export safeguarding proofs")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "currency", "version"], name="proof_version_once"),
            models.CheckConstraint(
                name="proof_adds_up",
                condition=Q(requirement_minor=models.F("customers_minor") + models.F("unallocated_minor"))
                & Q(customers_minor__gte=0, unallocated_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"

    @property
    def surplus_minor(self) -> int:
        """What lies at banks beyond what is owed; below zero it is missing."""
        return self.resource_minor - self.requirement_minor


class Break(models.Model):
    """
    Something that bank and books do not agree on, until somebody explains or settles it.

    `amount_minor` is signed as money at the bank; `since` is the day its age counts from. `booking` is where a line's
    money waits meanwhile. What it is about never changes, its state only forwards.
    """

    public_id = PublicIdField(prefix="brk")
    kind = models.CharField(max_length=10, choices=BreakKind)
    state = models.CharField(max_length=11, choices=BreakState, default=BreakState.OPEN)
    line = models.ForeignKey(BankLine, models.PROTECT, null=True, blank=True, related_name="breaks")
    posting = models.ForeignKey(
        Posting, models.PROTECT, null=True, blank=True, related_name="breaks", db_constraint=False
    )
    proof = models.ForeignKey(SafeguardingProof, models.PROTECT, null=True, blank=True, related_name="breaks")
    booking = models.ForeignKey(
        LedgerTransaction, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    since = models.DateField()
    due_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=13, choices=BreakReason, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        permissions: ClassVar = [
            ("work_break", "Can take, explain and resolve breaks"),
            ("write_off_break", "Can write breaks off within the rule, and ask for more"),
            ("approve_write_off", "Can approve writing off a break"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state__in=LIVE_STATES, line__isnull=False),
                name="break_line_once",
            ),
            models.UniqueConstraint(
                fields=["posting"],
                condition=Q(state__in=LIVE_STATES, posting__isnull=False),
                name="break_posting_once",
            ),
            models.CheckConstraint(name="break_kind", condition=Q(kind__in=BreakKind.values)),
            models.CheckConstraint(name="break_amount", condition=~Q(amount_minor=0)),
            models.CheckConstraint(
                name="break_about",
                condition=Q(
                    line__isnull=False, posting__isnull=True, proof__isnull=True, booking__isnull=False
                )
                | Q(line__isnull=True, posting__isnull=False, proof__isnull=True)
                | Q(line__isnull=True, posting__isnull=True, proof__isnull=False, kind=BreakKind.SHORTFALL),
            ),
            models.CheckConstraint(
                name="break_closed_whole",
                condition=Q(state__in=LIVE_STATES, closed_at__isnull=True, closed_by="")
                | Q(state__in=(BreakState.RESOLVED, BreakState.WRITTEN_OFF), closed_at__isnull=False)
                & ~Q(closed_by="")
                & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="break_explained", condition=~Q(state=BreakState.EXPLAINED) | ~Q(reason="")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state__in=LIVE_STATES), name="break_live_by_due"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class WriteOffRule(models.Model):
    """
    How much may be written off without a second person: per break, and per day in sum; the latest row counts.

    Append-only; each was approved by two people, as the database checks. Minor units.
    """

    currency = models.CharField(max_length=3)
    cap_break_minor = models.BigIntegerField()
    cap_day_minor = models.BigIntegerField()
    approval = models.OneToOneField("backoffice.Approval", models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="writeoffrule_caps",
                condition=Q(cap_break_minor__gte=0, cap_day_minor__gte=models.F("cap_break_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"write-offs in {self.currency}"


class WriteOff(models.Model):
    """One break written off, by the rule or with an approval; append-only. The database holds the rule's caps."""

    broken = models.OneToOneField(Break, models.PROTECT, related_name="write_off")
    rule = models.ForeignKey(WriteOffRule, models.PROTECT, null=True, blank=True, related_name="uses")
    approval = models.OneToOneField(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )
    transaction = models.OneToOneField(LedgerTransaction, models.PROTECT, related_name="write_off")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="writeoff_grounds",
                condition=Q(rule__isnull=False, approval__isnull=True)
                | Q(rule__isnull=True, approval__isnull=False),
            ),
            models.CheckConstraint(name="writeoff_amount", condition=Q(amount_minor__gt=0)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["rule", "day"], condition=Q(rule__isnull=False), name="writeoff_by_day"),
        ]

    def __str__(self) -> str:
        return f"write-off of {self.broken_id}"
