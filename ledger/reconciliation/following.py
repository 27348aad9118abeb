"""What matching does for others: an accepted statement is matched at once, and a close wants nothing left in suspense."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.models.reconciliation import BankStatement
from ledger.operations.matching import match_lines
from ledger.queries.breaks import open_points
from ledger.reconciliation.accepted import ON_ACCEPTED


@ON_ACCEPTED.register("10-match")
def match_statement(*, statement_id: int, now: datetime) -> None:
    """Match the lines of an accepted statement, with whatever else waits in its currency."""
    currency = BankStatement.objects.values_list("currency", flat=True).get(pk=statement_id)
    match_lines(currency=currency, now=now)


def _open_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    return open_points(last)


CLOSING_STEPS.register("breaks")(
    ClosingStep(order=20, title="Breaks are explained and nothing waits in suspense", check=_open_points)
)
