"""The first step of closing a period: the banks' own balances are there for every account, up to its last day."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.queries.reconciliation import missing_proofs


def _open_points(_first: date, last: date, _now: datetime) -> Sequence[str]:
    return missing_proofs(last)


CLOSING_STEPS.register("bank_proofs")(
    ClosingStep(order=10, title="Bank statements are there for every account", check=_open_points)
)
