"""Reading what banks write: every format there and back, hostile and damaged files refused with the place."""

import os
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.choices_bank import CsvSign
from ledger.errors_bank import UnreadableBankFile
from ledger.models.reconciliation import CsvMapping, HouseBankAccount
from ledger.reconciliation import formats, xml
from ledger.reconciliation.csv_files import fits, read_csv
from ledger.reconciliation.parsed import ParsedFile, ParsedLine, ParsedStatement, minor_of
from ledger.reconciliation.write import CSV_COLUMNS, bai2, camt053, csv_file, mt940, ofx
from ledger.tests.banking import IBANS, line, statement

EXAMPLES = int(os.environ.get("FLOWLET_EXAMPLES", "40"))
WORDS = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+()'", min_size=1, max_size=20
)
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
DAY = date(2026, 11, 2)


@st.composite
def statements(draw: st.DrawFn) -> ParsedStatement:
    """A statement in a currency of 0, 2, 3 or 4 digits, empty ones too."""
    currency = draw(st.sampled_from(("EUR", "JPY", "KWD", "CLF")))
    amounts = st.integers(-(10**11), 10**11).filter(bool)
    lines = [
        line(
            draw(amounts),
            number,
            currency=currency,
            on=DAY + timedelta(days=draw(st.integers(0, 9))),
            name=draw(TEXTS),
            text=draw(TEXTS),
            end_to_end_id=draw(WORDS),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    lines.sort(key=lambda item: item.booking_date)
    opening = draw(st.integers(-(10**11), 10**11))
    return ParsedStatement(
        account=IBANS[currency],
        currency=currency,
        place="",
        lines=tuple(lines),
        opening_date=DAY,
        closing_date=DAY + timedelta(days=9),
        opening_minor=opening,
        closing_minor=opening + sum(item.amount_minor for item in lines),
        number="12",
        reference="STMT-12",
    )


def mapping(currency: str = "EUR", **fields: object) -> CsvMapping:
    """A mapping, not saved, of what `csv_file` writes."""
    values = {
        "columns": CSV_COLUMNS,
        "encoding": "utf-8",
        "delimiter": ";",
        "date_format": "%Y-%m-%d",
        "decimal_comma": True,
        "sign": CsvSign.SIGNED,
    }
    account = HouseBankAccount(iban=IBANS[currency], currency=currency)
    return CsvMapping(bank_account=account, **{**values, **fields})


def bare(lines: tuple[ParsedLine, ...], **fields: object) -> list[ParsedLine]:
    """Lines without what a format cannot carry, and without their places."""
    return [replace(item, place="", **fields) for item in lines]


def read_one(data: bytes) -> ParsedStatement:
    """The only statement of a file."""
    (found,) = formats.read(data).statements
    return found


@settings(max_examples=EXAMPLES, deadline=None)
@given(statements(), st.sampled_from((2, 4, 8, 13)))
def test_camt_is_read_as_it_was_written(written, version):
    found = formats.read(camt053([written], version=version))

    assert found.format == f"camt.053.001.{version:02}"
    assert replace(found.statements[0], place="", lines=()) == replace(written, lines=())
    assert bare(found.statements[0].lines) == bare(written.lines)


@settings(max_examples=EXAMPLES, deadline=None)
@given(statements())
def test_mt940_is_read_as_it_was_written(written):
    found = read_one(mt940([written]))

    assert replace(found, place="", lines=()) == replace(written, lines=())
    assert bare(found.lines) == bare(written.lines, kind="NTRF")


@settings(max_examples=EXAMPLES, deadline=None)
@given(statements())
def test_ofx_is_read_as_it_was_written(written):
    found = read_one(ofx(written))

    assert (found.opening_minor, found.closing_minor) == (written.opening_minor, written.closing_minor)
    assert [(item.amount_minor, item.bank_reference, item.name, item.text) for item in found.lines] == [
        (item.amount_minor, item.bank_reference, item.name, item.text) for item in written.lines
    ]


@settings(max_examples=EXAMPLES, deadline=None)
@given(statements())
def test_bai2_is_read_as_it_was_written(written):
    found = read_one(bai2(written))

    assert (found.opening_minor, found.closing_minor) == (written.opening_minor, written.closing_minor)
    assert [(item.amount_minor, item.bank_reference, item.value_date, item.text) for item in found.lines] == [
        (item.amount_minor, item.bank_reference, item.value_date, item.text) for item in written.lines
    ]


@settings(max_examples=EXAMPLES, deadline=None)
@given(statements().filter(lambda found: found.lines))
def test_csv_is_read_as_it_was_written(written):
    bank_writes = mapping(written.currency)

    found = read_csv(csv_file(written), bank_writes)

    assert fits(csv_file(written), bank_writes)
    assert (found.statements[0].opening_minor, found.statements[0].closing_minor) == (
        written.opening_minor,
        written.closing_minor,
    )
    assert bare(found.statements[0].lines) == bare(written.lines)


SAMPLE = statement(line(10_000, 1), line(-2_550, 2), line(7, 3), opening=500)
WRITTEN = {
    "camt": camt053([SAMPLE]),
    "mt940": mt940([SAMPLE]),
    "ofx": ofx(SAMPLE),
    "bai2": bai2(SAMPLE),
    "csv": csv_file(SAMPLE),
}


@pytest.mark.parametrize("name", WRITTEN)
@settings(max_examples=max(EXAMPLES, 60), deadline=None)
@given(st.data())
def test_damaged_bytes_are_read_or_refused_and_nothing_else(name, data):
    whole = bytearray(WRITTEN[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        how = data.draw(st.sampled_from(("cut", "flip", "drop", "double", "put")))
        if how == "cut":
            del whole[at:]
        elif how == "flip" and at < len(whole):
            whole[at] = data.draw(st.integers(0, 255))
        elif how == "drop":
            del whole[at : at + data.draw(st.integers(1, 40))]
        elif how == "double":
            whole[at:at] = whole[at : at + 60]
        else:
            whole[at:at] = data.draw(st.binary(max_size=6))

    found = read_or_refusal(bytes(whole), name)

    if isinstance(found, UnreadableBankFile):
        assert found.place
        assert found.reason.endswith(".")
    else:
        assert found.statements


def read_or_refusal(data: bytes, name: str) -> ParsedFile | UnreadableBankFile:
    """What comes of a file: any other error is a fault of the reader."""
    try:
        return read_csv(data, mapping()) if name == "csv" else formats.read(data)
    except UnreadableBankFile as refused:
        return refused


DOCUMENT = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
HOSTILE = {
    "document type": (f'<!DOCTYPE d SYSTEM "http://x/y.dtd">{DOCUMENT}</Document>', "DTD", "line 1"),
    "entities": (f'\n<!DOCTYPE d [<!ENTITY a "b">]>{DOCUMENT}&a;</Document>', "DTD", "line 2"),
    "an entity nobody declared": (f"{DOCUMENT}&bomb;</Document>", "NOT_WELL_FORMED", "line 1"),
    "xinclude": (
        f'{DOCUMENT}\n<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></Document>',
        "XINCLUDE",
        "line 2",
    ),
    "depth": (DOCUMENT + "<a>" * 5_000 + "</a>" * 5_000 + "</Document>", "NOT_WELL_FORMED", "line 1"),
    "another message": (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>',
        "NAMESPACE",
        "line 1",
    ),
    "a version to come": (DOCUMENT.replace(".08", ".99") + "</Document>", "NAMESPACE", "line 1"),
    "no namespace": ("<Document><Stmt/></Document>", "NAMESPACE", "line 1"),
    "a page of the web": ("<html><body>Log in again</body></html>", "NAMESPACE", "line 1"),
    "the end is missing": (WRITTEN["camt"].decode()[:700], "NOT_WELL_FORMED", "line "),
    "an encoding nobody uses": ('<?xml version="1.0" encoding="UTF-7"?><Document/>', "ENCODING", "line 1"),
    "too many digits": (
        WRITTEN["camt"].decode().replace(">100.00<", ">100.001<"),
        "AMOUNT",
        "line 9, Stmt[1]/Ntry[1]/Amt",
    ),
    "no closing balance": (
        WRITTEN["camt"].decode().replace("CLBD", "CLAV"),
        "BALANCE",
        "line 4, Stmt[1]/Bal",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_with_its_place(name):
    text, code, place = HOSTILE[name]

    with pytest.raises(UnreadableBankFile) as refused:
        formats.read(text.encode())

    assert refused.value.reason_code == code
    assert refused.value.place.startswith(place)


def test_xml_in_another_encoding_than_it_says_is_refused_with_the_line():
    data = WRITTEN["camt"].replace(b"Invoice 2", b"Gr\xfc\xdfe")

    with pytest.raises(UnreadableBankFile) as refused:
        formats.read(data)

    assert refused.value.reason_code == "ENCODING"
    assert refused.value.place == "line 10"


def test_no_encoding_hides_a_document_type():
    hidden = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE d>{DOCUMENT}</Document>'.encode("utf-16")

    with pytest.raises(UnreadableBankFile) as refused:
        formats.read(hidden)

    assert refused.value.reason_code == "DTD"


def test_a_file_of_endless_small_elements_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(xml, "TAGS_MAX", 1_000)

    with pytest.raises(UnreadableBankFile) as refused:
        formats.read((DOCUMENT + "<a/>" * 1_001 + "</Document>").encode())

    assert refused.value.reason_code == "TOO_LARGE"


def test_small_documents_are_bounded_in_depth():
    with pytest.raises(UnreadableBankFile) as refused:
        xml.parse(b"<a>" * 70 + b"</a>" * 70)

    assert refused.value.reason_code == "TOO_DEEP"


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("JPY", "500", 500),
        ("EUR", "0.5", 50),
        ("KWD", "1,234", 1_234),
        ("CLF", "2.0001", 20_001),
        ("EUR", "-3", -300),
    ],
)
def test_amounts_follow_the_exponent_of_their_currency(currency, text, minor):
    assert minor_of(text, currency, "here") == minor


@pytest.mark.parametrize("text", ["", "1.2.3", "1e5", "0x1", "1.005", "1_000", "\u0661", "9" * 17, "1" * 19])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(UnreadableBankFile):
        minor_of(text, "EUR", "here")


BAI2_SPOILED = (
    ("49,", 1, "the account's total", "CONTROL_SUM", "line 7"),
    ("98,", 1, "the group's total", "CONTROL_SUM", "line 8"),
    ("99,", 2, "the number of groups", "CONTROL_SUM", "line 9"),
    ("49,", 2, "the number of records", "CONTROL_SUM", "line 7"),
)


@pytest.mark.parametrize(("record", "field", "_what", "code", "place"), BAI2_SPOILED)
def test_bai2_with_a_wrong_total_or_count_is_refused(record, field, _what, code, place):
    rows = WRITTEN["bai2"].decode().split("\n")
    index = next(number for number, row in enumerate(rows) if row.startswith(record))
    parts = rows[index].rstrip("/").split(",")
    parts[field] = str(int(parts[field]) + 1)
    rows[index] = ",".join(parts) + "/"

    with pytest.raises(UnreadableBankFile) as refused:
        formats.read("\n".join(rows).encode())

    assert refused.value.reason_code == code
    assert refused.value.place.startswith(place)


def test_bai2_details_may_go_on_in_a_continuation():
    joined = WRITTEN["bai2"].decode().replace(",Invoice 1\n", ",Invoice 1/\n88,of May/\n")
    joined = joined.replace("49,21014,5/", "49,21014,6/").replace("98,21014,1,7/", "98,21014,1,8/")
    total = next(row for row in joined.split("\n") if row.startswith("99,"))
    joined = joined.replace(total, total.replace(",9/", ",10/"))

    assert read_one(joined.encode()).lines[0].text == "Invoice 1,of May"


SGML = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>DE89370400440532013000
</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101<DTEND>20261102120000[-5:EST]
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261102<TRNAMT>12.50<FITID>F1<NAME>Ada &amp; Co</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>112.50<DTASOF>20261102</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_ofx_of_the_old_kind_is_read():
    found = read_one(SGML)

    assert (found.opening_minor, found.closing_minor) == (10_000, 11_250)
    assert (found.lines[0].amount_minor, found.lines[0].name) == (1_250, "Ada & Co")


@pytest.mark.parametrize(
    ("whole", "spoiled", "code", "place"),
    [
        (b"</STMTRS>", b"", "NOT_WELL_FORMED", "line 8"),
        (b"12.50", b"12.5O", "AMOUNT", "line 7, STMTTRN/TRNAMT"),
        (b"<OFX>", b"<!DOCTYPE x><OFX>", "DTD", "line 5"),
        (b"<LEDGERBAL>", b"<AVAILBAL>", "NOT_WELL_FORMED", "line 8"),
        (b"<OFX>", b"<OFX>" + b"<A>" * 40, "TOO_DEEP", "line 5"),
    ],
)
def test_spoiled_ofx_is_refused_with_the_line(whole, spoiled, code, place):
    with pytest.raises(UnreadableBankFile) as refused:
        formats.read(SGML.replace(whole, spoiled))

    assert refused.value.reason_code == code
    assert refused.value.place.startswith(place)


def test_csv_with_two_columns_and_the_newest_first():
    text = 'Statement of May\nDate,In,Out,Balance\n03.11.2026,,"1,000.50",99.50\n\n02.11.2026,"1,000.00",,"1,100.00"\n'
    bank_writes = mapping(
        columns={"booking_date": "Date", "credit": "In", "debit": "Out", "balance": "Balance"},
        delimiter=",",
        date_format="%d.%m.%Y",
        decimal_comma=False,
        sign=CsvSign.TWO_COLUMNS,
        skip_lines=1,
        newest_first=True,
    )

    found = read_csv(text.encode(), bank_writes).statements[0]

    assert [item.amount_minor for item in found.lines] == [100_000, -100_050]
    assert (found.opening_minor, found.closing_minor) == (10_000, 9_950)
    assert found.lines[0].place == "line 5"


def test_csv_whose_balances_do_not_follow_is_refused_with_the_line():
    rows = WRITTEN["csv"].decode().splitlines()
    del rows[2]

    with pytest.raises(UnreadableBankFile) as refused:
        read_csv("\n".join(rows).encode(), mapping())

    assert (refused.value.reason_code, refused.value.place) == ("BALANCE", "line 3")


def test_a_remittance_that_speaks_of_ofx_makes_no_other_file():
    written = statement(line(100, text="OFX"))

    assert read_one(camt053([written])).lines[0].text == "OFX"
