"""Months of the books as tests need them."""

from calendar import monthrange
from datetime import date

from flowlet.backoffice.approvals import operations as approvals
from flowlet.backoffice.models import Approval
from flowlet.identity.models import User
from ledger.models.periods import Period
from ledger.operations.periods import begin_close, continue_close
from ledger.tests.factories import NOW


def month(year: int, number: int) -> Period:
    """An open period; the next one follows the latest."""
    last = monthrange(year, number)[1]
    return Period.objects.create(
        first_date=date(year, number, 1),
        last_date=date(year, number, last),
        changed_at=NOW,
        changed_by="STAFF:test",
    )


def close(period: Period) -> Period:
    """Close an open period by all its steps; nothing may stand against it."""
    begin_close(period_id=period.pk, now=NOW)
    assert continue_close(period_id=period.pk, now=NOW) == ()
    return Period.objects.get(pk=period.pk)


def closed_month(year: int = 2026, number: int = 10) -> Period:
    """A closed period."""
    return close(month(year, number))


def agree(approval: Approval, checker: User) -> Approval:
    """Say yes as the second person."""
    return approvals.approve(
        approval_id=approval.pk, checker_id=checker.pk, seen_hash=approval.content_hash, now=NOW
    )
