"""
camt.052, 053 and 054 of ISO 20022, versions .02 to .14: the namespace is the version, an unknown one is refused.

Source: the ISO 20022 message definitions (BankToCustomerAccountReport, -Statement, -DebitCreditNotification). Only
what a booking needs is read; what we do not know is passed over, what we need and do not find is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.reconciliation.formats import IMPORTERS
from ledger.reconciliation.importers.camt_entries import child, local, read_entry, text_at
from ledger.reconciliation.parsed import (
    ParsedFile,
    ParsedLine,
    ParsedStatement,
    account_of,
    day_of,
    minor_of,
    squeezed,
    unreadable,
)
from ledger.reconciliation.xml import stream

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]\.001\.(\d\d))")
_VERSIONS = range(2, 15)
_ANNOUNCES = ("camt.052", "camt.054")
_KINDS = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}
_OPENING, _CLOSING, _BETWEEN = ("OPBD", "PRCD"), ("CLBD",), "ITBD"


@dataclass(slots=True)
class _Report:
    """A statement, report or notification while it is read."""

    place: str
    lines: list[ParsedLine] = field(default_factory=list)


class Camt:
    """The family of camt messages."""

    title = "camt.052, camt.053, camt.054 (ISO 20022)"

    def recognises(self, head: bytes) -> bool:
        """Tell by the first bytes: every XML file that is not OFX is tried as camt."""
        start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").replace(b"\0", b"")
        # By its mark-up alone: a remittance may well speak of OFX.
        return start.startswith(b"<") and b"<OFX" not in start.upper() and b"<?OFX" not in start.upper()

    def read(self, data: bytes) -> ParsedFile:
        """
        Read all statements of the file.

        :raises UnreadableBankFile: with line and element
        """
        reader = _Reader()
        for event, element in stream(data, ("Document", "Stmt", "Rpt", "Ntfctn", "Ntry")):
            reader.take(event, element)
        return reader.finish()


class _Reader:
    """Takes the elements of a file in their order; entries are let go once they are read."""

    def __init__(self) -> None:
        self.message = ""
        self.open: _Report | None = None
        self.statements: list[ParsedStatement] = []

    def take(self, event: str, element: Any) -> None:
        """Read one element."""
        name = local(element)
        if name == "Document":
            if event == "start":
                self._begin(element)
            return
        if not self.message:
            raise unreadable("NAMESPACE", f"line {element.sourceline}", "The file is no camt message.")
        if name == "Ntry":
            if event == "end":
                self._entry(element)
        elif name == _KINDS[self.message[:8]]:
            self._report(event, element)

    def _begin(self, element: Any) -> None:
        namespace = str(element.tag).partition("}")[0].lstrip("{")
        found = _NAMESPACE.fullmatch(namespace)
        if found is None or int(found[2]) not in _VERSIONS:
            raise unreadable(
                "NAMESPACE",
                f"line {element.sourceline}, Document",
                f"The namespace {namespace[:80]!r} is not a camt.052, 053 or 054 version that is read.",
            )
        self.message = found[1]

    def _report(self, event: str, element: Any) -> None:
        if event == "start":
            if self.open is not None:
                raise unreadable("NESTED", f"line {element.sourceline}", "A statement inside a statement.")
            number = len(self.statements) + 1
            self.open = _Report(f"line {element.sourceline}, {local(element)}[{number}]")
        elif self.open is not None:
            self.statements.append(self._close(element, self.open))
            self.open = None
            element.clear()

    def _entry(self, element: Any) -> None:
        if self.open is None or local(element.getparent()) != _KINDS[self.message[:8]]:
            raise unreadable("NESTED", f"line {element.sourceline}, Ntry", "An entry outside of a statement.")
        number = len(self.open.lines) + 1
        place = f"line {element.sourceline}, {self.open.place.partition(', ')[2]}/Ntry[{number}]"
        self.open.lines.append(read_entry(element, place))
        element.clear()

    def _close(self, element: Any, report: _Report) -> ParsedStatement:
        announces = self.message.startswith(_ANNOUNCES)
        account = account_of(text_at(element, "Acct/Id/IBAN") or text_at(element, "Acct/Id/Othr/Id"))
        if not account:
            raise unreadable("ACCOUNT", f"{report.place}/Acct", "The statement names no account.")
        balances = _balances(element, report.place)
        currency = text_at(element, "Acct/Ccy") or _currency(balances, report.lines)
        _check_currency(report, currency, balances)
        _check_totals(element, report, currency)
        days = [line.booking_date for line in report.lines]
        opened, closed = (None, None) if announces else _ends(balances, report.place)
        created = _created(element, report.place)
        first = opened[1] if opened else min(days, default=created)
        last = closed[1] if closed else max(days, default=created)
        return ParsedStatement(
            account=account,
            currency=currency,
            place=report.place,
            lines=tuple(report.lines),
            opening_date=min(first, last),
            closing_date=last,
            opening_minor=opened[0] if opened else 0,
            closing_minor=closed[0] if closed else 0,
            number=squeezed(text_at(element, "LglSeqNb") or text_at(element, "ElctrncSeqNb"))[:35],
            reference=squeezed(text_at(element, "Id"))[:70],
            announces=announces,
        )

    def finish(self) -> ParsedFile:
        """
        Return the file.

        :raises UnreadableBankFile: if it is another kind of file, or holds no statement
        """
        if not self.message:
            raise unreadable(
                "NAMESPACE", "line 1", "The file is no camt message; it may be a page of the bank's web site."
            )
        if not self.statements:
            raise unreadable("NO_STATEMENT", "line 1", "There is no statement in the file.")
        return ParsedFile(format=self.message, statements=tuple(self.statements))


@dataclass(frozen=True, slots=True)
class _Balance:
    code: str
    minor: int
    on: date
    currency: str


def _balances(statement: Any, place: str) -> list[_Balance]:
    found = []
    for number, element in enumerate((item for item in statement if local(item) == "Bal"), 1):
        where = f"line {element.sourceline}, {place.partition(', ')[2]}/Bal[{number}]"
        code = text_at(element, "Tp/CdOrPrtry/Cd")
        if code not in (*_OPENING, *_CLOSING, _BETWEEN):
            continue
        amount = child(element, "Amt")
        if amount is None:
            raise unreadable("BALANCE", where, "The balance has no amount.")
        currency = amount.get("Ccy", "")
        minor = minor_of((amount.text or "").strip(), currency, f"{where}/Amt")
        sign = {"CRDT": 1, "DBIT": -1}.get(text_at(element, "CdtDbtInd"))
        if sign is None or minor < 0:
            raise unreadable("BALANCE", where, "The balance does not say credit or debit.")
        day = text_at(element, "Dt/Dt") or text_at(element, "Dt/DtTm")
        found.append(_Balance(code, sign * minor, day_of(day, f"{where}/Dt"), currency))
    return found


def _ends(balances: Sequence[_Balance], place: str) -> tuple[tuple[int, date], tuple[int, date]]:
    """Return opening and closing; between pages of a statement, two ITBD stand for what is not at its ends."""
    between = [balance for balance in balances if balance.code == _BETWEEN]
    opening = [b for code in _OPENING for b in balances if b.code == code] or between[:1]
    closing = [balance for balance in balances if balance.code in _CLOSING] or between[-1:]
    if not opening or not closing or (opening == closing and opening[0].code == _BETWEEN):
        raise unreadable("BALANCE", f"{place}/Bal", "The opening or the closing booked balance is missing.")
    return (opening[0].minor, opening[0].on), (closing[0].minor, closing[0].on)


def _currency(balances: Sequence[_Balance], lines: Sequence[ParsedLine]) -> str:
    if balances:
        return balances[0].currency
    return lines[0].currency if lines else ""


def _check_currency(report: _Report, currency: str, balances: Sequence[_Balance]) -> None:
    for balance in balances:
        if balance.currency != currency:
            raise unreadable("CURRENCY", f"{report.place}/Bal", f"A balance is not in {currency[:8]!r}.")
    for line in report.lines:
        if line.currency != currency:
            raise unreadable("CURRENCY", line.place, f"The entry is not in {currency[:8]!r}.")


def _created(statement: Any, place: str) -> date:
    stated = text_at(statement, "CreDtTm") or text_at(statement.getparent(), "GrpHdr/CreDtTm")
    return day_of(stated, f"{place}/CreDtTm")


def _check_totals(statement: Any, report: _Report, currency: str) -> None:
    """Compare the bank's own sums and counts, where it gives them, with the entries."""
    totals = child(statement, "TxsSummry")
    if totals is None:
        return
    place = f"line {totals.sourceline}, {report.place.partition(', ')[2]}/TxsSummry"
    amounts = [line.amount_minor for line in report.lines]
    groups: tuple[tuple[str, list[int]], ...] = (
        ("TtlNtries", amounts),
        ("TtlCdtNtries", [amount for amount in amounts if amount > 0]),
        ("TtlDbtNtries", [amount for amount in amounts if amount < 0]),
    )
    for name, entries in groups:
        count, total = text_at(totals, f"{name}/NbOfNtries"), text_at(totals, f"{name}/Sum")
        if count and count.lstrip("0") != str(len(entries)).lstrip("0"):
            raise unreadable(
                "CONTROL_COUNT",
                f"{place}/{name}",
                f"The bank counts {count[:15]} entries, {len(entries)} are there.",
            )
        if total and minor_of(total, currency, f"{place}/{name}/Sum") != sum(map(abs, entries)):
            raise unreadable("CONTROL_SUM", f"{place}/{name}/Sum", f"The entries do not sum to {total[:20]}.")
    _check_net(totals, place, currency, sum(amounts))


def _check_net(totals: Any, place: str, currency: str, net: int) -> None:
    old, new = text_at(totals, "TtlNtries/TtlNetNtryAmt"), text_at(totals, "TtlNtries/TtlNetNtry/Amt")
    if not (old or new):
        return
    base = "TtlNtries" if old else "TtlNtries/TtlNetNtry"
    stated = minor_of(old or new, currency, f"{place}/{base}")
    sign = -1 if text_at(totals, f"{base}/CdtDbtInd") == "DBIT" else 1
    if sign * stated != net:
        raise unreadable(
            "CONTROL_SUM", f"{place}/{base}", f"The entries do not make a net of {(old or new)[:20]}."
        )


IMPORTERS.register("camt")(Camt())
