"""Currency transaction reports: each person's cash of each business day, in and out apart, summed before rounding."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from compliance.choices_reports import ReportState
from compliance.models.wall import CurrencyTransactionReport
from compliance.operations.reports_facts import REPORTING_LIMIT_CENTS
from compliance.queries_monitoring import standing_activities
from flowlet.audit import trail
from flowlet.core.locks import lock

CASH_KINDS = ("CASH_DEPOSIT", "CASH_WITHDRAWAL")
DAYS_TO_FILE, DAYS_LOOKED_AT = 15, 30


@dataclass(frozen=True, slots=True)
class CashDay:
    """One person's cash of a day in US cents; movements without a rate are counted apart."""

    customer_id: int
    day: date
    cash_in_cents: int
    cash_out_cents: int
    movements: int
    unpriced: int

    @property
    def is_reportable(self) -> bool:
        """Tell whether one side is above 10,000.00 USD."""
        return max(self.cash_in_cents, self.cash_out_cents) > REPORTING_LIMIT_CENTS


def cash_days(*, first: date, latest: date) -> list[CashDay]:
    """Return the cash of each person and business day (UTC) in the span, over all wallets; one query."""
    rows = (
        standing_activities()
        .filter(kind__in=CASH_KINDS, at__date__gte=first, at__date__lte=latest)
        .annotate(day=TruncDate("at"))
        .values("customer_id", "day")
        .annotate(
            came=Sum("reporting_minor", filter=Q(side="IN")),
            went=Sum("reporting_minor", filter=Q(side="OUT")),
            number=Count("pk"),
            unpriced=Count("pk", filter=Q(reporting_minor__isnull=True)),
        )
        .order_by("day", "customer_id")
    )
    return [
        CashDay(
            row["customer_id"],
            row["day"],
            row["came"] or 0,
            row["went"] or 0,
            row["number"],
            row["unpriced"],
        )
        for row in rows
    ]


def build_reports(*, now: datetime) -> int:
    """
    Make or mend the reports of the last thirty business days that are over, and return how many rows were written.

    Safe to repeat: a day has one report for each person. Cash that comes to light while its report is in a file already
    is noted as `late_cents`.
    """
    yesterday = now.date() - timedelta(days=1)
    written = 0
    for found in cash_days(first=yesterday - timedelta(days=DAYS_LOOKED_AT), latest=yesterday):
        if found.is_reportable:
            written += _write(found, now)
    return written


@transaction.atomic
def _write(found: CashDay, now: datetime) -> bool:
    rows = lock(CurrencyTransactionReport.objects.filter(customer_id=found.customer_id, day=found.day))
    report = rows.first()
    amounts = {
        "cash_in_cents": found.cash_in_cents,
        "cash_out_cents": found.cash_out_cents,
        "movements": found.movements,
    }
    if report is None:
        report, made = CurrencyTransactionReport.objects.get_or_create(
            customer_id=found.customer_id,
            day=found.day,
            defaults={
                **amounts,
                "state": ReportState.APPROVED,
                "due_on": found.day + timedelta(days=DAYS_TO_FILE),
                "created_at": now,
            },
        )
        if made:
            _record(report, "report.build")
        return made
    if report.state == ReportState.APPROVED:
        changed = any(getattr(report, name) != value for name, value in amounts.items())
        for name, value in amounts.items():
            setattr(report, name, value)
        if changed:
            report.save(update_fields=list(amounts))
            _record(report, "report.rebuild")
        return changed
    late = (found.cash_in_cents - report.cash_in_cents) + (found.cash_out_cents - report.cash_out_cents)
    if late == report.late_cents:
        return False
    report.late_cents = late
    report.save(update_fields=["late_cents"])
    _record(report, "report.late")
    return True


def _record(report: CurrencyTransactionReport, verb: str) -> None:
    trail.record(action=verb, object_type="report", object_id=report.public_id)
