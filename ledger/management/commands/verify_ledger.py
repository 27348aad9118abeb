"""`manage.py verify_ledger`: prove the ledger, say what was checked, exit 1 on any fault."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from flowlet.core.clock import now
from ledger.operations.checking import prove
from ledger.queries.verification import Answer


class Command(BaseCommand):
    """Recompute every balance and sum from the postings; with --chain every signature and block too."""

    help = "Prove the ledger: zero per currency and transaction, gapless running balances, balances = sums; --chain: signatures, blocks, anchors."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--chain", action="store_true", help="also check signatures, blocks and anchors")
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            help="rows of this UTC day (YYYY-MM-DD) and later, and one in 97 of the older ones; implies --chain",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """
        Print one line per check, then the findings.

        :raises CommandError: if anything is wrong (exit code 1)
        """
        since = options["since"]
        report = prove(
            since=datetime.combine(since, time(), UTC) if since else None,
            now=now(),
            chain=options["chain"] or since is not None,
            progress=self._print,
            step=self._step,
        )
        counts = report.counts
        self.stdout.write(
            f"{counts['postings']:,} postings of {counts['transactions']:,} transactions"
            f" on {counts['accounts']:,} accounts checked: {report.faults:,} faults."
        )
        if not report.clean:
            raise CommandError(f"The ledger is not whole: {report.faults:,} faults.")

    def _step(self, title: str, done: int, total: int) -> None:
        if done:
            self.stderr.write(f"  {done:>10,} of {total:,}: {title}")

    def _print(self, answer: Answer) -> None:
        verdict = "ok" if not answer.faults else f"{answer.faults:,} FAULTS"
        self.stdout.write(f"{answer.rows:>12,} {answer.check.counts:<13}{verdict:<12} {answer.check.title}")
        for finding in answer.findings:
            self.stdout.write(f"{'':>13}{finding.row}, {finding.field}: {finding.text}")
        if answer.faults > len(answer.findings):
            self.stdout.write(f"{'':>13}and {answer.faults - len(answer.findings):,} more")
