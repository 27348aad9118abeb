"""The house's banks in the demo: three accounts, their statements of three months, and what went wrong with some."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.people import Person
from flowlet.demo.people import DESKS
from flowlet.identity.models import User
from ledger.models.reconciliation import BankFile, BankStatement, HouseBankAccount
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.bank_accounts import open_house_bank_account, save_csv_mapping
from ledger.operations.reconciliation import import_file
from ledger.reconciliation.accepted import tell_accepted
from ledger.reconciliation.generate import (
    Item,
    Rates,
    daily_statements,
    items_from_ledger,
    one_statement,
    play_bank,
)
from ledger.reconciliation.parsed import ParsedLine, ParsedStatement
from ledger.reconciliation.write import CSV_COLUMNS, camt053, csv_file, mt940
from wallets.choices import WalletStatus
from wallets.models import Deposit, Wallet, Withdrawal
from wallets.operations.incoming import give_reference
from wallets.references import printed

_DAYS = 92
_DAILY_DAYS = 12
_HISTORY = timedelta(days=95)
# Most of what a bank sends is as it should be; the rest is what the desks are for.
_RATES = Rates(
    drop=0.004, duplicate=0.003, merge=0.04, split=0.002, fee=0.006, net=0.003, shift=0.08, nameless=0.03
)


@dataclass(frozen=True, slots=True)
class _Bank:
    """An account of the house at an invented bank, and the format its files come in."""

    currency: str
    bank_name: str
    bic: str
    iban: str
    other_id: str
    prefix: str
    format: str


_BANKS = (
    _Bank("EUR", "Hafenbank Hamburg", "", "DE89370400440532013000", "", "HHB", "camt"),
    _Bank("GBP", "Tyne Valley Bank", "", "GB29NWBK60161331926819", "", "TVB", "mt940"),
    _Bank("USD", "Hudson Trust", "", "", "4005-551-2340", "HUT", "csv"),
)
# What customers sent with their wallet's reference: days back, minor units, and whether the last digit is mistyped.
_TRANSFERS = ((9, 12_000, False), (7, 4_550, False), (6, 30_000, True), (5, 8_000, False))
_MAPPING = "Hudson Trust, account movements"


def fill(*, now: datetime) -> int:
    """Open the accounts, bring in the statements up to yesterday, one of them with a gap; return how many files."""
    finance = Person(
        User.objects.get(email=next(desk.email for desk in DESKS if desk.role == "finance"))
    ).actor
    parties = _parties()
    with acting(finance):
        for seed, bank in enumerate(_BANKS, 1):
            account = _open(bank, now)
            lines = [*_lines(bank, seed, parties, now), *_transfers(bank, now)]
            if lines:
                _bring_in(bank, account, lines, now)
        _bring_in_by_mistake(now)
    return BankFile.objects.count()


def _open(bank: _Bank, now: datetime) -> HouseBankAccount:
    mirrored = house_account(chart_code="CLIENT_MONEY_BANK", currency=bank.currency, now=now - _HISTORY)
    account = open_house_bank_account(
        account_id=mirrored.pk,
        name=f"Client money {bank.currency}",
        bank_name=bank.bank_name,
        iban=bank.iban,
        other_id=bank.other_id,
        bic=bank.bic,
        now=now - _HISTORY,
    )
    if bank.format == "csv":
        save_csv_mapping(
            name=_MAPPING,
            bank_account_id=account.pk,
            columns=CSV_COLUMNS,
            sign="SIGNED",
            decimal_comma=True,
            now=now - _HISTORY,
        )
    return account


def _parties() -> dict[str, tuple[str, str]]:
    """Return name and IBAN of the other side by the id of a deposit or withdrawal."""
    found: dict[str, tuple[str, str]] = {}
    for model in (Deposit, Withdrawal):
        rows = model.objects.filter(bank_account__isnull=False).select_related("bank_account__customer")
        for row in rows:
            if row.bank_account is not None:
                found[row.public_id] = (row.bank_account.customer.name, row.bank_account.iban)
    return found


def _lines(bank: _Bank, seed: int, parties: dict[str, tuple[str, str]], now: datetime) -> list[ParsedLine]:
    clearing = house_account(chart_code="BANK_CLEARING", currency=bank.currency, now=now)
    yesterday = now.date() - timedelta(days=1)

    def party(posting: Posting) -> tuple[str, str]:
        return parties.get(posting.transaction.source_key, ("", ""))

    items: list[Item] = items_from_ledger(
        account_id=clearing.pk, first=yesterday - timedelta(days=_DAYS), last=yesterday, party=party
    )
    lines, _truth = play_bank(items, seed=seed, rates=_RATES, prefix=bank.prefix)
    return [_plain(line) for line in lines if line.booking_date <= yesterday]


def _transfers(bank: _Bank, now: datetime) -> list[ParsedLine]:
    """Give some wallets a reference, and return what came with it."""
    since = now - timedelta(days=_DAILY_DAYS)
    wallets = Wallet.objects.filter(
        currency=bank.currency, status=WalletStatus.ACTIVE, created_at__lt=since
    ).select_related("customer")
    lines = []
    for number, (wallet, sent) in enumerate(zip(wallets.order_by("pk"), _TRANSFERS, strict=False), 1):
        back, minor, mistyped = sent
        code = give_reference(wallet_id=wallet.pk, now=since).reference
        if mistyped:
            code = f"{code[:-1]}{9 - int(code[-1])}"
        day = (now - timedelta(days=back)).date()
        line = ParsedLine(
            booking_date=day,
            value_date=day,
            amount_minor=minor,
            currency=bank.currency,
            place="",
            bank_reference=f"{bank.prefix}T{number:08d}",
            name=wallet.customer.name,
            text=f"Savings {printed(code)}",
            kind="PMNT-RCDT-ESCT",
        )
        lines.append(_plain(line))
    return lines


def _plain(line: ParsedLine) -> ParsedLine:
    """Return a line in letters that MT940 carries."""
    name = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in " .-") else "?" for sign in line.name
    )
    return replace(line, name=name.strip())


def _bring_in(bank: _Bank, account: HouseBankAccount, lines: Sequence[ParsedLine], now: datetime) -> None:
    number = account.iban or account.other_id
    recent = now.date() - timedelta(days=_DAILY_DAYS)
    balance, count = 0, 0
    for _, month in groupby(
        (line for line in lines if line.booking_date < recent),
        key=lambda line: (line.booking_date.year, line.booking_date.month),
    ):
        count += 1
        statement = one_statement(
            list(month), account=number, currency=bank.currency, opening_minor=balance, number=count
        )
        balance = statement.closing_minor
        _file(bank, statement)
    daily = daily_statements(
        [line for line in lines if line.booking_date >= recent],
        account=number,
        currency=bank.currency,
        opening_minor=balance,
        first_number=count + 1,
    )
    # The day before yesterday's statement of the first bank never came: yesterday's waits in quarantine.
    lost = len(daily) - 2 if bank is _BANKS[0] and len(daily) > 2 else -1  # noqa: PLR2004 - something stands on each side
    for index, statement in enumerate(daily):
        if index != lost:
            _file(bank, statement)


def _file(bank: _Bank, statement: ParsedStatement) -> None:
    """Bring a statement in on the morning after its last day, and let everybody see it."""
    name = f"{bank.bank_name.split()[0].lower()}-{statement.closing_date:%Y%m%d}"
    write = {
        "camt": lambda: (camt053([statement], message_id=f"{bank.prefix}-{statement.number}"), f"{name}.xml"),
        "mt940": lambda: (mt940([statement]), f"{name}.sta"),
        "csv": lambda: (csv_file(statement), f"{name}.csv"),
    }
    data, file_name = write[bank.format]()
    at = _morning(statement.closing_date)
    file = import_file(data=data, name=file_name, now=at)
    with acting(Actor("SYSTEM", "job:ledger.follow_bank_statement")):
        for accepted in BankStatement.objects.filter(file=file, accepted_at__isnull=False).order_by("pk"):
            tell_accepted(statement_id=accepted.pk, now=at)


def _morning(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(6, 30), tzinfo=UTC)


def _bring_in_by_mistake(now: datetime) -> None:
    """Bring in what a browser saved when the bank had logged somebody out."""
    data = b"<html><head><title>Session expired</title></head><body>Please log in again.</body></html>\n"
    import_file(data=data, name="statement-download.html", now=now - timedelta(hours=20))
