"""`manage.py verify_audit`: is the audit trail what was written?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from flowlet.audit.verify import Report, verify
from flowlet.core.crypto import BadKeyRing

_SHOWN = 20


class Command(BaseCommand):
    """Exit 0: whole. 1: broken, the rows are named. 2: could not check (no key)."""

    help = "Recompute the digest of every audit row. Exit 0 whole, 1 broken, 2 could not check."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--since", type=int, default=0, help="only rows after this number")
        parser.add_argument("--strict", action="store_true", help="also fail on rows written by raw SQL")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the check and set the exit code."""
        try:
            report = verify(since_id=options["since"], progress=self._progress)
        except BadKeyRing as error:
            self.stderr.write(f"could not check: AUDIT_MAC_KEYS: {error}")
            raise SystemExit(2) from error
        broken = not report.whole or (options["strict"] and report.unsigned > 0)
        if options["json"]:
            self._print_json(report, broken=broken)
        else:
            self._print(report, broken=broken)
        if broken:
            raise SystemExit(1)

    def _progress(self, done: int) -> None:
        self.stderr.write(f"  {done:,} rows …")

    def _print_json(self, report: Report, *, broken: bool) -> None:
        findings = [
            {"record": finding.record_id, "kind": finding.kind, "text": finding.text}
            for finding in report.findings
        ]
        summary = {"checked": report.checked, "unsigned": report.unsigned, "whole": not broken}
        self.stdout.write(json.dumps({**summary, "findings": findings}))

    def _print(self, report: Report, *, broken: bool) -> None:
        for finding in report.findings[:_SHOWN]:
            self.stdout.write(f"row {finding.record_id}: {finding.kind}: {finding.text}")
        if len(report.findings) > _SHOWN:
            self.stdout.write(f"… and {len(report.findings) - _SHOWN:,} more")
        for number in report.unsigned_ids[:_SHOWN]:
            self.stdout.write(f"row {number}: written by raw SQL, without a signature")
        word = "BROKEN" if broken else "whole"
        self.stdout.write(
            f"audit trail {word}: {report.checked:,} rows checked, {len(report.findings):,} findings,"
            f" {report.unsigned:,} unsigned"
        )
