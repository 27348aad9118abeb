"""Reading the months of the books: which day may still be posted to, and what stands against a close."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Max

from flowlet.core.errors import NotFound
from ledger.choices import PeriodStatus
from ledger.closing import ClosingStep, steps_in_order
from ledger.models.periods import Period, PeriodStep


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of a close: done at an instant, or with what stands against it (nothing: it only waits its turn)."""

    name: str
    title: str
    done_at: datetime | None
    result: str
    points: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Tell whether this attempt has done it."""
        return self.done_at is not None


def get_period(public_id: str) -> Period:
    """
    Return one period.

    :raises NotFound: if there is none of that id
    """
    try:
        return Period.objects.get(public_id=public_id)
    except Period.DoesNotExist:
        raise NotFound from None


def closed_until() -> date | None:
    """Return the latest day that takes no postings any more, or None while every day is open."""
    latest: date | None = Period.objects.exclude(status=PeriodStatus.OPEN).aggregate(day=Max("last_date"))[
        "day"
    ]
    return latest


def last_day_of(day: date) -> date:
    """Return the last day of the period that a day lies in; where there is none yet, of its month."""
    period = Period.objects.filter(first_date__lte=day, last_date__gte=day).first()
    return period.last_date if period else day.replace(day=monthrange(day.year, day.month)[1])


def accrual_day(today: date) -> date:
    """Return the day that an accrual written today is most likely for: the last of the period that is to be closed next."""
    ended = Period.objects.exclude(status=PeriodStatus.CLOSED).filter(last_date__lt=today)
    period = ended.order_by("last_date").first()
    return period.last_date if period else last_day_of(today)


def value_date(wanted: date) -> date:
    """
    Return the day to post with: the one wanted, or the first open day where the books are closed for it.

    For what must be booked whenever it comes: clearings, returns. A close between this and the posting still refuses.
    """
    closed = closed_until()
    return wanted if closed is None or wanted > closed else closed + timedelta(days=1)


def latest_closed() -> Period | None:
    """Return the latest closed period, or None."""
    return Period.objects.filter(status=PeriodStatus.CLOSED).order_by("-last_date").first()


def list_closing() -> list[Period]:
    """Return the periods whose close goes on by itself, first to last; at most one unless rows were written by hand."""
    return list(Period.objects.filter(status=PeriodStatus.CLOSING, soft=False).order_by("first_date"))


def is_fiscal_year_end(last: date) -> bool:
    """Tell whether a fiscal year ends with that day."""
    following = last + timedelta(days=1)
    return (following.month, following.day) == (settings.LEDGER_FISCAL_YEAR_START_MONTH, 1)


def checklist(period: Period, now: datetime) -> list[StepState]:
    """Return the steps of the period's close in order; what is not done is checked now, up to the first that stops."""
    done = {row.name: row for row in PeriodStep.objects.filter(period=period, attempt=period.attempt)}
    if period.status == PeriodStatus.OPEN:
        done = {}
    return [_state(name, step, period, done.get(name), now) for name, step in steps_in_order()]


def open_points(period: Period, step: ClosingStep, now: datetime) -> Sequence[str]:
    """Return what stands against one step, in words that a person can act on."""
    return step.check(period.first_date, period.last_date, now)


def _state(name: str, step: ClosingStep, period: Period, row: PeriodStep | None, now: datetime) -> StepState:
    if row is not None:
        return StepState(name, step.title, row.done_at, row.result, ())
    closed = period.status == PeriodStatus.CLOSED
    return StepState(name, step.title, None, "", () if closed else tuple(open_points(period, step, now)))
