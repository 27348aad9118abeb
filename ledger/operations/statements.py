"""Official statements: cutting the next one of an account, and giving its file out, the same bytes each time."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.errors import AppError, InvariantBroken, NotFound
from flowlet.core.locks import lock
from flowlet.events import outbox
from ledger import events
from ledger.choices import AccountStatus, ExportSubject
from ledger.errors import NotSealedYet, PeriodNotOver, StatementOutOfOrder, StatementUnsound, UnknownFormat
from ledger.models.accounts import Account, Balance
from ledger.models.seals import SealedTransaction
from ledger.models.statements import Statement, StatementFile
from ledger.models.transactions import Posting
from ledger.operations.unproven import note_unproven
from ledger.statements.builder import build_official, held_of, list_pending
from ledger.statements.facts import StatementNotProven, day_of, start_of
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.statements.subjects import Target, names_of, targets_of

_LANGUAGE = "en"
_log = structlog.get_logger("ledger.statements")


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file to hand over."""

    name: str
    content_type: str
    content: bytes
    sha256: str


@transaction.atomic
def issue_statement(
    *, account_id: int, latest_date: date, now: datetime, through_seq: int | None = None
) -> Statement:
    """
    Issue the next official statement of an account, from where the one before ended to the end of `latest_date`.

    It holds all that was booked before that instant in the book's time zone. The balance row is locked while it is
    cut: whoever has booked has committed, whoever comes later is booked later, so nothing falls between two
    statements; and all of it must be sealed. `through_seq` ends the range at an entry instead, for books that were taken over at once, whose days are
    not those of the clock. Safe to repeat: the statement of that day is returned if there is one.

    :raises NotFound: if there is no such account
    :raises PeriodNotOver: if the day is not over
    :raises NotSealedYet: if some of it is not sealed yet
    :raises StatementOutOfOrder: if a later day is in a statement already, or the account was opened later
    """
    cut = start_of(latest_date + timedelta(days=1))
    if now < cut:
        raise PeriodNotOver(latest=latest_date)
    balance = lock(Balance.objects.filter(pk=account_id)).first()
    if balance is None:
        raise NotFound
    account = Account.objects.select_related("partner").get(pk=account_id)
    previous = Statement.objects.filter(account_id=account_id).order_by("-number").first()
    if previous is not None and previous.latest_date == latest_date:
        return previous
    first = previous.latest_date + timedelta(days=1) if previous else day_of(account.opened_at)
    if first > latest_date:
        raise StatementOutOfOrder(latest=previous.latest_date if previous else first)
    opening, before = (previous.closing_minor, previous.seq_to) if previous else (0, 0)
    seq_to, closing = _end_of_range(account_id, before=before, cut=cut, through_seq=through_seq)
    _check_sealed(account_id, before + 1, seq_to)
    held = held_of(list_pending(account_id, before=cut))
    closing = opening if closing is None else closing
    statement = Statement.objects.create(
        account=account,
        number=previous.number + 1 if previous else 1,
        first_date=first,
        latest_date=latest_date,
        seq_from=before + 1,
        seq_to=seq_to,
        opening_minor=opening,
        closing_minor=closing,
        held_minor=held,
        available_minor=closing - held,
        currency=account.currency,
        cut_at=cut,
        issued_at=now,
    )
    _tell(statement, account, now)
    return statement


def _end_of_range(
    account_id: int, *, before: int, cut: datetime, through_seq: int | None
) -> tuple[int, int | None]:
    """Return the number of the range's latest entry and the balance after it, None where nothing was booked."""
    rows = Posting.objects.filter(account_id=account_id, account_seq__gt=before)
    # Booking times never go back within an account.
    rows = (
        rows.filter(posted_at__lt=cut) if through_seq is None else rows.filter(account_seq__lte=through_seq)
    )
    found = rows.order_by("-account_seq").values_list("account_seq", "balance_after").first()
    return found if found is not None else (before, None)


def _check_sealed(account_id: int, first: int, last: int) -> None:
    sealed = SealedTransaction.objects.filter(transaction_id=OuterRef("transaction_id"))
    within = Posting.objects.filter(account_id=account_id, account_seq__range=(first, last))
    if within.exclude(Exists(sealed)).exists():
        raise NotSealedYet


def _tell(statement: Statement, account: Account, now: datetime) -> None:
    trail.record(
        action="statement.issue",
        object_type="statement",
        object_id=statement.public_id,
        changes={
            "number": [None, statement.number],
            "entries": [None, statement.seq_to - statement.seq_from + 1],
        },
        partner_id=account.partner_id,
    )
    if account.partner_id is None:
        return
    target = targets_of([account.pk]).get(account.pk)
    outbox.publish(
        type=events.STATEMENT_ISSUED,
        object_type="statement",
        object_id=statement.public_id,
        partner_id=account.partner_id,
        data={
            "id": statement.public_id,
            "wallet": target.reference if target else None,
            "number": statement.number,
            "first": statement.first_date.isoformat(),
            "last": statement.latest_date.isoformat(),
        },
        at=now,
    )


def issue_month_ends(*, now: datetime, limit: int, after: int = 0) -> tuple[int, int]:
    """
    Issue what is due for up to `limit` customer accounts with keys above `after`; each statement in its own transaction.

    Every month that is over since the account's latest statement gets one. Returns how many were issued and the key to
    go on after, 0 at the end. An account that fails is logged and passed over: the next run tries again, and staff see one that does
    not add up.
    """
    latest = day_of(now).replace(day=1) - timedelta(days=1)
    covered = Statement.objects.filter(account_id=OuterRef("pk"), latest_date__gte=latest)
    final = Statement.objects.filter(account_id=OuterRef("pk"), seq_to=OuterRef("balance__seq"))
    due = (
        Account.objects.filter(
            pk__gt=after,
            chart_account__code="CUSTOMER_WALLETS",
            opened_at__lt=start_of(latest + timedelta(days=1)),
        )
        .exclude(Exists(covered))
        .exclude(Exists(final), balance__status=AccountStatus.CLOSED)
    )
    accounts = list(due.order_by("pk")[:limit])
    issued = sum(_catch_up(account, latest, now) for account in accounts)
    return issued, accounts[-1].pk if len(accounts) == limit else 0


def _catch_up(account: Account, latest: date, now: datetime) -> int:
    known = (
        Statement.objects.filter(account=account).order_by("-number").values_list("latest_date", flat=True)
    )
    previous, issued = known.first(), 0
    day = previous + timedelta(days=1) if previous else day_of(account.opened_at)
    while day <= latest:
        end = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        try:
            issue_statement(account_id=account.pk, latest_date=end, now=now)
        except (AppError, IntegrityError) as refusal:
            _log.critical("statement_not_issued", account=account.public_id, fault=type(refusal).__name__)
            if isinstance(refusal, IntegrityError):  # the postings do not give what it would say
                note_unproven(
                    subject_kind=ExportSubject.OFFICIAL,
                    subject=account.public_id,
                    title=f"Official statement of {_target(account).owner}, not issued",
                    first=day,
                    latest=end,
                    now=now,
                )
            break
        issued += 1
        day = end + timedelta(days=1)
    return issued


def give_statement(*, statement_id: int, format: str, version: str = "", now: datetime) -> GivenFile:  # noqa: A002 - the word of the page
    """
    Return an official statement as a file: proven and kept at the first time, the same bytes ever after.

    :raises NotFound: if there is no such statement
    :raises UnknownFormat: if there is no such format or version
    :raises StatementUnsound: if it does not prove itself; then nothing is kept, and it becomes work for staff
    :raises NotWritable: if the format has no room for it
    """
    statement = Statement.objects.filter(pk=statement_id).select_related("account").first()
    if statement is None:
        raise NotFound
    if format not in STATEMENT_FORMATS or version not in ("", *STATEMENT_FORMATS.get(format).versions):
        raise UnknownFormat
    known = STATEMENT_FORMATS.get(format)
    version = known.version(version)
    wanted = {"statement": statement, "format": format, "version": version, "language": _LANGUAGE}
    try:
        file, content = _handed_over(statement, wanted, now)
    except StatementNotProven as broken:
        _log.critical("statement_not_proven", statement=statement.public_id, fault=str(broken))
        note_unproven(
            subject_kind=ExportSubject.OFFICIAL,
            subject=statement.public_id,
            title=f"Statement {statement.number} of {_target(statement.account).owner}",
            first=statement.first_date,
            latest=statement.latest_date,
            format=format,
            version=version,
            now=now,
        )
        raise StatementUnsound from broken
    name = f"statement-{_target(statement.account).reference}-{statement.number:04}.{known.extension}"
    return GivenFile(name, known.content_type, content, file.sha256)


@transaction.atomic
def _handed_over(
    statement: Statement, wanted: dict[str, object], now: datetime
) -> tuple[StatementFile, bytes]:
    """Return the kept file and its bytes, made first if nobody asked for it yet, and note that it was given out."""
    file = StatementFile.objects.filter(**wanted).first()
    if file is None:
        content = _write(statement, str(wanted["format"]), str(wanted["version"]))
        file = _keep(wanted, content, now)
    content = _opened(file)
    trail.record(
        action="statement.export",
        object_type="statement",
        object_id=statement.public_id,
        changes={"format": [None, file.format.upper()], "sha256": [None, file.sha256]},
        partner_id=statement.account.partner_id,
    )
    return file, content


def _target(account: Account) -> Target:
    known = targets_of([account.pk]).get(account.pk)
    return known or Target(account.pk, account.public_id, account.name)


def _write(statement: Statement, format: str, version: str) -> bytes:  # noqa: A002 - as above
    target = _target(statement.account)
    facts = build_official(
        statement, reference=target.reference, owner=target.owner, names=names_of, streamed=True
    )
    return STATEMENT_FORMATS.get(format).render(facts, version)


def _keep(wanted: dict[str, object], content: bytes, now: datetime) -> StatementFile:
    file = StatementFile(**wanted, sha256=hashlib.sha256(content).hexdigest(), size=len(content), made_at=now)
    file.sealed = crypto.seal(zlib.compress(content), place=_place(file), keys=crypto.ring("FIELD_KEYS"))
    try:
        with transaction.atomic():
            file.save()
    except IntegrityError:  # somebody asked at the same time: theirs is given out
        return StatementFile.objects.get(**wanted)
    return file


def _opened(file: StatementFile) -> bytes:
    sealed = bytes(file.sealed)
    content = zlib.decompress(crypto.unseal(sealed, place=_place(file), keys=crypto.ring("FIELD_KEYS")))
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InvariantBroken(f"the kept file {file.public_id} is not what was given out")
    return content


def _place(file: StatementFile) -> str:
    return f"ledger_statementfile.sealed.{file.public_id}"
