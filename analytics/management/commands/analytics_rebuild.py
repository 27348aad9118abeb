"""Build facts anew from their sources."""

import argparse
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.facts.base import FACTS
from analytics.operations.refreshing import rebuild
from flowlet.core.clock import now

DAYS = 120


class Command(BaseCommand):
    """`analytics_rebuild [--fact payment_day …] [--from 2026-01-01] [--to 2026-12-31]`."""

    help = "Build day facts anew; equals what the jobs keep up to date. Needed after REPORTING_TIME_ZONE changed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Offer facts and a span."""
        today = now().date()
        parser.add_argument(
            "--fact", action="append", choices=sorted(dict(FACTS.items())), help="default: all"
        )
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, default=today - timedelta(days=DAYS)
        )
        parser.add_argument("--to", dest="last", type=date.fromisoformat, default=today)

    def handle(self, **options: Any) -> None:
        """
        Build.

        :raises CommandError: if the span is reversed
        """
        if options["last"] < options["first"]:
            raise CommandError("--to lies before --from.")
        for name in options["fact"] or sorted(dict(FACTS.items())):
            rows = rebuild(fact=name, first=options["first"], last=options["last"], now=now())
            self.stdout.write(f"{name}: {rows:,} rows")
