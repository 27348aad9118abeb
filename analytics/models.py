"""What analytics keeps: marks of days to work out again, differences found, reports, points on their way out."""

import pkgutil
from importlib import import_module
from typing import ClassVar

from django.db import models
from django.db.models import Q

from analytics import facts
from flowlet.core.fields import PublicIdField

# The tables of facts live beside their queries, one file each; Django finds them because they are imported here.
for _found in pkgutil.iter_modules(facts.__path__):
    import_module(f"{facts.__name__}.{_found.name}")


class DirtySlice(models.Model):
    """A day of a partner (null: the house) whose fact must be worked out again."""

    fact = models.CharField(max_length=40)
    date = models.DateField()
    partner = models.ForeignKey(
        "identity.Partner", models.PROTECT, null=True, related_name="+", db_index=False
    )
    marked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["fact", "date", "partner"], name="dirty_slice_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.fact} of {self.date}"


class FactDifference(models.Model):
    """A figure that did not agree with the books in the latest reconciliation; replaced by the next one."""

    fact = models.CharField(max_length=40)
    date = models.DateField(null=True)
    subject = models.CharField(max_length=120)
    fact_minor = models.BigIntegerField()
    books_minor = models.BigIntegerField()
    found_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["fact", "date", "subject"], name="fact_difference_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.fact_minor} is not {self.books_minor}"


class Reconciliation(models.Model):
    """One run of the nightly comparison, kept so that its age shows."""

    finished_at = models.DateTimeField()
    differences = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"reconciliation of {self.finished_at}"


class Report(models.Model):
    """A saved question; `definition` holds registered names only and is checked again each time it is asked."""

    class Visibility(models.TextChoices):
        """Who finds it in the list; what it shows is bound to the reader's own rights."""

        OWN = "OWN", "Only me"
        ALL = "ALL", "All staff who may build reports"

    public_id = PublicIdField(prefix="rep")
    owner = models.ForeignKey("identity.User", models.PROTECT, related_name="reports")
    name = models.CharField(max_length=80)
    definition = models.JSONField()
    visibility = models.CharField(max_length=3, choices=Visibility, default=Visibility.OWN)
    created_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [
            ("view_overview", "Can see the overview"),
            ("view_payment_figures", "Can see figures of payments"),
            ("view_card_figures", "Can see figures of cards"),
            ("view_finance_figures", "Can see figures of the ledger"),
            ("view_customer_figures", "Can see figures of customers"),
            ("build_report", "Can build and save reports"),
            ("export_report", "Can export reports"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="report_name_once"),
            models.CheckConstraint(name="report_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class PendingPoint(models.Model):
    """One line for InfluxDB; `wait_until` while a worker has it or the server asked to wait, `parked` when refused."""

    event = models.OneToOneField("events.Event", models.PROTECT, related_name="+")
    line = models.TextField()
    wait_until = models.DateTimeField(null=True)
    parked = models.BooleanField(default=False)
    fault = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], name="point_waiting", condition=Q(parked=False)),
        ]

    def __str__(self) -> str:
        return f"point of event {self.event_id}"
