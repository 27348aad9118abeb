"""
Statements as MT940, SWIFT's customer statement message: small, old, read everywhere.

A message holds 2,000 characters at most: a longer statement goes on in further messages under the same number, chained
by intermediate balances. Source: SWIFT standards MT, category 9, MT 940 (read October 2026).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO

from anyascii import anyascii

from ledger.statements.facts import Entry, NotWritable, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format

PAGE = 2_000
_AMOUNT_MAX, _LINE, _LINES, _NUMBER_MAX = 15, 65, 6, 99_999
_FOREIGN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_TYPES = {
    "FEE": "NCHG",
    "CARD_CLEARING": "NMSC",
    "CARD_REFUND": "NMSC",
    "REVERSAL": "NRTI",
}
_END = "-\r\n"
_BALANCE_MAX = len(":62F:C261130EUR\r\n") + _AMOUNT_MAX


class Mt940Format(Format):
    """Latin letters only, comma decimals, CRLF; one or several statements behind one another."""

    title = "MT940"
    extension = "sta"
    content_type = "text/plain; charset=us-ascii"
    text = "For accounting systems of the old school: Latin letters, short texts."
    several = True

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """Write message by message; see `Format`."""
        self.version(version)
        for statement in self.fitting(wanted):
            for message in _messages(statement):
                out.write(message.encode("ascii"))


def plain(text: str) -> str:
    """Return a text in the letters that SWIFT carries; other scripts are transliterated."""
    return " ".join(_FOREIGN.sub(" ", anyascii(text.replace("_", "-"))).split())


def _messages(it: Statement) -> Iterator[str]:
    """Yield the pages; each is full but for the last one."""
    number, running, day = 1, it.opening, it.first
    page = [_head(it, number), _balance("60F", it, running, day)]
    # What must still fit behind the entries: intermediate balance and end, or final and available balance and end.
    room = PAGE - 2 * _BALANCE_MAX - len(_END)
    used = sum(map(len, page))
    for entry in it.checked():
        line = _entry(it, entry)
        if used + len(line) > room:
            yield "".join([*page, _balance("62M", it, running, day), _END])
            number += 1
            if number > _NUMBER_MAX:
                raise NotWritable(reason="An MT940 statement has 99,999 pages at most.")
            page = [_head(it, number), _balance("60M", it, running, day)]
            used = sum(map(len, page))
        page.append(line)
        used += len(line)
        running, day = entry.balance, entry.booked_date
    page += [_balance("62F", it, it.closing, it.last), _balance("64", it, it.available, it.last), _END]
    yield "".join(page)


def _head(it: Statement, page: int) -> str:
    reference = plain(it.short_id)[-16:].strip("/- ")
    # Five digits are all there is: what comes after a hundred thousand statements begins anew.
    number = f"{it.number % (_NUMBER_MAX + 1):05}/{page:05}"
    return f":20:{reference}\r\n:25:{plain(it.reference)[:35]}\r\n:28C:{number}\r\n"


def _balance(tag: str, it: Statement, minor: int, day: date) -> str:
    return f":{tag}:{'C' if minor >= 0 else 'D'}{day:%y%m%d}{it.currency}{_amount(it, minor)}\r\n"


def _amount(it: Statement, minor: int) -> str:
    digits = f"{it.decimal(abs(minor)):f}".replace(".", ",")
    digits = digits if "," in digits else f"{digits},"
    if len(digits) > _AMOUNT_MAX:
        raise NotWritable(reason="MT940 carries amounts of fourteen digits at most.")
    return digits


def _entry(it: Statement, entry: Entry) -> str:
    mark = "C" if entry.amount > 0 else "D"
    if entry.reversal:  # named by what is reversed: taking a credit back is a debit
        mark = "RD" if entry.amount > 0 else "RC"
    line = (
        f":61:{entry.effective_date:%y%m%d}{entry.booked_date:%m%d}{mark}{_amount(it, entry.amount)}"
        f"{_TYPES.get(entry.kind, 'NTRF')}{_reference(entry.cause) or 'NONREF'}//{_reference(entry.transaction)}\r\n"
    )
    words = _wrapped(f"{entry.transaction} {entry.kind}", entry.counterparty, entry.text)
    return f"{line}:86:{words}\r\n"


def _reference(text: str) -> str:
    """Return the end of an id, which tells it from others; no slash at either end, none doubled."""
    return re.sub("/+", "-", plain(text))[-16:].strip("/- ")


def _wrapped(*parts: str) -> str:
    """Return the texts in lines of 65, six at most, none of which begins like a tag or an end."""
    lines: list[str] = []
    for part in parts:
        rest = plain(part).lstrip(":- ")
        while rest and len(lines) < _LINES:
            lines.append(rest[:_LINE].rstrip())
            rest = rest[_LINE:].lstrip(":- ")
    return "\r\n".join(lines)


STATEMENT_FORMATS.register("mt940")(Mt940Format())
