"""Every format: re-read equal by independent parsers, the same bytes each time, and no file for what does not add up."""

import dataclasses
import io
import zipfile
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from ledger.statements import camt
from ledger.statements.facts import NotWritable, Statement, StatementNotProven, StatementTooLong, Totals
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.statements.mt940 import PAGE, plain
from ledger.tests.statement_facts import FIRST, TEXTS, WALLET, pending, statement
from ledger.tests.statement_readers import READERS, Read, read_camt, read_csv, read_large_camt, read_mt940

EVERY = [(name, version) for name, known in STATEMENT_FORMATS.items() for version in known.versions]
READABLE = [(name, version) for name, version in EVERY if name in READERS]
AMOUNTS = [100_000, -2_550, 1, -97_451, 12_345, -1, 250, 10_000]


def expected(of: Statement, found: Read) -> Read:
    """What must be read, less what the format does not carry."""
    return Read(
        opening=None if found.opening is None else of.opening,
        amounts=[entry.amount for entry in of.entries],
        closing=of.closing,
        available=None if found.available is None else of.available,
        days=[(entry.booked_date, entry.effective_date) for entry in of.entries],
    )


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD", "CLF"])
@pytest.mark.parametrize(("name", "version"), READABLE)
def test_a_file_reads_back_equal_in_currencies_of_every_size(name, version, currency):
    made = statement(currency, AMOUNTS, opening=5_000, held=250, number=7)

    found = READERS[name](STATEMENT_FORMATS.get(name).render(made, version), currency)

    assert found == expected(made, found)


@pytest.mark.parametrize(("name", "version"), READABLE)
def test_a_statement_without_entries_is_a_file_too(name, version):
    made = statement("EUR", [], opening=-1_234)

    found = READERS[name](STATEMENT_FORMATS.get(name).render(made, version), "EUR")

    assert found == expected(made, found)
    assert found.closing == -1_234


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_the_same_facts_give_the_same_bytes(name, version):
    known = STATEMENT_FORMATS.get(name)

    once, again = (known.render(statement("EUR", AMOUNTS), version) for _ in range(2))

    assert once == again


@settings(max_examples=4, deadline=None)
@given(
    amounts=st.lists(st.integers(-(10**11), 10**11).filter(bool), max_size=6),
    opening=st.integers(-(10**11), 10**11),
    currency=st.sampled_from(["JPY", "USD", "KWD", "CLF"]),
    held=st.integers(0, 10**9),
)
def test_whatever_is_booked_comes_back(amounts, opening, currency, held):
    made = statement(currency, amounts, opening=opening, held=held)

    for name, read in READERS.items():
        found = read(STATEMENT_FORMATS.get(name).render(made), currency)
        assert found == expected(made, found), name


@pytest.mark.parametrize("name", list(STATEMENT_FORMATS))
def test_no_format_writes_what_does_not_add_up(name):
    made, known = statement("EUR", AMOUNTS), STATEMENT_FORMATS.get(name)
    wrong = dataclasses.replace(made.entries[1], amount=made.entries[1].amount - 1)

    for broken in (
        dataclasses.replace(made, closing=made.closing + 1),
        dataclasses.replace(made, opening=1),
        dataclasses.replace(made, entries=(made.entries[0], wrong, *made.entries[2:])),
        dataclasses.replace(made, known_totals=Totals(1, 2, 3)),
    ):
        with pytest.raises(StatementNotProven):
            known.render(broken)


# --- camt ------------------------------------------------------------------------------------------------------------


def test_the_schema_is_asked_each_time(monkeypatch):
    monkeypatch.setattr(camt, "_code", lambda _: "<BkTxCd><Nonsense/></BkTxCd>")

    with pytest.raises(camt.NotValid, match="Nonsense"):
        STATEMENT_FORMATS.get("camt053").render(statement("EUR", [1]))


@pytest.mark.parametrize("version", ["02", "08", "13"])
def test_a_camt_statement_says_who_whom_and_why(version):
    made = statement("EUR", AMOUNTS, number=12, public_id="stm_01K8Z5M3W4J7T2R9QX6V0BND1C")

    root = etree.fromstring(STATEMENT_FORMATS.get("camt053").render(made, version))

    assert root.tag == f"{{urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}}}Document"
    assert root.findtext(".//{*}Stmt/{*}ElctrncSeqNb") == "12"
    assert root.findtext(".//{*}Acct//{*}Othr/{*}Id") == WALLET
    entries = list(root.iter("{*}Ntry"))
    codes = [one.findtext("{*}BkTxCd/{*}Prtry/{*}Cd") for one in entries]
    assert codes == [one.kind for one in made.entries]
    names = [
        "".join(one.find(".//{*}RltdPties").itertext())
        for one in entries
        if one.find(".//{*}RltdPties") is not None
    ]
    assert names == [one.counterparty for one in made.entries if one.counterparty]
    assert [one.findtext(".//{*}EndToEndId") for one in entries] == [one.cause for one in made.entries]
    assert [one.findtext("{*}RvslInd") == "true" for one in entries] == [one.reversal for one in made.entries]
    told = ["".join(text.text for text in one.iter("{*}Ustrd")) for one in entries]
    assert told == [" ".join(one.text.split()) for one in made.entries]


def test_one_camt_file_holds_all_wallets_of_a_customer():
    out = io.BytesIO()
    euros, yen = statement("EUR", AMOUNTS), statement("JPY", [5], number=2)

    STATEMENT_FORMATS.get("camt053").write([euros, yen], out)

    root = etree.fromstring(out.getvalue())
    assert [one.text for one in root.iterfind(".//{*}Stmt/{*}Acct/{*}Ccy")] == ["EUR", "JPY"]


def test_camt_052_tells_what_is_only_set_aside():
    made = statement("EUR", AMOUNTS, pending=pending(), held=250)

    data = STATEMENT_FORMATS.get("camt052").render(made)

    found = etree.fromstring(data)
    waiting = [one for one in found.iter("{*}Ntry") if one.findtext("{*}Sts/{*}Cd") == "PDNG"]
    assert [(one.findtext("{*}Amt"), one.findtext("{*}CdtDbtInd")) for one in waiting] == [
        ("2.50", "DBIT"),
        ("1.00", "CRDT"),
    ]
    assert read_camt(data, "EUR").available == made.closing - 250


def test_an_unknown_version_is_refused():
    with pytest.raises(NotWritable):
        STATEMENT_FORMATS.get("camt053").render(statement("EUR", []), "99")


# --- MT940 -----------------------------------------------------------------------------------------------------------


def test_an_mt940_message_has_two_thousand_characters_and_its_pages_chain():
    made = statement("KWD", [12_345, -1] * 60, number=3)

    data = STATEMENT_FORMATS.get("mt940").render(made)

    pages = data.decode("ascii").split("\r\n-\r\n")[:-1]
    assert len(pages) > 5
    assert max(len(page) + len("\r\n-\r\n") for page in pages) <= PAGE
    lines = [page.split("\r\n") for page in pages]
    assert [page[2] for page in lines] == [f":28C:00003/{number:05}" for number in range(1, len(pages) + 1)]
    ends = [page[-1].removeprefix(":62M:") for page in lines[:-1]]
    assert ends == [page[3].removeprefix(":60M:") for page in lines[1:]]
    assert all(len(line) <= 70 for page in lines for line in page)
    assert read_mt940(data, "KWD").closing == made.closing


def test_no_text_of_an_mt940_file_passes_for_a_tag_or_an_end():
    made = dataclasses.replace(statement("EUR", AMOUNTS))

    text = STATEMENT_FORMATS.get("mt940").render(made).decode("ascii")

    tags = [line[: line.index(":", 1) + 1] for line in text.split("\r\n") if line.startswith(":")]
    assert tags.count(":61:") == len(AMOUNTS)
    assert text.count("\r\n-") == 1
    assert "\n" not in text.replace("\r\n", "")


def test_what_reverses_is_marked_by_what_it_takes_back():
    made = statement("EUR", AMOUNTS)

    text = STATEMENT_FORMATS.get("mt940").render(made).decode("ascii")

    marks = [line[14:16] for line in text.split("\r\n") if line.startswith(":61:")]
    assert marks[3] == "RC"  # the fourth is a reversal that takes money away


def test_other_scripts_become_latin():
    assert plain("Κατερίνα_山田 Олена, é") == "Katerina-ShanTian Olena, e"


def test_an_amount_without_room_is_refused():
    with pytest.raises(NotWritable):
        STATEMENT_FORMATS.get("mt940").render(statement("EUR", [10**14]))


# --- spreadsheets and paper --------------------------------------------------------------------------------------------


def test_a_workbook_keeps_texts_as_they_are_and_long_amounts_exact():
    made = statement("EUR", [10**15, -1])

    data = STATEMENT_FORMATS.get("xlsx").render(made)

    found = READERS["xlsx"](data, "EUR")
    assert found == expected(made, found)
    formula = statement("EUR", [1, 1])
    assert TEXTS[1].encode() in _sheet(STATEMENT_FORMATS.get("xlsx").render(formula))


def _sheet(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"".join(book.read(name) for name in book.namelist() if "sheet1" in name)


def test_a_pdf_says_what_the_statement_says_in_any_script():
    made = statement("KWD", AMOUNTS, number=4, held=250)

    pages = PdfReader(io.BytesIO(STATEMENT_FORMATS.get("pdf").render(made))).pages

    text = "\n".join(page.extract_text() for page in pages)
    for part in (
        "Statement 4",
        "Ola Nilsen & Søn",
        f"{made.decimal(made.closing):,}",
        "Held 0.250 KWD",
        "Κατερίνα",
    ):
        assert part in text


def test_a_format_of_one_statement_takes_no_second_and_none_too_long(monkeypatch):
    known, made = STATEMENT_FORMATS.get("pdf"), statement("EUR", [1, 2])

    with pytest.raises(NotWritable):
        known.write([made, made], io.BytesIO())

    monkeypatch.setattr(type(known), "entries_max", 1)
    with pytest.raises(StatementTooLong):
        known.render(made)


def test_the_days_of_a_head_are_those_of_the_book():
    made = statement("EUR", [])

    root = etree.fromstring(STATEMENT_FORMATS.get("camt053").render(made))

    assert root.findtext(".//{*}FrDtTm") == f"{FIRST}T00:00:00Z"
    assert root.findtext(".//{*}ToDtTm") == f"{FIRST + timedelta(days=29)}T23:59:59Z"


@pytest.fixture(scope="module")
def large():
    """Ten thousand entries of both signs, with every text that travels badly."""
    return statement(
        "EUR", [(1 if seq % 3 else -1) * (seq * 37 % 99_991 + 1) for seq in range(10_000)], number=9
    )


@pytest.mark.parametrize(
    ("name", "read"), [("csv", read_csv), ("camt053", read_large_camt), ("mt940", read_mt940)]
)
def test_ten_thousand_entries_read_back_equal(name, read, large):
    found = read(STATEMENT_FORMATS.get(name).render(large), "EUR")

    assert len(found.amounts) == 10_000
    assert found == expected(large, found)
