"""The trial balance: what every heading of the chart holds, debits against credits, per currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db import connection

from ledger.choices import ChartKind

# Balances are kept with the postings in one transaction, so their sum is the postings' sum without reading them.
_SQL = """
SELECT b.currency, c.number, c.code, c.name, c.kind, sum(b.posted * b.sign)::bigint, count(*), sum(b.seq)::bigint
FROM ledger_balance b
JOIN ledger_account a ON a.id = b.account_id
JOIN ledger_chartaccount c ON c.id = a.chart_account_id
WHERE b.seq > 0
GROUP BY b.currency, c.number, c.code, c.name, c.kind
ORDER BY b.currency, c.number
"""


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """One heading in one currency: its net in minor units, on the debit or on the credit side."""

    currency: str
    number: str
    code: str
    name: str
    kind: ChartKind
    net: int
    accounts: int
    postings: int

    @property
    def debit(self) -> int:
        """The net, if it is a debit."""
        return max(self.net, 0)

    @property
    def credit(self) -> int:
        """The net, if it is a credit, without its sign."""
        return max(-self.net, 0)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All headings of one currency; the ledger is right when debits equal credits."""

    currency: str
    lines: tuple[TrialBalanceLine, ...]

    @property
    def debit(self) -> int:
        """Sum of all debit nets, minor units."""
        return sum(line.debit for line in self.lines)

    @property
    def credit(self) -> int:
        """Sum of all credit nets, minor units, without sign."""
        return sum(line.credit for line in self.lines)


def get_trial_balances() -> list[TrialBalance]:
    """Return the present trial balance of each currency that was ever posted, sorted by currency and number."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        rows = [
            TrialBalanceLine(currency, number, code, name, ChartKind(kind), net, accounts, postings)
            for currency, number, code, name, kind, net, accounts, postings in cursor.fetchall()
        ]
    return [TrialBalance(currency, tuple(lines)) for currency, lines in _by_currency(rows)]


def _by_currency(rows: Iterable[TrialBalanceLine]) -> Iterable[tuple[str, Iterable[TrialBalanceLine]]]:
    return groupby(rows, key=lambda line: line.currency)
