"""
OFX bank statements, 1.x (SGML, where leaves are not closed) and 2.x (XML), by one strict tokeniser.

Source: OFX 2.2, section 11.4 (STMTTRNRS). A file holds a closing balance only: the opening one is what the entries
leave of it, so the proof is that it continues the statement before.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from html import unescape

from ledger.reconciliation.formats import IMPORTERS
from ledger.reconciliation.parsed import (
    ParsedFile,
    ParsedLine,
    ParsedStatement,
    account_of,
    day_of,
    minor_of,
    reference_of,
    squeezed,
    unreadable,
)
from ledger.reconciliation.texts import decoded

_TOKEN = re.compile(r"<(/?)([A-Z0-9.]{1,32})>([^<]*)")
_DAY = re.compile(r"(\d{8})(?:\d{4}(?:\d\d(?:\.\d{1,3})?)?)?(?:\[[^\]]{1,12}\])?")
_DEPTH_MAX = 30
_SIGNED = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{0,5})?")


@dataclass(slots=True)
class _Node:
    """An element: a leaf with a text, or an aggregate with children."""

    name: str
    line: int
    text: str = ""
    children: list["_Node"] = field(default_factory=list)

    def all(self, name: str) -> list["_Node"]:
        """Return the children of that name."""
        return [item for item in self.children if item.name == name]

    def get(self, path: str) -> "_Node | None":
        """Return the first element at a path, or None."""
        node: _Node | None = self
        for name in path.split("/"):
            node = next((item for item in node.children if item.name == name), None) if node else None
        return node

    def value(self, path: str) -> str:
        """Return the text at a path, or ''."""
        node = self.get(path)
        return node.text if node else ""

    @property
    def place(self) -> str:
        """Return line and name."""
        return f"line {self.line}, {self.name}"


class Ofx:
    """Open Financial Exchange."""

    title = "OFX 1.x and 2.x"

    def recognises(self, head: bytes) -> bool:
        """Tell by its own header, or by its root."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return start.startswith(b"OFXHEADER") or b"<OFX>" in start or b"<?OFX " in start

    def read(self, data: bytes) -> ParsedFile:
        """
        Read all statements of the file.

        :raises UnreadableBankFile: with line and element
        """
        text = decoded(data)
        statements = tuple(_statement(node) for node in _statements(_tree(text)))
        if not statements:
            raise unreadable("NO_STATEMENT", "line 1", "There is no bank statement in the file.")
        version = "2" if "<?OFX" in text[:2000] else "1"
        return ParsedFile(format=f"ofx.{version}", statements=statements)


def _tree(text: str) -> _Node:
    if (markup := re.search(r"<!|<\?(?!OFX |xml )", text)) is not None:
        raise unreadable(
            "DTD", f"line {_line(text, markup.start())}", "A document type or entity is not taken."
        )
    start = text.find("<OFX>")
    if start < 0:
        raise unreadable("NO_STATEMENT", "line 1", "There is no <OFX> in the file.")
    root, at, line = _Node("", 1), start, _line(text, start)
    stack = [root]
    for token in _TOKEN.finditer(text, start):
        if token.start() != at:
            break
        _place(stack, token, line)
        line, at = line + token[0].count("\n"), token.end()
    if at != len(text):
        raise unreadable(
            "NOT_WELL_FORMED", f"line {_line(text, at)}", f"{text[at : at + 20]!r} is not a tag."
        )
    # Leaves of 1.x are never closed, aggregates always are.
    if any(node.children or not node.text for node in stack[1:]):
        raise unreadable("TRUNCATED", stack[-1].place, f"<{stack[-1].name}> is not closed.")
    return root


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _place(stack: list[_Node], token: "re.Match[str]", line: int) -> None:
    """Put a tag where it belongs; a leaf of 1.x ends where the next tag begins."""
    closing, name, text = token[1], token[2], unescape(token[3]).strip()
    if closing:
        if stack[-1].text and stack[-1].name != name:
            stack.pop()
        if stack[-1].name != name or text:
            raise unreadable("NOT_WELL_FORMED", f"line {line}", f"</{name}> closes nothing that is open.")
        stack.pop()
        return
    if stack[-1].text:
        stack.pop()
    if len(stack) > _DEPTH_MAX:
        raise unreadable("TOO_DEEP", f"line {line}", f"Elements are nested more than {_DEPTH_MAX} deep.")
    node = _Node(name, line, text)
    stack[-1].children.append(node)
    stack.append(node)


def _statements(root: _Node) -> list[_Node]:
    return [
        statement
        for ofx in root.all("OFX")
        for message in ofx.all("BANKMSGSRSV1")
        for answer in message.all("STMTTRNRS")
        for statement in answer.all("STMTRS")
    ]


def _statement(node: _Node) -> ParsedStatement:
    currency, account = node.value("CURDEF"), account_of(node.value("BANKACCTFROM/ACCTID"))
    if not account:
        raise unreadable("ACCOUNT", node.place, "The statement names no account.")
    balance, span = node.get("LEDGERBAL"), node.get("BANKTRANLIST")
    if balance is None or span is None:
        raise unreadable("BALANCE", node.place, "LEDGERBAL or BANKTRANLIST is missing.")
    lines = tuple(_entry(item, currency) for item in span.all("STMTTRN"))
    closing = _amount(balance, "BALAMT", currency)
    days = [line.booking_date for line in lines]
    first, last = _day(span, "DTSTART"), _day(balance, "DTASOF")
    return ParsedStatement(
        account=account,
        currency=currency,
        place=node.place,
        lines=tuple(sorted(lines, key=lambda line: line.booking_date)),
        opening_date=min([first, last, *days]),
        closing_date=last,
        opening_minor=closing - sum(line.amount_minor for line in lines),
        closing_minor=closing,
    )


def _entry(node: _Node, currency: str) -> ParsedLine:
    minor = _amount(node, "TRNAMT", currency)
    if minor == 0:
        raise unreadable("AMOUNT", node.place, "The amount of an entry is not zero.")
    name = node.value("NAME") or node.value("PAYEE/NAME")
    posted = _day(node, "DTPOSTED")
    return ParsedLine(
        booking_date=posted,
        value_date=_day(node, "DTAVAIL") if node.get("DTAVAIL") else posted,
        amount_minor=minor,
        currency=currency,
        place=node.place,
        bank_reference=reference_of(node.value("FITID")),
        end_to_end_id=reference_of(node.value("REFNUM") or node.value("CHECKNUM")),
        name=squeezed(name),
        iban=account_of(node.value("BANKACCTTO/ACCTID")),
        text=squeezed(node.value("MEMO")),
        kind=squeezed(node.value("TRNTYPE"))[:40],
    )


def _amount(node: _Node, name: str, currency: str) -> int:
    text = node.value(name)
    if not _SIGNED.fullmatch(text):
        raise unreadable("AMOUNT", f"{node.place}/{name}", f"{text[:30]!r} is not an amount.")
    return minor_of(text, currency, f"{node.place}/{name}")


def _day(node: _Node, name: str) -> date:
    text = node.value(name)
    found = _DAY.fullmatch(text)
    return day_of(found[1] if found else text, f"{node.place}/{name}")


IMPORTERS.register("ofx")(Ofx())
