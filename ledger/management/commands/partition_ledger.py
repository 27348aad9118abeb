"""Part the postings by month, once, when there are very many of them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from flowlet.audit.rights import grant_rights
from ledger.queries.partitions import estimated_postings, is_partitioned


class Command(BaseCommand):
    """Run it as the owner while nobody posts; all or nothing, in one transaction."""

    help = "Parts the postings by month of booking. Run it as the owner of the tables, with web and worker stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for a word before tables are rebuilt."""
        parser.add_argument("--yes", action="store_true", help="do it; without it, say what would be done")

    def handle(self, *_args: Any, **options: Any) -> None:
        """
        Part them, and give the application its rights on the new table.

        :raises CommandError: if they are parted already, or something stands in the way
        """
        if is_partitioned():
            raise CommandError("The postings are parted by month already.")
        count = f"about {estimated_postings():,} postings"
        if not options["yes"]:
            self.stdout.write(f"Would part {count} by month. Stop web and worker, then run it with --yes.")
            return
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT ledger_partition_postings()")
                made = cursor.fetchone()[0]
        except DatabaseError as error:
            raise CommandError(f"Nothing was changed: {error}") from error
        grant_rights()
        self.stdout.write(f"Parted {count}: those there are in one part, and {made} months ahead are ready.")
