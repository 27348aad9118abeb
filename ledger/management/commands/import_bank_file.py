"""Bring in a file from a bank and say, with line numbers, what came of it."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.choices_bank import BankFileState
from ledger.models.reconciliation import FILE_SIZE_MAX, BankFile, BankStatement, CsvMapping
from ledger.operations.reconciliation import accept_file, stage_file
from ledger.reconciliation.accepted import tell_accepted

QUARANTINED_CODE = 2


class Command(BaseCommand):
    """`import_bank_file FILE [--mapping NAME]`; exit code 0 accepted, 1 refused, 2 quarantined."""

    help = "Bring in a bank's file (camt.052/053/054, MT940, OFX, BAI2, mapped CSV): all of it or nothing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the file, and for CSV the mapping where several fit."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", default="", help="name of the CSV mapping, where several fit")

    def handle(self, **options: Any) -> None:
        """
        Stage and accept the file, then let everybody see its statements.

        :raises CommandError: if it cannot be read, is refused or quarantined
        """
        path: Path = options["file"]
        data, mapping = _content(path), _mapping(options["mapping"])
        with acting(Actor("SYSTEM", "job:import_bank_file", "Bank file import")):
            try:
                staged = stage_file(
                    data=data, name=path.name, now=now(), mapping_id=mapping.pk if mapping else None
                )
                file = accept_file(file_id=staged.pk, now=now())
            except AppError as refusal:
                raise CommandError(f"{path.name}: {refusal.detail}") from refusal
            self._report(path.name, file)
            for statement in BankStatement.objects.filter(file=file).order_by("pk"):
                tell_accepted(statement_id=statement.pk, now=now())

    def _report(self, name: str, file: BankFile) -> None:
        if file.state != BankFileState.ACCEPTED:
            told = "\n".join(f"{name}: {finding['place']}: {finding['text']}" for finding in file.findings)
            quarantined = file.state == BankFileState.QUARANTINED
            raise CommandError(
                f"{told}\n{file.get_state_display()} as {file.public_id}; nothing was booked.",
                returncode=QUARANTINED_CODE if quarantined else 1,
            )
        for statement in (
            BankStatement.objects.filter(file=file).select_related("bank_account").order_by("pk")
        ):
            opening, closing = (
                Money(minor, statement.currency).format()
                for minor in (statement.opening_minor, statement.closing_minor)
            )
            self.stdout.write(
                f"{statement.bank_account}: statement {statement}, {opening} + {statement.line_count:,} lines = {closing}"
            )
        self.stdout.write(f"Accepted as {file.public_id}: {file.format}, {file.line_count:,} lines.")


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_SIZE_MAX:
            raise CommandError(f"{path}: larger than {FILE_SIZE_MAX // 1024 // 1024} MB")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _mapping(name: str) -> CsvMapping | None:
    if not name:
        return None
    found = CsvMapping.objects.filter(name=name).first()
    if found is None:
        known = (
            ", ".join(CsvMapping.objects.order_by("name").values_list("name", flat=True)) or "none is saved"
        )
        raise CommandError(f"There is no CSV mapping {name!r} ({known}).")
    return found
