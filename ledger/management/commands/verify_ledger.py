"""`manage.py verify_ledger`: prove the ledger, say what was checked, exit 1 on any fault."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.queries.verification import Answer, verify


class Command(BaseCommand):
    """Recompute every balance and sum from the postings."""

    help = "Prove the ledger: zero per currency and transaction, gapless running balances, balances = sums."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """
        Print one line per check, then the findings.

        :raises CommandError: if anything is wrong (exit code 1)
        """
        report = verify(progress=self._print)
        counts = report.counts
        self.stdout.write(
            f"{counts['postings']:,} postings of {counts['transactions']:,} transactions"
            f" on {counts['accounts']:,} accounts checked: {report.faults:,} faults."
        )
        if not report.clean:
            raise CommandError(f"The ledger is not whole: {report.faults:,} faults.")

    def _print(self, answer: Answer) -> None:
        verdict = "ok" if not answer.faults else f"{answer.faults:,} FAULTS"
        self.stdout.write(f"{answer.rows:>12,} {answer.check.counts:<13}{verdict:<12} {answer.check.title}")
        for finding in answer.findings:
            self.stdout.write(f"{'':>13}{finding.row}, {finding.field}: {finding.text}")
        if answer.faults > len(answer.findings):
            self.stdout.write(f"{'':>13}and {answer.faults - len(answer.findings):,} more")
