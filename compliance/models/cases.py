"""What officers decide: cases over alerts, and everything that happened to them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from compliance.choices_monitoring import CaseEventKind, CaseOutcome, CaseReason, CaseState, Severity
from compliance.models.monitoring import Alert
from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.identity.models import Customer, User


class Case(models.Model):
    """
    A suspicion about one customer, from its first alert to the decision of two people; one open case per customer.

    `proposed_outcome` and `proposed_reason` are what waits for (or got) the `approval`. The database lets no case
    close without an approval of exactly that case.
    """

    public_id = PublicIdField(prefix="cas")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    state = models.CharField(max_length=19, choices=CaseState, default=CaseState.OPEN)
    severity = models.CharField(max_length=6, choices=Severity)
    title = models.CharField(max_length=160)
    assignee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)
    waited_s = models.PositiveIntegerField(default=0)
    proposed_outcome = models.CharField(max_length=12, choices=CaseOutcome, blank=True, default="")
    proposed_reason = models.CharField(max_length=30, choices=CaseReason, blank=True, default="")
    closed_at = models.DateTimeField(null=True, blank=True)
    approval = models.OneToOneField(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        permissions: ClassVar = [
            ("work_case", "Can take a case, write to it and propose a decision"),
            ("approve_case", "Can approve the decision on a case"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state__in=["OPEN", "INVESTIGATING", "WAITING", "PROPOSED"]),
                name="case_one_open_per_customer",
            ),
            models.CheckConstraint(
                name="case_closed_whole",
                condition=Q(state__startswith="CLOSED_", closed_at__isnull=False, approval__isnull=False)
                & ~Q(proposed_outcome="")
                | ~Q(state__startswith="CLOSED_") & Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_proposed_whole",
                condition=~Q(state="PROPOSED")
                | Q(approval__isnull=False) & ~Q(proposed_outcome="") & ~Q(proposed_reason=""),
            ),
            models.CheckConstraint(
                name="case_waiting_since",
                condition=Q(state="WAITING", waiting_since__isnull=False)
                | ~Q(state="WAITING") & Q(waiting_since__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=["OPEN", "INVESTIGATING", "WAITING", "PROPOSED"]),
                name="case_open_by_due",
            ),
            models.Index(fields=["-opened_at", "-id"], name="case_newest"),
            models.Index(fields=["customer", "-opened_at", "-id"], name="case_by_customer"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class CaseAlert(models.Model):
    """An alert that a case answers; an alert belongs to one case."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="links")
    alert = models.OneToOneField(Alert, models.PROTECT, related_name="case_link")
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"alert {self.alert_id} in case {self.case_id}"


class CaseEvent(models.Model):
    """
    One entry of a case's timeline. Append-only.

    `actor` is the person who wrote it, null for the house itself; whoever wrote to a case may not check its decision.
    """

    public_id = PublicIdField(prefix="cev")
    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=CaseEventKind)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=160)
    note = EncryptedTextField(null=True, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["case", "at", "id"], name="caseevent_by_case")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.actor_label}"
