"""Bank accounts of the house, and the mappings by which their CSV files are read."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from flowlet.audit import trail
from flowlet.core.errors import FieldError, InvalidInput, NotFound
from ledger.choices import ChartKind
from ledger.choices_bank import CsvSign
from ledger.errors_bank import BankAccountTaken, NoLedgerAccountOfHouse
from ledger.models.accounts import Account
from ledger.models.reconciliation import CsvMapping, HouseBankAccount
from ledger.reconciliation.csv_files import ENCODINGS, NEEDED, OPTIONAL
from ledger.reconciliation.parsed import account_of

_CLIENT_MONEY = "CLIENT_MONEY_BANK"


@transaction.atomic
def open_house_bank_account(
    *,
    account_id: int,
    name: str,
    bank_name: str,
    now: datetime,
    iban: str = "",
    other_id: str = "",
    bic: str = "",
) -> HouseBankAccount:
    """
    Enter an account of the house at a bank, mirrored by a ledger account; its currency is the ledger account's.

    It holds client money if the ledger account stands under that heading. `other_id` is the number as the bank's
    files write it where that is no IBAN.

    :raises NotFound: if there is no such ledger account
    :raises NoLedgerAccountOfHouse: if it is a customer's or no asset
    :raises InvalidInput: if IBAN or BIC are wrong, or neither IBAN nor other number is given
    :raises BankAccountTaken: if the number or the ledger account has one already
    """
    account = Account.objects.select_related("chart_account").filter(pk=account_id).first()
    if account is None:
        raise NotFound
    if account.customer_id is not None or account.chart_account.kind != ChartKind.ASSET:
        raise NoLedgerAccountOfHouse(currency=account.currency)
    row = HouseBankAccount(
        account=account,
        name=name,
        bank_name=bank_name,
        iban=_iban(iban),
        other_id=account_of(other_id),
        bic=_bic(bic),
        currency=account.currency,
        client_money=account.chart_account.code == _CLIENT_MONEY,
        opened_at=now,
    )
    if not (row.iban or row.other_id):
        raise _invalid("/iban", "required", "Give an IBAN, or the number as the bank writes it.")
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise BankAccountTaken from error
    trail.record(action="house_bank_account.open", object_type="house_bank_account", object_id=row.public_id)
    return row


def _iban(text: str) -> str:
    if not text:
        return ""
    try:
        return str(IBAN(text, validate_bban=False).compact)
    except (SchwiftyException, ValueError) as error:
        raise _invalid("/iban", "invalid", "This is no valid IBAN.") from error


def _bic(text: str) -> str:
    if not text:
        return ""
    try:
        return str(BIC(text).compact)
    except (SchwiftyException, ValueError) as error:
        raise _invalid("/bic", "invalid", "This is no valid BIC.") from error


@transaction.atomic
def save_csv_mapping(
    *,
    name: str,
    bank_account_id: int,
    columns: Mapping[str, str],
    sign: str,
    now: datetime,
    encoding: str = "utf-8",
    delimiter: str = ";",
    skip_lines: int = 0,
    date_format: str = "%Y-%m-%d",
    decimal_comma: bool = False,
    newest_first: bool = False,
) -> CsvMapping:
    """
    Save how a bank writes its CSV for one account of ours; one of the same name is replaced.

    `columns` names the bank's head for each of our fields; which ones are needed hangs on `sign`.

    :raises NotFound: if there is no such bank account
    :raises InvalidInput: if a needed column is missing, or encoding or sign are unknown
    """
    bank_account = HouseBankAccount.objects.filter(pk=bank_account_id).first()
    if bank_account is None:
        raise NotFound
    named = {field: head.strip() for field, head in columns.items() if head.strip()}
    _check_columns(named, sign)
    if encoding not in ENCODINGS:
        raise _invalid("/encoding", "unknown", "This encoding is not read.")
    values = {
        "bank_account": bank_account,
        "columns": named,
        "encoding": encoding,
        "delimiter": delimiter,
        "skip_lines": skip_lines,
        "date_format": date_format,
        "decimal_comma": decimal_comma,
        "sign": sign,
        "newest_first": newest_first,
        "saved_at": now,
    }
    mapping, made = CsvMapping.objects.update_or_create(name=name, defaults=values)
    trail.record(
        action="csv_mapping.save",
        object_type="csv_mapping",
        object_id=mapping.public_id,
        changes={"columns": [None if made else "before", ", ".join(sorted(named))]},
    )
    return mapping


def _check_columns(columns: Mapping[str, str], sign: str) -> None:
    if sign not in CsvSign.values:
        raise _invalid("/sign", "unknown", "Choose how money in and out are told apart.")
    needed = ("booking_date", "balance", *NEEDED[sign])
    for field in needed:
        if field not in columns:
            raise _invalid(
                f"/columns/{field}", "required", f"The column for {field.replace('_', ' ')} is needed."
            )
    for field in columns:
        if field not in (*needed, *OPTIONAL):
            raise _invalid(f"/columns/{field}", "unknown", "There is no such field.")


def _invalid(pointer: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(pointer, code, detail),))
