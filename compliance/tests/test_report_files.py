"""Report files: whatever the facts, the file is valid; whatever is changed, the fault is named."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from compliance.reports import ctr, sar
from compliance.reports.checking import check_file
from compliance.reports.facts import Address, CtrFacts, Filer, Identification, SarFacts, Subject
from compliance.reports.writing import dollars

FILER = Filer(
    name="Flowlet Sandbox Inc",
    tin="123456789",
    tcc="PBSA0000",
    address=Address(street="1 Main Street", city="Springfield", state="IL", postcode="62701", country="US"),
    contact="Compliance Office",
    phone="2175550100",
    sandbox=True,
)
DAY = date(2026, 11, 2)
# Any name a person may have; what XML cannot carry never reaches a customer's name.
NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "Zs")), min_size=1, max_size=160
).filter(lambda text: text.split())
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=60)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    business = draw(st.booleans())
    return Subject(
        last_name=" ".join(draw(NAMES).split()),
        first_name="" if business or draw(st.booleans()) else " ".join(draw(NAMES).split()),
        business=business,
        birth_date=draw(st.none() | st.dates(date(1900, 1, 1), date(2010, 12, 31))),
        address=Address(
            street=draw(st.sampled_from(["", "Long Lane 7"])),
            city=draw(st.sampled_from(["", "Bergen"])),
            state=draw(st.sampled_from(["", "NY"])),
            postcode=draw(st.sampled_from(["", "5003", "SW1A 1AA"])),
            country=draw(st.sampled_from(["", "NO", "US", "GB"])),
        ),
        phone=draw(st.sampled_from(["", "+47 22 12 34 56"])),
        identifications=tuple(
            Identification(code="6", number=number, country="NO")
            for number in draw(st.lists(st.sampled_from(["X1234567", "L898902C3"]), max_size=2))
        ),
        accounts=tuple(draw(st.lists(st.just("wal_01K8Z5M3W4J7T2R9QX6V0BND1C"), max_size=3))),
        cash_in_cents=draw(st.integers(0, 10**10)),
        cash_out_cents=draw(st.integers(1, 10**10)),
    )


@st.composite
def sars(draw: st.DrawFn) -> SarFacts:
    corrects = draw(st.booleans())
    return SarFacts(
        filer=FILER,
        subjects=tuple(draw(st.lists(subjects(), min_size=1, max_size=4))),
        filed_on=DAY,
        from_date=date(2026, 8, 1),
        to_date=date(2026, 10, 31),
        total_cents=draw(st.integers(0, 10**12)),
        classes=(("1", "114"), ("8", "821")),
        narrative=" \n\t".join(draw(st.lists(WORDS, min_size=1, max_size=400))),
        prior_bsa_id="31000000000001" if corrects else "",
        corrects=corrects,
        attachment=draw(st.sampled_from(["", "evidence.csv"])),
    )


def simple(**changes: object) -> SarFacts:
    values = {
        "filer": FILER,
        "subjects": (Subject(last_name="Sandvik", first_name="Mirela"),),
        "filed_on": DAY,
        "from_date": date(2026, 8, 1),
        "to_date": date(2026, 10, 31),
        "total_cents": 2_850_001,
        "classes": (("1", "114"),),
        "narrative": "Three deposits of cash just below the limit.",
        **changes,
    }
    return SarFacts(**values)  # type: ignore[arg-type]


@settings(max_examples=120, deadline=None)
@given(reports=st.lists(sars(), min_size=1, max_size=3))
def test_any_suspicious_activity_report_is_valid(reports: list[SarFacts]) -> None:
    assert check_file(sar.write(reports)) == []


@settings(max_examples=80, deadline=None)
@given(people=st.lists(subjects(), min_size=1, max_size=3))
def test_any_currency_report_is_valid(people: list[Subject]) -> None:
    reports = [
        CtrFacts(filer=FILER, subject=subject, filed_on=DAY, day=DAY, aggregated=len(people) > 1)
        for subject in people
    ]

    assert check_file(ctr.write(reports)) == []


def test_ninety_nine_subjects_and_the_longest_narrative_fit() -> None:
    many = tuple(Subject(last_name=f"Nr {number}", first_name="A") for number in range(99))
    longest = " ".join(["word"] * 4_000)  # 19,999 characters

    content = sar.write([simple(subjects=many, narrative=longest)])

    assert check_file(content) == []
    root = etree.fromstring(content)
    assert (root.get("PartyCount"), root.get("ActivityCount"), root.get("TotalAmount")) == (
        "99",
        "1",
        "28501",
    )


def test_a_narrative_beyond_five_blocks_is_refused_with_the_excess() -> None:
    with pytest.raises(ValueError, match=r"20,4\d\d characters long; \d+ must go"):
        sar.write([simple(narrative=" ".join(["word"] * 4_100))])
    with pytest.raises(ValueError, match="empty"):
        sar.write([simple(narrative=" \n ")])


def test_blocks_end_at_words_and_nothing_is_lost() -> None:
    text = " ".join(f"word{number}" for number in range(1_500))

    found = sar.blocks(text)

    assert all(len(block) <= 4_000 for block in found)
    assert " ".join(found) == text


def test_amounts_are_whole_dollars_rounded_up() -> None:
    assert [dollars(cents) for cents in (0, 1, 100, 101, 999_999)] == ["0", "1", "1", "2", "10000"]


@pytest.mark.parametrize(
    ("pattern", "by", "field"),
    [
        (r'PartyCount="1"', 'PartyCount="6"', "PartyCount"),
        (r'TotalAmount="28501"', 'TotalAmount="28500"', "TotalAmount"),
        (r'ActivityCount="1"', 'ActivityCount="2"', "ActivityCount"),
        (r">28501<", ">28500.50<", "TotalSuspiciousAmountText"),
        (r">20260801<", ">20260231<", "SuspiciousActivityFromDateText"),
        (r">20260801<", ">20261301<", "SuspiciousActivityFromDateText"),
        (r">Three deposits", "> Three deposits", "ActivityNarrativeText"),
        (r">Three deposits", ">Three\u00a0deposits", "ActivityNarrativeText"),
        (r">Three deposits", ">Three\ndeposits", "ActivityNarrativeText"),
        (r">Sandvik<", "><", "RawEntityIndividualLastName"),
        (r'SeqNum="4"', 'SeqNum="3"', ""),
        (r">33<", ">99<", "ActivityPartyTypeCode"),
        (
            r"<fc2:FilingDateText>\d+</fc2:FilingDateText>",
            "",
            "EFilingPriorDocumentNumber|ActivityAssociation",
        ),
        (r">SARX<", ">SARQ<", "FormTypeCode"),
        (r"<\?xml[^>]*\?>", '<!DOCTYPE x [<!ENTITY e "x">]>', "file"),
        (r"</fc2:EFilingBatchXML>", "", "file"),
    ],
)
def test_each_change_that_spoils_a_file_is_named(pattern: str, by: str, field: str) -> None:
    content = sar.write([simple()]).decode()
    changed = re.sub(pattern, by, content, count=1)
    assert changed != content

    faults = check_file(changed.encode())

    assert faults
    assert not field or any(re.search(field, fault.field) for fault in faults), faults


def test_a_second_legal_name_is_refused() -> None:
    content = sar.write([simple()])
    root = etree.fromstring(content)
    name = next(root.iter("{www.fincen.gov/base}PartyName"))
    copy = etree.fromstring(etree.tostring(name))
    copy.set("SeqNum", "9999")
    name.addnext(copy)

    assert "PartyName" in {fault.field for fault in check_file(etree.tostring(root))}
