"""What an account held when a period closed: where looking back on a value date begins."""

from datetime import date

from ledger.choices import PeriodStatus
from ledger.models.periods import Period, PeriodBalance
from ledger.queries.history import CLOSINGS, Closing


def find_closing(account_id: int, day: date) -> Closing | None:
    """Return the account's closing in the latest closed period that ends on or before the day, or None."""
    period = (
        Period.objects.filter(status=PeriodStatus.CLOSED, last_date__lte=day).order_by("-last_date").first()
    )
    if period is None:
        return None
    kept = PeriodBalance.objects.filter(period=period, version=period.version, account_id=account_id)
    row = kept.select_related("account").first()
    return Closing(period.last_date, row.account.sign * row.closing if row else 0)


CLOSINGS.register("periods")(find_closing)
