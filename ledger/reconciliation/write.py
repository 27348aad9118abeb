"""
Writing statements the way banks do, in every format that is read: for tests, the demo and benchmarks.

What a house hands out to its own customers is `ledger.statements`; this here plays the bank.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape

from flowlet.core.currencies import exponent
from ledger.reconciliation.parsed import ParsedLine, ParsedStatement

_PARTY_AROUND = {True: ("<Pty>", "</Pty>"), False: ("", "")}
_PTY_SINCE = 8
_CODE_SINCE = 8
CSV_HEADS = (
    "Booking date",
    "Value date",
    "Reference",
    "Payment id",
    "Name",
    "IBAN",
    "Text",
    "Kind",
    "Amount",
    "Balance",
)
CSV_COLUMNS = {
    "booking_date": "Booking date",
    "value_date": "Value date",
    "reference": "Reference",
    "end_to_end_id": "Payment id",
    "name": "Name",
    "iban": "IBAN",
    "text": "Text",
    "kind": "Kind",
    "amount": "Amount",
    "balance": "Balance",
}


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))


def camt053(statements: Sequence[ParsedStatement], *, version: int = 8, message_id: str = "MSG-1") -> bytes:
    """Return the statements as one camt.053 message of that version (2 or higher)."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02}"><BkToCstmrStmt>\n',
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>{_created(statements)}</CreDtTm></GrpHdr>\n",
    ]
    for statement in statements:
        parts += _camt_statement(statement, version)
    parts.append("</BkToCstmrStmt></Document>\n")
    return "".join(parts).encode()


def _created(statements: Sequence[ParsedStatement]) -> str:
    return f"{max((item.closing_date for item in statements), default=date(2000, 1, 1))}T22:00:00"


def _camt_statement(statement: ParsedStatement, version: int) -> list[str]:
    currency = statement.currency
    kind = "IBAN" if statement.account[:2].isalpha() else "Othr"
    number = f"<IBAN>{statement.account}</IBAN>"
    if kind == "Othr":
        number = f"<Othr><Id>{escape(statement.account)}</Id></Othr>"
    amounts = [line.amount_minor for line in statement.lines]
    return [
        f"<Stmt><Id>{escape(statement.reference or 'STMT')}</Id>",
        f"<ElctrncSeqNb>{statement.number}</ElctrncSeqNb>" if statement.number else "",
        f"<CreDtTm>{statement.closing_date}T22:00:00</CreDtTm>\n",
        f"<Acct><Id>{number}</Id><Ccy>{currency}</Ccy></Acct>\n",
        _camt_balance("OPBD", statement.opening_minor, statement.opening_date, currency),
        _camt_balance("CLBD", statement.closing_minor, statement.closing_date, currency),
        (
            f"<TxsSummry><TtlNtries><NbOfNtries>{len(amounts)}</NbOfNtries>"
            f"<Sum>{_decimal(sum(map(abs, amounts)), currency)}</Sum></TtlNtries></TxsSummry>\n"
        ),
        *(_camt_entry(line, version) for line in statement.lines),
        "</Stmt>\n",
    ]


def _side(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"


def _camt_balance(code: str, minor: int, on: date, currency: str) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{_decimal(abs(minor), currency)}</Amt>'
        f"<CdtDbtInd>{_side(minor)}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>\n"
    )


def _camt_entry(line: ParsedLine, version: int) -> str:
    status = "PDNG" if line.pending else "BOOK"
    parts = [
        f'<Ntry><Amt Ccy="{line.currency}">{_decimal(abs(line.amount_minor), line.currency)}</Amt>',
        f"<CdtDbtInd>{_side(line.amount_minor)}</CdtDbtInd>",
        "<RvslInd>true</RvslInd>" if line.reversal else "",
        f"<Sts><Cd>{status}</Cd></Sts>" if version >= _CODE_SINCE else f"<Sts>{status}</Sts>",
        f"<BookgDt><Dt>{line.booking_date}</Dt></BookgDt><ValDt><Dt>{line.value_date}</Dt></ValDt>",
        f"<AcctSvcrRef>{escape(line.bank_reference)}</AcctSvcrRef>" if line.bank_reference else "",
        _camt_code(line.kind),
        "<NtryDtls>",
        f"<Btch><PmtInfId>{escape(line.batch_id)}</PmtInfId></Btch>" if line.batch_id else "",
        *(_camt_detail(detail, line.currency) for detail in line.details),
        "" if line.details else _camt_only(line, version),
        "</NtryDtls></Ntry>\n",
    ]
    return "".join(parts)


def _camt_code(kind: str) -> str:
    parts = kind.split("-")
    if len(parts) == 3:  # noqa: PLR2004 - domain, family, sub-family
        domain, family, sub_family = (escape(part) for part in parts)
        return (
            f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn>"
            "</BkTxCd>"
        )
    return f"<BkTxCd><Prtry><Cd>{escape(kind)}</Cd></Prtry></BkTxCd>" if kind else "<BkTxCd/>"


def _camt_detail(detail: tuple[str, str, int | None], currency: str) -> str:
    end_to_end_id, reference, minor = detail
    amount = "" if minor is None else f'<Amt Ccy="{currency}">{_decimal(abs(minor), currency)}</Amt>'
    inside = f"<AcctSvcrRef>{escape(reference)}</AcctSvcrRef>" if reference else ""
    return f"<TxDtls><Refs>{inside}<EndToEndId>{escape(end_to_end_id) or 'NOTPROVIDED'}</EndToEndId></Refs>{amount}</TxDtls>"


def _camt_only(line: ParsedLine, version: int) -> str:
    before, after = _PARTY_AROUND[version >= _PTY_SINCE]
    side = "Dbtr" if line.amount_minor > 0 else "Cdtr"
    name = f"<{side}>{before}<Nm>{escape(line.name)}</Nm>{after}</{side}>" if line.name else ""
    iban = f"<{side}Acct><Id><IBAN>{line.iban}</IBAN></Id></{side}Acct>" if line.iban else ""
    words = f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>" if line.text else ""
    parties = f"<RltdPties>{name}{iban}</RltdPties>" if name or iban else ""
    end_to_end_id = escape(line.end_to_end_id) or "NOTPROVIDED"
    return f"<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>{parties}{words}</TxDtls>"


def mt940(statements: Sequence[ParsedStatement]) -> bytes:
    """Return the statements as MT940 messages; words outside of SWIFT's character set must not be in them."""
    lines: list[str] = []
    for statement in statements:
        lines += [
            f":20:{(statement.reference or 'STMT')[:16]}",
            f":25:{statement.account}",
            f":28C:{statement.number or '1'}",
            f":60F:{_mt_balance(statement.opening_minor, statement.opening_date, statement.currency)}",
        ]
        for line in statement.lines:
            lines += _mt_line(line)
        closing = _mt_balance(statement.closing_minor, statement.closing_date, statement.currency)
        lines += [f":62F:{closing}", "-"]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _comma(minor: int, currency: str) -> str:
    text = str(_decimal(abs(minor), currency)).replace(".", ",")
    return text if "," in text else f"{text},"


def _mt_balance(minor: int, on: date, currency: str) -> str:
    return f"{'C' if minor >= 0 else 'D'}{on:%y%m%d}{currency}{_comma(minor, currency)}"


def _mt_line(line: ParsedLine) -> list[str]:
    credit = line.amount_minor > 0
    mark = {(True, False): "C", (False, False): "D", (True, True): "RD", (False, True): "RC"}[
        credit, line.reversal
    ]
    reference = f"//{line.bank_reference[:16]}" if line.bank_reference else ""
    kind = line.kind if len(line.kind) == 4 and line.kind[0] in "NFS" else "NTRF"  # noqa: PLR2004 - 1!a3!c
    words = [
        f"/EREF/{line.end_to_end_id}" if line.end_to_end_id else "",
        f"/PREF/{line.batch_id}" if line.batch_id else "",
        f"/NAME/{line.name}" if line.name else "",
        f"/IBAN/{line.iban}" if line.iban else "",
        f"/REMI/{line.text}" if line.text else "",
    ]
    field = "".join(words) + "/" if any(words) else "NONE"
    rows = [field[start : start + 65] for start in range(0, len(field), 65)]
    return [
        (
            f":61:{line.value_date:%y%m%d}{line.booking_date:%m%d}{mark}{_comma(line.amount_minor, line.currency)}"
            f"{kind}NONREF{reference}"
        ),
        f":86:{rows[0]}",
        *rows[1:],
    ]


def ofx(statement: ParsedStatement) -> bytes:
    """Return one statement as OFX 2.2."""
    currency = statement.currency
    entries = "".join(
        f"<STMTTRN><TRNTYPE>{'CREDIT' if line.amount_minor > 0 else 'DEBIT'}</TRNTYPE>"
        f"<DTPOSTED>{line.booking_date:%Y%m%d}</DTPOSTED><TRNAMT>{_decimal(line.amount_minor, currency)}</TRNAMT>"
        f"<FITID>{escape(line.bank_reference)}</FITID><NAME>{escape(line.name)}</NAME><MEMO>{escape(line.text)}</MEMO>"
        "</STMTTRN>\n"
        for line in statement.lines
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE"?>\n'
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
        f"<CURDEF>{currency}</CURDEF><BANKACCTFROM><BANKID>BANK</BANKID><ACCTID>{statement.account}</ACCTID>"
        f"<ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>\n<BANKTRANLIST><DTSTART>{statement.opening_date:%Y%m%d}</DTSTART>"
        f"<DTEND>{statement.closing_date:%Y%m%d}</DTEND>\n{entries}</BANKTRANLIST>"
        f"<LEDGERBAL><BALAMT>{_decimal(statement.closing_minor, currency)}</BALAMT>"
        f"<DTASOF>{statement.closing_date:%Y%m%d}</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    ).encode()


def bai2(statement: ParsedStatement) -> bytes:
    """Return one statement of one day as BAI2."""
    day, amounts = f"{statement.closing_date:%y%m%d}", [line.amount_minor for line in statement.lines]
    total = statement.opening_minor + statement.closing_minor + sum(map(abs, amounts))
    size = len(amounts) + 2
    return "\n".join(
        [
            f"01,BANK,HOUSE,{day},2200,1,,,2/",
            f"02,HOUSE,BANK,1,{day},2200,{statement.currency},2/",
            f"03,{statement.account},{statement.currency},010,{statement.opening_minor},,,015,{statement.closing_minor},,/",
            *(
                f"16,{'195' if line.amount_minor > 0 else '495'},{abs(line.amount_minor)},V,{line.value_date:%y%m%d},,"
                f"{line.bank_reference},{line.end_to_end_id},{line.text}"
                for line in statement.lines
            ),
            f"49,{total},{size}/",
            f"98,{total},1,{size + 2}/",
            f"99,{total},1,{size + 4}/",
            "",
        ]
    ).encode()


def csv_file(statement: ParsedStatement) -> bytes:
    """Return one statement as the CSV that `CSV_COLUMNS` maps: semicolons, ISO dates, decimal commas, a balance."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(CSV_HEADS)
    balance = statement.opening_minor
    for line in statement.lines:
        balance += line.amount_minor
        amounts = (
            str(_decimal(minor, line.currency)).replace(".", ",") for minor in (line.amount_minor, balance)
        )
        writer.writerow(
            (
                *(line.booking_date, line.value_date, line.bank_reference, line.end_to_end_id),
                *(line.name, line.iban, line.text, line.kind),
                *amounts,
            )
        )
    return out.getvalue().encode()
