"""Pure decisions about cases: clocks, severities, what may follow on what."""

from datetime import datetime, timedelta

from compliance.choices_monitoring import (
    CASE_REASONS,
    OPEN_STATES,
    SEVERITY_ORDER,
    CaseOutcome,
    CaseState,
    Severity,
)
from compliance.errors_monitoring import CaseReasonMismatch, CaseStateConflict, WaitedEnough

# Business days until a case must be decided. Source: the institution's own service levels (design note, clocks).
DUE_DAYS: dict[str, int] = {Severity.HIGH: 1, Severity.MEDIUM: 3, Severity.LOW: 10}
WAIT_MAX = timedelta(days=10)
_SATURDAY = 5


def add_business_days(at: datetime, days: int) -> datetime:
    """Return the same time of day so many business days later; Saturdays and Sundays do not count, holidays do."""
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < _SATURDAY
    return at


def due_at(severity: str, opened_at: datetime) -> datetime:
    """Return when a case of this severity must be decided."""
    return add_business_days(opened_at, DUE_DAYS[severity])


def highest(*severities: str) -> Severity:
    """Return the highest of some severities."""
    return max((Severity(one) for one in severities), key=SEVERITY_ORDER.index)


def check_open_for_work(state: str) -> None:
    """
    Check that a person may write to the case.

    :raises CaseStateConflict: if it is closed or waits for a second person
    """
    if state not in OPEN_STATES or state == CaseState.PROPOSED:
        raise CaseStateConflict(state=CaseState(state).label.lower())


def check_state(state: str, *allowed: CaseState) -> None:
    """
    Check that the case is in one of some states.

    :raises CaseStateConflict: if it is not
    """
    if state not in allowed:
        raise CaseStateConflict(state=CaseState(state).label.lower())


def check_proposal(*, outcome: str, reason_code: str) -> None:
    """
    Check that outcome and reason go together.

    :raises CaseReasonMismatch: if they do not
    """
    if outcome not in CaseOutcome.values or reason_code not in CASE_REASONS[CaseOutcome(outcome)]:
        raise CaseReasonMismatch(reason=reason_code, outcome=outcome)


def check_may_wait(waited_s: int) -> None:
    """
    Check that the case has not used up its waiting time.

    :raises WaitedEnough: if it has
    """
    if timedelta(seconds=waited_s) >= WAIT_MAX:
        raise WaitedEnough(days=WAIT_MAX.days)


def pause(*, since: datetime, now: datetime, waited_s: int) -> timedelta:
    """Return by how much a wait moves the due time: never more than is left of the ten days."""
    return min(now - since, WAIT_MAX - timedelta(seconds=waited_s))
