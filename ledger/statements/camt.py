"""What camt.053 and camt.052 share: the XML of ISO 20022 bank-to-customer messages, judged by the schema before it leaves."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, Any, ClassVar
from xml.sax.saxutils import escape

from lxml import etree

from ledger.statements.facts import Entry, Pending, Statement, StatementNotProven, start_of
from ledger.statements.formats import Format

SCHEMAS = Path(__file__).parent / "schemas"
OLD = "02"  # BIC, plain status, names without a wrapping; everything later differs in the same way
_IN_MEMORY, _PIECE = 8 * 1024 * 1024, 256 * 1024
# Letters that XML 1.0 cannot hold, in any spelling.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Domain, family, sub-family. Source: ISO 20022 external code sets, bank transaction codes (read October 2026).
_CODES = {
    "DEPOSIT": ("PMNT", "RCDT", "ESCT"),
    "TOP_UP": ("PMNT", "RCDT", "ESCT"),
    "PAYOUT_RETURN": ("PMNT", "RCDT", "ESCT"),
    "WITHDRAWAL": ("PMNT", "ICDT", "ESCT"),
    "PAYOUT": ("PMNT", "ICDT", "ESCT"),
    "CARD_CLEARING": ("PMNT", "CCRD", "POSD"),
    "FEE": ("ACMT", "MDOP", "CHRG"),
}


class NotValid(StatementNotProven):
    """A message that we wrote is not what its schema allows: it is never served."""


def words(text: str, length: int) -> str:
    """Return a text as an element's content: one line, at most so many letters, nothing that XML cannot hold."""
    return escape(" ".join(_UNSPEAKABLE.sub("\ufffd", text).split())[:length])


def validate(handle: IO[bytes], message: str) -> None:
    """
    Judge a written message by its schema, piece by piece, without keeping its tree.

    :raises NotValid: with line and reason of the first fault
    """
    parser = etree.XMLPullParser(events=("end",), schema=_schema(message), resolve_entities=False)
    try:
        while piece := handle.read(_PIECE):
            parser.feed(piece)
            for _, element in parser.read_events():
                _forget(element)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise NotValid(f"{message}: {error}") from error


def _forget(element: Any) -> None:
    if etree.QName(element).localname == "Ntry":
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


@lru_cache(maxsize=8)
def _schema(message: str) -> Any:
    return etree.XMLSchema(etree.parse(SCHEMAS / f"{message}.xsd"))


class Camt(Format):
    """A message of several statements or reports; subclasses name its elements and balances."""

    extension = "xml"
    content_type = "application/xml"
    versions: ClassVar[tuple[str, ...]] = ("08", "02", "13")
    several = True
    message: ClassVar[str]  # such as camt.053.001
    roots: ClassVar[tuple[str, str]]  # the message's element, that of one statement
    balances: ClassVar[tuple[str, str, str]]  # codes of opening, closing and available balance
    summary: ClassVar[bool]

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """
        Write, judge by the schema, then hand over; see `Format`.

        :raises NotValid: if the schema refuses the message
        """
        version = self.version(version)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as draft:
            for piece in self._document(wanted, version):
                draft.write(piece.encode())
            draft.seek(0)
            validate(draft, f"{self.message}.{version}")
            draft.seek(0)
            copyfileobj(draft, out, _PIECE)

    def _document(self, wanted: Iterable[Statement], version: str) -> Iterator[str]:
        outer, inner = self.roots
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
        yield f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{self.message}.{version}"><{outer}>'
        for at, statement in enumerate(self.fitting(wanted)):
            if not at:
                made = _stamp(statement.made_at)
                yield f"<GrpHdr><MsgId>{words(statement.short_id, 35)}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"
            yield f"\n<{inner}>"
            yield from self._statement(statement, version)
            yield f"</{inner}>"
        yield f"</{outer}></Document>\n"

    def _statement(self, it: Statement, version: str) -> Iterator[str]:
        pages = "RptPgntn" if self.roots[1] == "Rpt" else "StmtPgntn"
        yield f"<Id>{words(it.short_id, 35)}</Id>"
        if version != OLD:
            yield f"<{pages}><PgNb>1</PgNb><LastPgInd>true</LastPgInd></{pages}>"
        if it.number:
            yield f"<ElctrncSeqNb>{it.number}</ElctrncSeqNb><LglSeqNb>{it.number}</LglSeqNb>"
        yield f"<CreDtTm>{_stamp(it.made_at)}</CreDtTm>"
        end = start_of(it.last + timedelta(days=1)) - timedelta(seconds=1)
        yield f"<FrToDt><FrDtTm>{_stamp(start_of(it.first))}</FrDtTm><ToDtTm>{_stamp(end)}</ToDtTm></FrToDt>"
        yield f"<Acct><Id><Othr><Id>{words(it.reference, 34)}</Id></Othr></Id><Ccy>{it.currency}</Ccy>"
        if owner := words(it.owner, 140):
            yield f"<Ownr><Nm>{owner}</Nm></Ownr>"
        yield "</Acct>"
        amounts = ((it.opening, it.first), (it.closing, it.last), (it.available, it.last))
        for code, (minor, day) in zip(self.balances, amounts, strict=True):
            yield f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(it, minor)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        if self.summary:
            yield _summary(it, version)
        for entry in it.checked():
            yield _entry(it, entry, version)
        for hold in it.pending if self.roots[1] == "Rpt" else ():
            yield _pending(it, hold, version)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _amount(it: Statement, minor: int) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    return f'<Amt Ccy="{it.currency}">{it.decimal(abs(minor)):f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _summary(it: Statement, version: str) -> str:
    totals = it.totals
    came, went, many_in = totals.money_in, totals.money_out, totals.count_in
    net, side = it.decimal(abs(came - went)), "CRDT" if came >= went else "DBIT"
    total = f"<NbOfNtries>{len(it.entries)}</NbOfNtries><Sum>{it.decimal(came + went):f}</Sum>"
    if version == OLD:
        total += f"<TtlNetNtryAmt>{net:f}</TtlNetNtryAmt><CdtDbtInd>{side}</CdtDbtInd>"
    else:
        total += f"<TtlNetNtry><Amt>{net:f}</Amt><CdtDbtInd>{side}</CdtDbtInd></TtlNetNtry>"
    return (
        f"<TxsSummry><TtlNtries>{total}</TtlNtries>"
        f"<TtlCdtNtries><NbOfNtries>{many_in}</NbOfNtries><Sum>{it.decimal(came):f}</Sum></TtlCdtNtries>"
        f"<TtlDbtNtries><NbOfNtries>{len(it.entries) - many_in}</NbOfNtries><Sum>{it.decimal(went):f}</Sum>"
        "</TtlDbtNtries></TxsSummry>"
    )


def _status(code: str, version: str) -> str:
    return f"<Sts>{code}</Sts>" if version == OLD else f"<Sts><Cd>{code}</Cd></Sts>"


def _entry(it: Statement, entry: Entry, version: str) -> str:
    reversal = "<RvslInd>true</RvslInd>" if entry.reversal else ""
    return (
        f"\n<Ntry><NtryRef>{entry.seq}</NtryRef>{_amount(it, entry.amount)}{reversal}{_status('BOOK', version)}"
        f"<BookgDt><Dt>{entry.booked_date}</Dt></BookgDt><ValDt><Dt>{entry.effective_date}</Dt></ValDt>"
        f"<AcctSvcrRef>{words(entry.transaction, 35)}</AcctSvcrRef>{_code(entry.kind)}"
        f"<NtryDtls><TxDtls><Refs><AcctSvcrRef>{words(entry.transaction, 35)}</AcctSvcrRef>"
        f"<EndToEndId>{words(entry.cause, 35) or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"{_parties(entry, version)}{_remittance(entry.text)}</TxDtls></NtryDtls></Ntry>"
    )


def _code(kind: str) -> str:
    domain, family, detail = _CODES.get(kind, ("", "", ""))
    known = (
        f"<Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{detail}</SubFmlyCd></Fmly></Domn>"
        if domain
        else ""
    )
    return f"<BkTxCd>{known}<Prtry><Cd>{words(kind, 35)}</Cd></Prtry></BkTxCd>"


def _parties(entry: Entry, version: str) -> str:
    if not (name := words(entry.counterparty, 140)):
        return ""
    side = "Dbtr" if entry.amount > 0 else "Cdtr"
    named = f"<Nm>{name}</Nm>" if version == OLD else f"<Pty><Nm>{name}</Nm></Pty>"
    return f"<RltdPties><{side}>{named}</{side}></RltdPties>"


def _remittance(text: str) -> str:
    line = " ".join(text.split())
    lines = [words(line[at : at + 140], 140) for at in range(0, min(len(line), 700), 140)]
    inside = "".join(f"<Ustrd>{part}</Ustrd>" for part in lines if part)
    return f"<RmtInf>{inside}</RmtInf>" if inside else ""


def _pending(it: Statement, hold: Pending, version: str) -> str:
    return (
        f"\n<Ntry><NtryRef>{words(hold.reference, 35)}</NtryRef>{_amount(it, hold.amount)}{_status('PDNG', version)}"
        f"<ValDt><Dt>{hold.placed}</Dt></ValDt>{_code('HOLD')}"
        f"<AddtlNtryInf>{words(hold.cause, 500)}</AddtlNtryInf></Ntry>"
    )
