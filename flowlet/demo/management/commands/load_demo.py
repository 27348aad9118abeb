"""Fill the sandbox with three invented partners and ninety days of their customers' money."""

import argparse
import os
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from flowlet.core.clock import now
from flowlet.demo.loader import is_empty, load

_EVERY_S = 0.5
_SCALE_MAX = 50.0


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= _SCALE_MAX:
        raise argparse.ArgumentTypeError(f"the scale is above 0 and at most {_SCALE_MAX:g}")
    return value


class Command(BaseCommand):
    """`load_demo [--if-empty] [--reset] [--scale 1] [--processes 2]`."""

    help = "Load demo data through the operations of the house. Refused in live mode."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Offer what to do with data that is there, and how much to make."""
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            "--if-empty", action="store_true", help="do nothing when there are partners already"
        )
        group.add_argument("--reset", action="store_true", help="throw away EVERYTHING in the database first")
        parser.add_argument(
            "--scale", type=_scale, default=1.0, help="1 means about 300 customers, 10,000 payments"
        )
        parser.add_argument("--processes", type=int, default=min(3, os.cpu_count() or 1))

    def handle(self, **options: Any) -> None:
        """
        Load.

        :raises CommandError: in live mode, or when there are partners already
        """
        if settings.FLOWLET_MODE == "live":
            raise CommandError("Demo data is for the sandbox; this is live mode.")
        if options["reset"]:
            self._reset()
        if not is_empty():
            if options["if_empty"]:
                self.stdout.write("There is data already; nothing to load.")
                return
            raise CommandError(
                "There is data already. Use --if-empty to keep it or --reset to throw it away."
            )
        started = time.monotonic()
        loaded = load(
            now=now(), scale=options["scale"], processes=options["processes"], progress=self._progress
        )
        self.stdout.write(
            f"Demo data is there: {loaded.partners} partners, {loaded.customers:,} customers, {loaded.payments:,}"
            f" payments ({loaded.refused:,} refused), in {time.monotonic() - started:.0f} s."
        )

    def _reset(self) -> None:
        """Build the database anew: the append-only tables refuse to be emptied, and rightly so."""
        self.stdout.write("Building the database anew …")
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
        connection.close()
        call_command("migrate", verbosity=0, interactive=False)
        cache.clear()

    def _progress(self, step: str, done: int, total: int) -> None:
        """Show how far a step is, at most twice a second; on a terminal in one line."""
        moment = time.monotonic()
        changed = step != getattr(self, "_step", "")
        if (
            done < total
            and not changed
            and moment - getattr(self, "_shown", 0.0) < _EVERY_S * (1 if self.stdout.isatty() else 10)
        ):
            return
        if done == total and getattr(self, "_finished", "") == step:
            return
        self._step, self._shown = step, moment
        self._finished = step if done == total else ""
        line = f"{step}: {done:,} of {total:,}" if total > 1 else step
        if self.stdout.isatty():
            self.stdout.write(f"\r{line:60}", ending="\n" if done == total else "")
        elif total > 1 or done == total:
            self.stdout.write(line)
        self.stdout.flush()
