"""Currency transaction reports: each person's cash of each business day, in and out apart, summed before rounding."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from compliance.choices_reports import ReportState
from compliance.errors_reports import ReportExists, ReportStateConflict
from compliance.models.monitoring import Activity
from compliance.models.wall import CurrencyTransactionReport
from compliance.operations.filing import words_against
from compliance.operations.reports_facts import REPORTING_LIMIT_CENTS, ctr_facts
from compliance.queries_monitoring import standing_activities
from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.identity.models import Customer

CASH_KINDS = ("CASH_DEPOSIT", "CASH_WITHDRAWAL")
DAYS_TO_FILE, DAYS_LOOKED_AT = 15, 30
BELOW = "The day's cash is not above the limit any more."
UNPRICED = (
    "Some movements have no rate, so the sums are not complete; the report is filed once they pass the limit."
)
_UNFILED = (ReportState.APPROVED, ReportState.NOT_FILED)


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
    Make or mend the reports of the business days that are over, and return how many rows were written.

    It looks at the latest thirty days and at older days whose cash was posted or booked back in that time. Safe to
    repeat: a day has one report for each person. A day that falls to the limit before it is in a file is not filed, and
    rises again with its cash; what comes to light while its report is in a file is noted as late, by side.
    """
    yesterday = now.date() - timedelta(days=1)
    first = yesterday - timedelta(days=DAYS_LOOKED_AT)
    written = 0
    for start, latest in [(first, yesterday), *((day, day) for day in _late_days(first, now))]:
        days = {(found.customer_id, found.day): found for found in cash_days(first=start, latest=latest)}
        known = CurrencyTransactionReport.objects.filter(
            day__gte=start, day__lte=latest, corrected_by__isnull=True
        )
        reported = set(known.values_list("customer_id", "day"))
        for key in sorted(days.keys() | reported):
            found = days.get(key) or CashDay(*key, 0, 0, 0, 0)
            if found.is_reportable or found.unpriced or key in reported:
                written += _write(found, now)
    return written


def _late_days(first: date, now: datetime) -> list[date]:
    """Return the days before `first` whose cash was posted, or booked back, since."""
    since = now - timedelta(days=DAYS_LOOKED_AT)
    undone = Activity.objects.filter(reverses__isnull=False, at__gte=since).values("reverses")
    cash = Activity.objects.filter(kind__in=CASH_KINDS, at__date__lt=first)
    touched = cash.filter(Q(transaction__posted_at__gte=since) | Q(transaction__in=undone))
    return sorted(touched.annotate(day=TruncDate("at")).order_by().values_list("day", flat=True).distinct())


@transaction.atomic
def correct_cash_report(*, report_id: str, now: datetime) -> CurrencyTransactionReport:
    """
    Make what replaces an answered report, from the sums of today: a correction where the authority has the first, a new
    report where it rejected it.

    :raises NotFound: if there is none of that id
    :raises ReportExists: if it has a correction
    :raises ReportStateConflict: if the authority did not answer, nothing changed, or no cash is left
    """
    report = lock(CurrencyTransactionReport.objects.filter(public_id=report_id)).first()
    if report is None:
        raise NotFound
    if CurrencyTransactionReport.objects.filter(corrects=report).exists():
        raise ReportExists
    if not is_correctable(report):
        raise ReportStateConflict(state="right as it is, or not answered yet")
    found = next(
        (
            one
            for one in cash_days(first=report.day, latest=report.day)
            if one.customer_id == report.customer_id
        ),
        None,
    )
    if found is None or found.cash_in_cents + found.cash_out_cents == 0:
        raise ReportStateConflict(state="about cash that was booked back: withdraw it at the authority")
    made = _make(found, now, corrects=report)
    _record(made, "report.correct")
    return made


def is_correctable(report: CurrencyTransactionReport) -> bool:
    """Tell whether a report was rejected, or acknowledged with sums that are not right any more."""
    late = bool(report.late_in_cents or report.late_out_cents)
    return report.state == ReportState.REJECTED or (report.state == ReportState.ACKNOWLEDGED and late)


def _make(
    found: CashDay, now: datetime, corrects: CurrencyTransactionReport | None = None
) -> CurrencyTransactionReport:
    """Make the report of a day; the unique person and day stops a second one."""
    filed = found.is_reportable or corrects is not None
    report = CurrencyTransactionReport.objects.create(
        customer_id=found.customer_id,
        day=found.day,
        corrects=corrects,
        state=ReportState.APPROVED if filed else ReportState.NOT_FILED,
        due_on=found.day + timedelta(days=DAYS_TO_FILE),
        created_at=now,
        **_amounts(found),
    )
    _explain(report, now)
    return report


def _amounts(found: CashDay) -> dict[str, int]:
    return {
        "cash_in_cents": found.cash_in_cents,
        "cash_out_cents": found.cash_out_cents,
        "movements": found.movements,
        "unpriced": found.unpriced,
    }


def _explain(report: CurrencyTransactionReport, now: datetime) -> None:
    """Write down why a report is not filed, or cannot be as it stands."""
    if report.state == ReportState.APPROVED:
        words = words_against(ctr_facts(report, filed_on=now.date()))
    else:
        words = UNPRICED if report.unpriced else BELOW
    if words != report.outcome_text:
        report.outcome_text = words
        report.save(update_fields=["outcome_text"])


@transaction.atomic
def _write(found: CashDay, now: datetime) -> bool:
    # The customer's row is locked: two runs at once make one report.
    customer = lock(Customer.objects.filter(pk=found.customer_id)).get()
    rows = CurrencyTransactionReport.objects.filter(customer=customer, day=found.day, corrected_by=None)
    report = lock(rows).first()
    if report is None:
        _record(_make(found, now), "report.build")
        return True
    if report.state in _UNFILED:
        return _mend(report, found, now)
    late = (found.cash_in_cents - report.cash_in_cents, found.cash_out_cents - report.cash_out_cents)
    if late == (report.late_in_cents, report.late_out_cents):
        return False
    report.late_in_cents, report.late_out_cents = late
    report.save(update_fields=["late_in_cents", "late_out_cents"])
    _record(report, "report.late")
    return True


def _mend(report: CurrencyTransactionReport, found: CashDay, now: datetime) -> bool:
    """Bring a report that is in no file to the sums of today; return whether anything changed."""
    filed = found.is_reportable or (report.corrects_id is not None and found.movements > 0)
    wanted: dict[str, Any] = {
        **_amounts(found),
        "state": ReportState.APPROVED if filed else ReportState.NOT_FILED,
    }
    changed = any(getattr(report, name) != value for name, value in wanted.items())
    if changed:
        for name, value in wanted.items():
            setattr(report, name, value)
        report.save(update_fields=list(wanted))
        _record(report, "report.rebuild")
    _explain(report, now)
    return changed


def _record(report: CurrencyTransactionReport, verb: str) -> None:
    trail.record(action=verb, object_type="report", object_id=report.public_id)
