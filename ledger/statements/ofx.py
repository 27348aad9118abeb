"""Statements as OFX 2.2, which personal-finance and small-business programs import. Source: OFX 2.2 specification."""

import re
from collections.abc import Iterable, Iterator
from typing import IO
from xml.sax.saxutils import escape

from ledger.statements.facts import Entry, Statement
from ledger.statements.formats import STATEMENT_FORMATS, Format

BANK_ID = "FLOWLET"  # nine letters at most, which no BIC is
_HEADER = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    '<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
_TYPES = {
    "DEPOSIT": "DEP",
    "WITHDRAWAL": "CASH",
    "FEE": "FEE",
    "CARD_CLEARING": "POS",
    "P2P": "XFER",
    "B2B": "XFER",
    "B2C": "XFER",
    "EXCHANGE": "XFER",
}
_UNSPEAKABLE = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OK = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"


class OfxFormat(Format):
    """One answer per statement. FITID is the account's own entry number: importers drop what they have."""

    title = "OFX"
    extension = "ofx"
    content_type = "application/x-ofx"
    text = "For bookkeeping programs; an entry that comes twice is taken once."
    several = True

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """Write entry by entry; see `Format`."""
        self.version(version)
        out.write(_HEADER.encode())
        for at, statement in enumerate(self.fitting(wanted)):
            if not at:
                out.write(_sign_on(statement).encode())
            for piece in _statement(statement):
                out.write(piece.encode())
        out.write(b"</BANKMSGSRSV1></OFX>\n")


def account_id(reference: str) -> str:
    """Return the end of an account's reference that OFX has room for: 22 letters."""
    return reference[-22:]


def _sign_on(it: Statement) -> str:
    server = f"<DTSERVER>{it.made_at:%Y%m%d%H%M%S}</DTSERVER><LANGUAGE>ENG</LANGUAGE>"
    return f"<OFX><SIGNONMSGSRSV1><SONRS>{_OK}{server}</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1>"


def _statement(it: Statement) -> Iterator[str]:
    yield f"\n<STMTTRNRS><TRNUID>{_words(it.short_id, 36)}</TRNUID>{_OK}<STMTRS><CURDEF>{it.currency}</CURDEF>"
    yield f"<BANKACCTFROM><BANKID>{BANK_ID}</BANKID><ACCTID>{_words(account_id(it.reference), 22)}</ACCTID>"
    yield "<ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>"
    yield f"<BANKTRANLIST><DTSTART>{it.first:%Y%m%d}</DTSTART><DTEND>{it.last:%Y%m%d}</DTEND>"
    for entry in it.checked():
        yield _entry(it, entry)
    as_of = f"<DTASOF>{it.last:%Y%m%d}</DTASOF>"
    yield f"</BANKTRANLIST><LEDGERBAL><BALAMT>{it.decimal(it.closing):f}</BALAMT>{as_of}</LEDGERBAL>"
    yield f"<AVAILBAL><BALAMT>{it.decimal(it.available):f}</BALAMT>{as_of}</AVAILBAL></STMTRS></STMTTRNRS>"


def _entry(it: Statement, entry: Entry) -> str:
    kind = _TYPES.get(entry.kind, "CREDIT" if entry.amount > 0 else "DEBIT")
    name = _words(entry.counterparty or entry.text or entry.kind.capitalize(), 32)
    memo = _words(entry.text, 255)
    return (
        f"\n<STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{entry.booked_date:%Y%m%d}</DTPOSTED>"
        f"<DTAVAIL>{entry.effective_date:%Y%m%d}</DTAVAIL><TRNAMT>{it.decimal(entry.amount):f}</TRNAMT>"
        f"<FITID>{entry.transaction}-{entry.seq}</FITID><NAME>{name}</NAME>"
        f"{f'<MEMO>{memo}</MEMO>' if memo else ''}</STMTTRN>"
    )


def _words(text: str, length: int) -> str:
    return escape(" ".join(_UNSPEAKABLE.sub(" ", text).split())[:length])


STATEMENT_FORMATS.register("ofx")(OfxFormat())
