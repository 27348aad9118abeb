"""Load a delivered watch list, look again at the customers it concerns, and say what changed."""

import argparse
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.errors import ListRefused
from compliance.list_formats import LISTS
from compliance.models.screening import ListVersion
from compliance.operations.lists import load_list
from compliance.operations.rescreening import rescreen
from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now

_BYTES_MAX = 200 * 1024 * 1024
_PROGRESS_EVERY_S = 0.5


class Command(BaseCommand):
    """`load_watchlist ofac-sdn --sdn F --alt F --add F [--accept-size REASON]`; exit code 1 when refused."""

    help = "Load a watch list: it is checked, taken into use in one step, and customers are screened again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Offer each list, and an option for each file that any list is delivered in."""
        parser.add_argument("list", choices=list(LISTS), help="which list")
        for name in sorted({name for listing in LISTS.values() for name in listing.files}):
            parser.add_argument(f"--{name}", type=Path, metavar="FILE")
        parser.add_argument(
            "--accept-size", default="", metavar="REASON", help="take a list of unusual size, and say why"
        )

    def handle(self, **options: Any) -> None:
        """
        Load, screen again, report.

        :raises CommandError: if a file cannot be read or the list is refused (exit code 1)
        """
        code = options["list"]
        with acting(Actor("SYSTEM", "job:load_watchlist", "Watch list update")):
            files = {name: self._content(name, options[name]) for name in LISTS.get(code).files}
            try:
                version, fresh = load_list(
                    code=code,
                    files=files,
                    now=now(),
                    accept_size=options["accept_size"],
                    progress=self._progress,
                )
            except ListRefused as refusal:
                raise CommandError(self._refused(refusal)) from refusal
            self._report(version, fresh=fresh)
            run = rescreen(version_id=version.pk, now=now(), progress=self._progress)
        self.stdout.write(
            f"Screened {run.checked:,} customers again: {run.opened:,} hits opened, {run.closed:,} ended."
        )

    def _content(self, name: str, path: Path | None) -> bytes:
        if path is None:
            raise CommandError(f"--{name} is missing: all files of one delivery are needed")
        try:
            if path.stat().st_size > _BYTES_MAX:
                raise CommandError(f"{path}: larger than {_BYTES_MAX // 1024 // 1024} MB, no watch list is")
            return path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error

    def _refused(self, refusal: ListRefused) -> str:
        reasons = "\n".join(f"  {reason}" for reason in refusal.reasons)
        return f"Refused, the list in use stays:\n{reasons}"

    def _report(self, version: ListVersion, *, fresh: bool) -> None:
        counts = version.counts
        if not fresh:
            self.stdout.write(
                f"The same files are in use since {version.live_at:%Y-%m-%d %H:%M} UTC: nothing changed."
            )
            return
        changes = version.changes
        self.stdout.write(
            f"{version.source}: {counts['entities']:,} entities with {counts['names']:,} names in use "
            f"({changes['added']:,} added, {changes['changed']:,} changed, {changes['removed']:,} removed)."
        )

    def _progress(self, step: str, done: int, total: int) -> None:
        """Show how far a step is, at most twice a second; on a terminal in one line."""
        if done < total and time.monotonic() - getattr(self, "_shown", 0.0) < _PROGRESS_EVERY_S:
            return
        self._shown = time.monotonic()
        line = f"{step}: {done:,} of {total:,}"
        if self.stdout.isatty():
            self.stdout.write(f"\r{line:60}", ending="\n" if done == total else "")
        else:
            self.stdout.write(line)
        self.stdout.flush()
