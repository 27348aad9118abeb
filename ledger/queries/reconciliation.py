"""Reading what banks told us: originals, accounts as they stand, statements up to a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from flowlet.core import crypto
from flowlet.core.money import Money
from ledger.choices_bank import BankFileState
from ledger.models.reconciliation import (
    BankAnnouncement,
    BankFile,
    BankFileOriginal,
    BankLine,
    BankStatement,
    HouseBankAccount,
)
from ledger.reconciliation.parsed import ParsedStatement
from ledger.reconciliation.proving import KnownAccount, KnownStatement

FIELD_KEYS = "FIELD_KEYS"
_KEYS_AT_ONCE = 5_000
WAITING = (BankFileState.STAGED, BankFileState.ACCEPTING)
STUCK = (BankFileState.QUARANTINED, BankFileState.REFUSED)
# What wants a person: what was not taken, and what was begun and cannot be ended.
TO_LOOK_AT = Q(state__in=STUCK) | Q(state=BankFileState.ACCEPTING) & ~Q(findings=[])


def original_place(file: BankFile) -> str:
    """Return what the sealed bytes of a file are bound to."""
    return f"ledger_bankfileoriginal.sealed.{file.public_id}"


def read_original(file: BankFile) -> bytes:
    """
    Return a file's bytes as they came.

    :raises InvariantBroken: if they do not open: wrong key, or they were changed
    """
    sealed = BankFileOriginal.objects.get(pk=file.pk).sealed
    return crypto.unseal(bytes(sealed), place=original_place(file), keys=crypto.ring(FIELD_KEYS))


def known_accounts(accounts: Sequence[HouseBankAccount]) -> Mapping[tuple[str, str], KnownAccount]:
    """Return these bank accounts as they stand, by (IBAN or other number, currency)."""
    known: dict[tuple[str, str], KnownAccount] = {}
    for account in accounts:
        state = KnownAccount(
            pk=account.pk,
            public_id=account.public_id,
            currency=account.currency,
            latest=_latest(account.pk),
            keys_among=_Keys(account.pk),
            same_statement=_Same(account.pk),
        )
        known |= {(number, account.currency): state for number in (account.iban, account.other_id) if number}
    return known


def _latest(bank_account_pk: int) -> KnownStatement | None:
    row = BankStatement.objects.filter(bank_account_id=bank_account_pk).order_by("-sequence").first()
    if row is None:
        return None
    return KnownStatement(
        public_id=row.public_id, number=row.number, closing_minor=row.closing_minor, sequence=row.sequence
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    """Which of some line keys an account has, booked or announced."""

    bank_account_pk: int

    def __call__(self, keys: Collection[str], *, announced: bool = False) -> set[str]:
        """Ask in batches."""
        model = BankAnnouncement if announced else BankLine
        asked, found = list(keys), set[str]()
        for start in range(0, len(asked), _KEYS_AT_ONCE):
            rows = model._default_manager.filter(  # noqa: SLF001 - Django's documented model API
                bank_account_id=self.bank_account_pk, key__in=asked[start : start + _KEYS_AT_ONCE]
            )
            found |= set(rows.values_list("key", flat=True))
        return found


@dataclass(frozen=True, slots=True)
class _Same:
    """Whether an account has this very statement."""

    bank_account_pk: int

    def __call__(self, statement: ParsedStatement) -> str:
        """Return its id and the file it came in, or ''."""
        row = (
            BankStatement.objects.filter(
                bank_account_id=self.bank_account_pk,
                number=statement.number,
                closing_date=statement.closing_date,
                opening_minor=statement.opening_minor,
                closing_minor=statement.closing_minor,
                line_count=sum(1 for line in statement.lines if not line.pending),
            )
            .select_related("file")
            .order_by("sequence")
            .first()
        )
        return "" if row is None else f"{row.public_id} with file {row.file.name}"


def list_unfinished_files() -> QuerySet[BankFile]:
    """Return the files that wait to be read or were begun, oldest first; those that failed midway at the end."""
    failed = ExpressionWrapper(~Q(findings=[]), BooleanField())
    return BankFile.objects.filter(state__in=WAITING).order_by(failed, "pk")


def list_lines(statement_id: int) -> QuerySet[BankLine]:
    """Return the lines of a statement in the bank's order."""
    return BankLine.objects.filter(statement_id=statement_id).order_by("position", "pk")


def missing_proofs(last: date) -> list[str]:
    """Say for which bank accounts there is no accepted statement up to that day, in words for people."""
    rows = HouseBankAccount.objects.filter(opened_at__date__lte=last).order_by("name", "pk")
    closings = dict(
        BankStatement.objects.filter(accepted_at__isnull=False)
        .order_by("bank_account_id", "-sequence")
        .distinct("bank_account_id")
        .values_list("bank_account_id", "closing_date")
    )
    points = []
    for account in rows:
        closing = closings.get(account.pk)
        if closing is None:
            points.append(f"{account}: no bank statement was accepted yet.")
        elif closing < last:
            points.append(f"{account}: bank statements end on {closing:%-d %b %Y}.")
    return points


def bank_balance(bank_account_id: int, on: date) -> Money | None:
    """Return the closing balance of the latest accepted statement that ends on that day or before, or None."""
    row = (
        BankStatement.objects.filter(
            bank_account_id=bank_account_id, accepted_at__isnull=False, closing_date__lte=on
        )
        .order_by("-sequence")
        .first()
    )
    return None if row is None else Money(row.closing_minor, row.currency)
