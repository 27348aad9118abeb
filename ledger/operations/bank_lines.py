"""Writing the lines of bank files, some thousand in a transaction, going on where it stopped."""

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import transaction

from flowlet.core import crypto
from flowlet.core.errors import InvariantBroken
from flowlet.core.locks import lock
from ledger.choices_bank import BankFileState
from ledger.models.reconciliation import BankAnnouncement, BankFile, BankLine, BankStatement
from ledger.reconciliation.keys import clipped, line_keys
from ledger.reconciliation.parsed import ParsedFile, ParsedLine, ParsedStatement
from ledger.reconciliation.proving import Planned, booked_lines, in_order

_AT_ONCE = 2_000
_BATCH = 500
_PLACE_MAX = 120
_DETAILS_MAX = 1_000
_WORDS_MAX = 4_000
_IBAN_MAX = 34


def write_lines(*, file_id: int, parsed: ParsedFile) -> None:
    """Write what is missing of a file that is being read in; `lines_done` is where it stands."""
    for rows in _batches(file_id, parsed):
        with transaction.atomic():
            file = lock(BankFile.objects.filter(pk=file_id)).get()
            start = rows[0][0]
            if file.state != BankFileState.ACCEPTING or file.lines_done > start:
                continue
            BankLine.objects.bulk_create([row for _, row in rows], batch_size=_BATCH)
            file.lines_done = start + len(rows)
            file.save(update_fields=["lines_done"])


def _batches(file_id: int, parsed: ParsedFile) -> Iterator[list[tuple[int, BankLine]]]:
    done = BankFile.objects.values_list("lines_done", flat=True).get(pk=file_id)
    rows = islice(enumerate(_rows(file_id, parsed)), done, None)
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _rows(file_id: int, parsed: ParsedFile) -> Iterator[BankLine]:
    """Yield every line of the file as it is to be written, always in the same order."""
    ordered = in_order(parsed.statements)
    for statement in BankStatement.objects.filter(file_id=file_id).order_by("pk"):
        for position, (key, line) in enumerate(_left(ordered[statement.index], statement), 1):
            yield BankLine(
                statement=statement,
                stated_in_id=file_id,
                position=position,
                **_values(statement.bank_account_id, key, line),
            )


def _left(parsed: ParsedStatement, statement: BankStatement) -> Sequence[tuple[str, ParsedLine]]:
    lines = booked_lines(parsed)
    if lines is None or len(lines) - statement.lead != statement.line_count:
        raise InvariantBroken(f"statement {statement.public_id} reads otherwise than when it was proven")
    return list(zip(line_keys(lines), lines, strict=True))[statement.lead :]


def write_announcements(file: BankFile, plan: Planned) -> None:
    """Keep what a bank announced; what it announced before stays as it was."""
    rows = [
        BankAnnouncement(stated_in=file, pending=line.pending, **_values(plan.account_pk, key, line))
        for key, line in plan.announced
    ]
    if rows:
        BankAnnouncement.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def _values(bank_account_id: int, key: str, line: ParsedLine) -> dict[str, object]:
    iban = line.iban[:_IBAN_MAX]
    return {
        "bank_account_id": bank_account_id,
        "key": key,
        "booking_date": line.booking_date,
        "value_date": line.value_date,
        "amount_minor": line.amount_minor,
        "currency": line.currency,
        "end_to_end_id": clipped(line.end_to_end_id),
        "bank_reference": clipped(line.bank_reference),
        "batch_id": clipped(line.batch_id),
        "counterparty_name": line.name[:_WORDS_MAX] or None,
        "counterparty_iban": iban or None,
        "counterparty_index": crypto.blind_index("iban", None, iban) if iban else None,
        "text": line.text[:_WORDS_MAX] or None,
        "kind": line.kind,
        "reversal": line.reversal,
        "details": [
            {"end_to_end_id": end_to_end_id, "reference": reference, "amount_minor": minor}
            for end_to_end_id, reference, minor in line.details[:_DETAILS_MAX]
        ],
        "place": line.place[:_PLACE_MAX],
    }
