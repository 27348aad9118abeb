"""
Bank files: staged as they came, proven, then written line by line; nothing of a file counts before all of it does.

Nothing here books money: whoever matches the lines registers in `ledger.reconciliation.accepted`.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.events import outbox
from ledger.choices_bank import UNEXPECTED, UNEXPECTED_MIDWAY, BankFileState
from ledger.errors_bank import (
    BankFileFinal,
    BankFileKnown,
    BankFileTooLarge,
    EmptyBankFile,
    UnreadableBankFile,
)
from ledger.events import BANK_STATEMENT_ACCEPTED
from ledger.models.reconciliation import (
    FILE_SIZE_MAX,
    BankFile,
    BankFileOriginal,
    BankStatement,
    CsvMapping,
    HouseBankAccount,
)
from ledger.operations.bank_lines import write_announcements, write_lines
from ledger.queries.reconciliation import FIELD_KEYS, known_accounts, original_place, read_original
from ledger.reconciliation import formats
from ledger.reconciliation.csv_files import fits, read_csv
from ledger.reconciliation.parsed import ParsedFile, ParsedStatement, unreadable
from ledger.reconciliation.proving import Finding, Planned, masked, prove

_NAME_MAX = 200
_FINDINGS_MAX = 200
_SUMMARY_MAX = 500


@transaction.atomic
def stage_file(*, data: bytes, name: str, now: datetime, mapping_id: int | None = None) -> BankFile:
    """
    Keep a file as it came, sealed, and return it as STAGED; it is not read yet.

    `name` is what the sender calls it, `mapping_id` the CSV mapping to read it by, where the content does not tell.

    :raises EmptyBankFile: if there is nothing in it
    :raises BankFileTooLarge: if it is larger than what is read
    :raises BankFileKnown: if the same bytes came before; names the first file
    """
    if not data.strip(b"\0 \t\r\n"):
        raise EmptyBankFile
    if len(data) > FILE_SIZE_MAX:
        raise BankFileTooLarge(max_mb=FILE_SIZE_MAX // 1024 // 1024)
    digest = hashlib.sha256(data).hexdigest()
    _advisory_lock(digest)
    if (first := BankFile.objects.filter(sha256=digest).first()) is not None:
        raise BankFileKnown(
            file=first.public_id,
            name=first.name,
            on=f"{first.received_at:%-d %b %Y}",
            state=first.get_state_display(),
        )
    actor = trail.current_actor()
    file = BankFile.objects.create(
        name=_clean_name(name),
        sha256=digest,
        size=len(data),
        mapping_id=mapping_id,
        received_by=actor.text[:160],
        received_at=now,
        changed_at=now,
    )
    sealed = crypto.seal(data, place=original_place(file), keys=crypto.ring(FIELD_KEYS))
    BankFileOriginal.objects.create(file=file, sealed=sealed)
    _record(file, "bank_file.stage", "", BankFileState.STAGED)
    return file


def _advisory_lock(digest: str) -> None:
    """Let two uploads of the same bytes wait for each other, so that the second can name the first."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bank_file:{digest}"])


def _clean_name(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in base if sign.isprintable())[:_NAME_MAX] or "bank file"


def accept_file(*, file_id: int, now: datetime, parsed: ParsedFile | None = None) -> BankFile:
    """
    Read, prove and write a staged file, and return it: ACCEPTED, QUARANTINED or REFUSED with findings.

    Safe to call again: what was accepted stays, what was interrupted goes on where it stopped, what was quarantined
    or refused is judged anew. Lines are written in several transactions; none of them counts before the last.
    `parsed` saves reading again what the caller has just read.

    :raises NotFound: if there is no such file
    :raises BankFileFinal: if it was put aside
    """
    file = BankFile.objects.select_related("mapping__bank_account").filter(pk=file_id).first()
    if file is None:
        raise NotFound
    if file.state == BankFileState.ACCEPTED:
        return file
    if file.state == BankFileState.DISCARDED:
        raise BankFileFinal(state=file.get_state_display())
    try:
        parsed = parsed or _read(file)
    except UnreadableBankFile as fault:
        return _stop(file.pk, BankFileState.REFUSED, [_finding(fault)], None, now)
    if _begin(file.pk, parsed, now) == BankFileState.ACCEPTING:
        write_lines(file_id=file.pk, parsed=parsed)
        _finish(file.pk, now)
    return BankFile.objects.get(pk=file.pk)


def _finding(fault: UnreadableBankFile) -> Finding:
    return Finding(fault.reason_code, fault.place, fault.reason)


def _read(file: BankFile) -> ParsedFile:
    """
    Read the file by its own format, or by the one mapping that fits.

    :raises UnreadableBankFile: if it cannot be read, or several mappings fit
    """
    data = read_original(file)
    if file.mapping is not None:
        return read_csv(data, file.mapping)
    try:
        return formats.read(data)
    except UnreadableBankFile as fault:
        if fault.reason_code != "UNKNOWN_FORMAT":
            raise
        mapping = _mapping_for(data)
        if mapping is None:
            raise
    return read_csv(data, mapping)


def _mapping_for(data: bytes) -> CsvMapping | None:
    found = [
        mapping
        for mapping in CsvMapping.objects.select_related("bank_account").order_by("pk")
        if fits(data, mapping)
    ]
    if len(found) > 1:
        names = ", ".join(mapping.name for mapping in found[:5])
        raise unreadable(
            "SEVERAL_MAPPINGS",
            "line 1",
            f"Several CSV mappings fit ({names}): choose one when you bring it in.",
        )
    return found[0] if found else None


@transaction.atomic
def _begin(file_id: int, parsed: ParsedFile, now: datetime) -> str:
    """Prove the file against its accounts as they stand, and make its statements; or say what stands against it."""
    numbers = {statement.account for statement in parsed.statements}
    ours = [
        account.pk
        for account in HouseBankAccount.objects.all()
        if numbers & {account.iban, account.other_id} - {""}
    ]
    accounts = list(lock(HouseBankAccount.objects.filter(pk__in=ours)))
    file = lock(BankFile.objects.filter(pk=file_id)).get()
    if file.state in (BankFileState.ACCEPTING, BankFileState.ACCEPTED, BankFileState.DISCARDED):
        return file.state
    proof = prove(parsed, known_accounts(accounts))
    if proof.findings:
        _move(file, BankFileState.QUARANTINED, proof.findings, parsed, now)
        return file.state
    for plan in proof.planned:
        if plan.sequence:
            _create_statement(file, plan)
        write_announcements(file, plan)
    file.lines_done, file.line_count = 0, sum(len(plan.keys) for plan in proof.planned)
    _move(file, BankFileState.ACCEPTING, (), parsed, now)
    return file.state


def _create_statement(file: BankFile, plan: Planned) -> None:
    statement = plan.statement
    BankStatement.objects.create(
        bank_account_id=plan.account_pk,
        file=file,
        sequence=plan.sequence,
        index=plan.index,
        lead=plan.lead,
        number=statement.number,
        reference=statement.reference,
        opening_date=statement.opening_date,
        closing_date=statement.closing_date,
        opening_minor=statement.opening_minor,
        closing_minor=statement.closing_minor,
        currency=statement.currency,
        line_count=len(plan.keys),
    )


@transaction.atomic
def _stop(
    file_id: int, state: BankFileState, findings: Sequence[Finding], parsed: ParsedFile | None, now: datetime
) -> BankFile:
    file = lock(BankFile.objects.filter(pk=file_id)).get()
    if file.state in (BankFileState.STAGED, BankFileState.QUARANTINED, BankFileState.REFUSED):
        _move(file, state, findings, parsed, now)
    return file


@transaction.atomic
def hold_file(*, file_id: int, now: datetime) -> BankFile:
    """
    Leave a file, whose reading ended with an error that nobody foresaw, where staff see it and why; return it.

    What waited is QUARANTINED, to be tried again by hand. What was begun stays ACCEPTING, with the reason: it is gone
    on with at the next run. A file that is final by now stays as it is.

    :raises NotFound: if there is no such file
    """
    file = lock(BankFile.objects.filter(pk=file_id)).first()
    if file is None:
        raise NotFound
    if file.state == BankFileState.STAGED:
        text = "Reading it ended with an error in our software, which is in the log."
        _move(file, BankFileState.QUARANTINED, [Finding(UNEXPECTED, "file", text)], None, now)
    elif file.state == BankFileState.ACCEPTING and not file.findings:
        # Once, not at every further run that fails: the trail is no log.
        text = f"After {file.lines_done} lines, an error in our software stopped it, which is in the log."
        _move(file, BankFileState.ACCEPTING, [Finding(UNEXPECTED_MIDWAY, "file", text)], None, now)
    return file


def _move(
    file: BankFile,
    state: BankFileState,
    findings: Sequence[Finding],
    parsed: ParsedFile | None,
    now: datetime,
) -> None:
    before, file.state, file.changed_at = file.state, state, now
    file.findings = [finding.as_dict() for finding in findings[:_FINDINGS_MAX]]
    if parsed is not None:
        file.format = parsed.format
        file.summary = [_summary(statement) for statement in parsed.statements[:_SUMMARY_MAX]]
    file.save()
    _record(file, f"bank_file.{state.lower()}", before, state)


def _summary(statement: ParsedStatement) -> dict[str, object]:
    return {
        "account": masked(statement.account),
        "currency": statement.currency[:3],
        "number": statement.number,
        "from": statement.opening_date.isoformat(),
        "to": statement.closing_date.isoformat(),
        "opening": statement.opening_minor,
        "closing": statement.closing_minor,
        "lines": len(statement.lines),
        "announces": statement.announces,
        "place": statement.place,
    }


@transaction.atomic
def _finish(file_id: int, now: datetime) -> None:
    """Let the statements of a file count; the database adds each of them up once more."""
    file = lock(BankFile.objects.filter(pk=file_id)).get()
    if file.state != BankFileState.ACCEPTING:
        return
    statements = BankStatement.objects.filter(file=file).select_related("bank_account").order_by("pk")
    for statement in statements:
        statement.accepted_at = now
        statement.save(update_fields=["accepted_at"])
    before, file.state, file.changed_at = file.state, BankFileState.ACCEPTED, now
    file.findings = []
    file.save(update_fields=["state", "findings", "changed_at"])
    _record(file, "bank_file.accept", before, BankFileState.ACCEPTED)
    for statement in statements:
        outbox.publish(
            type=BANK_STATEMENT_ACCEPTED,
            object_type="bank_statement",
            object_id=statement.public_id,
            partner_id=None,
            data={"id": statement.public_id, "bank_account": statement.bank_account.public_id},
            at=now,
        )


def import_file(*, data: bytes, name: str, now: datetime, mapping_id: int | None = None) -> BankFile:
    """Stage a file and accept it at once; errors as for `stage_file`."""
    file = stage_file(data=data, name=name, now=now, mapping_id=mapping_id)
    return accept_file(file_id=file.pk, now=now)


@transaction.atomic
def restage_file(*, file_id: int, now: datetime) -> BankFile:
    """
    Let a worker judge a quarantined or refused file anew.

    :raises NotFound: if there is no such file
    :raises BankFileFinal: if it was accepted, is being read in, or was put aside
    """
    file = _stuck(file_id)
    _move(file, BankFileState.STAGED, (), None, now)
    return file


def _stuck(file_id: int) -> BankFile:
    """Return the locked file, if something can still be done with it by hand."""
    file = lock(BankFile.objects.filter(pk=file_id)).first()
    if file is None:
        raise NotFound
    if file.state not in (BankFileState.STAGED, BankFileState.QUARANTINED, BankFileState.REFUSED):
        raise BankFileFinal(state=file.get_state_display())
    return file


@transaction.atomic
def discard_file(*, file_id: int, reason_code: str, now: datetime, note: str = "") -> BankFile:
    """
    Put a file aside that will never be accepted; it stays where it is, and the same bytes stay refused.

    :raises NotFound: if there is no such file
    :raises BankFileFinal: if it was accepted, is being read in, or was put aside before
    """
    file = _stuck(file_id)
    before, file.state, file.changed_at = file.state, BankFileState.DISCARDED, now
    file.save(update_fields=["state", "changed_at"])
    _record(file, "bank_file.discard", before, BankFileState.DISCARDED, reason_code=reason_code, note=note)
    return file


def _record(
    file: BankFile, action: str, before: str, after: str, *, reason_code: str = "", note: str = ""
) -> None:
    trail.record(
        action=action,
        object_type="bank_file",
        object_id=file.public_id,
        changes={"state": [before or None, after]},
        reason_code=reason_code,
        note=note,
    )
