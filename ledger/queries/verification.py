"""The proof of the ledger: every figure is computed again from the postings, on one picture of the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

from django.db import connection, transaction

from ledger.queries.proofs import CHECKS, Check, Counted
from ledger.queries.proofs_books import PERIOD_CHECKS

SHOWN_PER_CHECK = 20
_COUNTS = """
SELECT (SELECT count(*) FROM ledger_currency), (SELECT count(*) FROM ledger_account),
       (SELECT count(*) FROM ledger_transaction), (SELECT count(*) FROM ledger_posting),
       (SELECT count(*) FROM ledger_transaction WHERE reverses_id IS NOT NULL), (SELECT count(*) FROM ledger_hold),
       (SELECT count(*) FROM ledger_period)
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: `row` names the row, `field` the column, `text` says what is there and what should be."""

    check: str
    row: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one check: how many rows it looked at, all faults counted, the first twenty told."""

    check: Check
    rows: int
    faults: int
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Report:
    """The answers in the order of the checks, and how many rows of each kind there are."""

    counts: dict[Counted, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.faults

    @property
    def faults(self) -> int:
        """The number of faults of all checks."""
        return sum(answer.faults for answer in self.answers)

    @property
    def findings(self) -> list[Finding]:
        """The findings told, check by check."""
        return [finding for answer in self.answers for finding in answer.findings]


def verify(
    *,
    progress: Callable[[Answer], None] = lambda _answer: None,
    checks: Iterable[Check] = (*CHECKS, *PERIOD_CHECKS),
    more: Callable[[], Iterable[Answer]] = tuple,
) -> Report:
    """
    Check the whole ledger; `progress` is told each answer as it comes. `more` are answers to further questions, asked
    of the same picture (`ledger.queries.chain`).

    Reads one snapshot, so that postings made meanwhile disturb nothing; inside a transaction it reads what that sees.
    """
    with transaction.atomic():
        if len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        report = Report(counts=_counts())
        own = (_ask(check, report.counts[check.counts]) for check in checks)
        for answer in chain(own, more()):
            report.answers.append(answer)
            progress(answer)
    return report


def _counts() -> dict[Counted, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        currencies, accounts, transactions, postings, reversals, holds, periods = cursor.fetchone()
    return {
        "currencies": currencies,
        "accounts": accounts,
        "transactions": transactions,
        "postings": postings,
        "reversals": reversals,
        "holds": holds,
        "periods": periods,
    }


def _ask(check: Check, rows: int) -> Answer:
    with connection.cursor() as cursor:
        # The whole number of faults beside the first few of them.
        cursor.execute(
            f"WITH faults AS MATERIALIZED ({check.sql}) SELECT *, count(*) OVER () FROM faults LIMIT {SHOWN_PER_CHECK}"  # noqa: S608 - our own text
        )
        faults = cursor.fetchall()
    return Answer(
        check=check,
        rows=rows,
        faults=faults[0][3] if faults else 0,
        findings=tuple(Finding(check.name, row, column, text) for row, column, text, _ in faults),
    )
