"""`manage.py verify_safeguarding`: check the digest and the signature of every proof of client money, exit 1 on a fault."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.queries.safeguarding import fault_of, list_proofs


class Command(BaseCommand):
    """Work out each proof's digest again and check its signature by ANCHOR_KEYS; changes nothing."""

    help = "Check that each daily proof of client money is as it was signed: its figures, its digest, its signature."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--since", type=date.fromisoformat, help="proofs of this day (YYYY-MM-DD) and later"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """
        Print each proof that is not as it was signed, then how many were looked at.

        :raises CommandError: if there is one (exit code 1)
        """
        since, count, faults = options["since"] or date.min, 0, 0
        for proof in list_proofs().filter(day__gte=since).iterator(500):
            count += 1
            if fault := fault_of(proof):
                faults += 1
                self.stdout.write(
                    f"{proof.public_id}, {proof.day} {proof.currency} version {proof.version}: {fault}"
                )
        self.stdout.write(f"{count:,} proofs checked: {faults:,} faults.")
        if faults:
            raise CommandError(f"{faults:,} proofs are not as they were signed.")
