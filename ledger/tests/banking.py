"""A bank account of the house, and files as its bank would send them."""

from dataclasses import replace
from datetime import date, timedelta

from ledger.models.reconciliation import BankFile, HouseBankAccount
from ledger.operations.bank_accounts import open_house_bank_account
from ledger.operations.reconciliation import import_file
from ledger.reconciliation.generate import one_statement
from ledger.reconciliation.parsed import ParsedLine, ParsedStatement
from ledger.reconciliation.write import camt053
from ledger.tests.factories import NOW, TODAY, bank

IBANS = {
    "EUR": "DE89370400440532013000",
    "GBP": "GB29NWBK60161331926819",
    "USD": "LU280019400644750000",
    "JPY": "AT611904300234573201",
    "KWD": "KW81CBKU0000000000001234560101",
    "CLF": "CH9300762011623852957",
}


def house_bank(currency: str = "EUR") -> HouseBankAccount:
    """The house's client-money account of that currency."""
    return open_house_bank_account(
        account_id=bank(currency).pk,
        name="Client money",
        bank_name="First Bank",
        iban=IBANS[currency],
        now=NOW - timedelta(days=200),
    )


def line(
    minor: int, number: int = 1, *, on: date = TODAY, currency: str = "EUR", **fields: object
) -> ParsedLine:
    """A line under a reference of its own."""
    values = ParsedLine(
        booking_date=on,
        value_date=on,
        amount_minor=minor,
        currency=currency,
        place="",
        bank_reference=f"REF{number:05d}",
        end_to_end_id=f"E2E-{number}",
        name="Ada Roth",
        iban="FI2112345600000785",
        text=f"Invoice {number}",
        kind="PMNT-RCDT-ESCT" if minor > 0 else "PMNT-ICDT-ESCT",
    )
    return replace(values, **fields)


def statement(*lines: ParsedLine, opening: int = 0, number: int = 1, **fields: object) -> ParsedStatement:
    """A statement of the EUR account, or of the account of the first line's currency."""
    currency = lines[0].currency
    made = one_statement(
        lines, account=IBANS[currency], currency=currency, opening_minor=opening, number=number
    )
    return replace(made, **fields)


def bring_in(*statements: ParsedStatement, name: str = "bank.xml", **options: int) -> BankFile:
    """Import statements as one camt.053 file."""
    return import_file(data=camt053(statements, **options), name=name, now=NOW)
