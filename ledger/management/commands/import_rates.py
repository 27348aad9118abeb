"""Record exchange rates from a file."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.operations.rate_files import RateFileRefused, import_rates


class Command(BaseCommand):
    """`import_rates FILE`: all lines or none; exit code 1 and the numbers of the lines when something is wrong."""

    help = (
        "Record exchange rates from a CSV file (base, quote, kind, source, rate, valid_at) or the ECB's XML."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **_: Any) -> None:
        """
        Import.

        :raises CommandError: if the file cannot be read or has faults; nothing is recorded then
        """
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        with acting(Actor("SYSTEM", "command:import_rates")):
            try:
                done = import_rates(content=content, now=now())
            except RateFileRefused as refusal:
                lines = "\n".join(f"{file.name}: {fault}" for fault in refusal.faults)
                raise CommandError(f"Nothing was recorded.\n{lines}") from refusal
        self.stdout.write(f"{done.rates:,} rates read, {done.recorded:,} of them new.")
