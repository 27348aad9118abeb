"""
Steps of a close: nothing waits in the queue or for a second person, the year's last period moves its result to retained
earnings, and every period sums to zero.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection

from flowlet.backoffice.models import Approval, ApprovalStatus
from flowlet.core.money import Money
from ledger.choices import JournalStatus, QueueState
from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.models.journals import JournalDraft
from ledger.models.periods import Period
from ledger.models.queue import QueuedPosting
from ledger.operations.accounts import house_account
from ledger.operations.journals import POST
from ledger.operations.posting import Draft, Leg, post
from ledger.queries.periods import is_fiscal_year_end
from ledger.queries.totals import totals_until

KIND = "YEAR_END"
_LEGS_MAX = 500
_NAMED_MAX = 10
# What stands on accounts of income and expense at the end of a day.
_RESULT = """
SELECT a.id, a.currency, sum(p.amount)::bigint
FROM ledger_account a
JOIN ledger_chartaccount c ON c.id = a.chart_account_id AND c.kind IN ('INCOME', 'EXPENSE')
JOIN ledger_posting p ON p.account_id = a.id AND p.effective_date <= %s
GROUP BY a.id, a.currency HAVING sum(p.amount) <> 0
ORDER BY a.currency, a.id
"""


def result_accounts(last: date) -> list[tuple[int, str, int]]:
    """Return (account, currency, net, debit > 0) of all income and expense that is not yet closed up to that day."""
    with connection.cursor() as cursor:
        cursor.execute(_RESULT, [last])
        return [(account, currency, net) for account, currency, net in cursor.fetchall()]


def close_year(first: date, last: date, now: datetime) -> str:
    """
    Move what stands on income and expense to retained earnings with the period's last day, if it ends the year.

    Only what is left is moved: again after a period was opened once more, it moves the difference.
    """
    if not is_fiscal_year_end(last):
        return "Not the last period of the year"
    attempt = Period.objects.values_list("public_id", "attempt").get(first_date=first)
    by_currency: dict[str, list[tuple[int, int]]] = {}
    for account, currency, net in result_accounts(last):
        by_currency.setdefault(currency, []).append((account, net))
    for currency, nets in by_currency.items():
        retained = house_account(chart_code="RETAINED_EARNINGS", currency=currency, now=now).pk
        for start in range(0, len(nets), _LEGS_MAX):
            _move(
                nets[start : start + _LEGS_MAX],
                currency,
                retained,
                last,
                f"{attempt[0]}:{attempt[1]}",
                start,
                now,
            )
    return f"Result moved in {', '.join(by_currency)}" if by_currency else "Nothing left to move"


def _move(
    nets: Sequence[tuple[int, int]],
    currency: str,
    retained: int,
    last: date,
    key: str,
    start: int,
    now: datetime,
) -> None:
    legs = [Leg(account, Money(-net, currency)) for account, net in nets]
    result = sum(net for _, net in nets)
    if result:
        legs.append(Leg(retained, Money(result, currency)))
    post(
        draft=Draft(
            kind=KIND,
            source="period",
            source_key=f"{key}:{currency}:{start}",
            effective_date=last,
            legs=tuple(legs),
            text="Result of the year",
        ),
        now=now,
    )


def _year_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    if not is_fiscal_year_end(last):
        return ()
    open_currencies = sorted({currency for _, currency, _ in result_accounts(last)})
    return [
        f"Income and expense in {currency} are not yet moved to retained earnings."
        for currency in open_currencies
    ]


def _zero_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    sums: dict[str, int] = {}
    for total in totals_until(last):
        sums[total.currency] = sums.get(total.currency, 0) + total.net
    return [
        f"The trial balance in {currency} is off by {minor}."
        for currency, minor in sorted(sums.items())
        if minor
    ]


def _queue_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    """Return what was put into the queue by the period's end and is not posted: later it would get a later day."""
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    waiting = QueuedPosting.objects.filter(queued_at__lt=end).exclude(state=QueueState.POSTED).count()
    return [f"{waiting:,} queued postings of the period are not posted yet."] if waiting else []


def _journal_points(_first: date, last: date, now: datetime) -> Sequence[str]:
    """Name the journals of the period (accruals are some) that a second person has not decided on."""
    asked = Approval.objects.filter(action=POST, status=ApprovalStatus.PENDING, expires_at__gt=now)
    waiting = JournalDraft.objects.filter(
        public_id__in=asked.values("object_id"), status=JournalStatus.DRAFT, effective_date__lte=last
    ).order_by("effective_date", "pk")
    named = [
        f"Journal \N{LEFT DOUBLE QUOTATION MARK}{draft.title}\N{RIGHT DOUBLE QUOTATION MARK} of {draft.effective_date} "
        "waits for a second person."
        for draft in waiting[:_NAMED_MAX]
    ]
    more = waiting.count() - len(named) if len(named) == _NAMED_MAX else 0
    return [*named, f"{more:,} more journals wait for a second person."] if more else named


CLOSING_STEPS.register("queue")(
    ClosingStep(order=25, title="No posting of the period waits in the queue", check=_queue_points)
)
CLOSING_STEPS.register("journals")(
    ClosingStep(order=30, title="Accruals and other journals of the period decided", check=_journal_points)
)
CLOSING_STEPS.register("year_end")(
    ClosingStep(
        order=45, title="Year's result moved to retained earnings", check=_year_points, run=close_year
    )
)
CLOSING_STEPS.register("trial_balance")(
    ClosingStep(order=50, title="Trial balance at zero in each currency", check=_zero_points)
)
