"""MT940 as banks really write it: pages, envelopes, reversals, words in field 86; spoiled files refused with the line."""

import pytest

from ledger.errors_bank import UnreadableBankFile
from ledger.reconciliation import formats

PAGED = """:20:ONE
:25:DE89370400440532013000
:28C:7/1
:60F:C261101EUR100,00
:61:2611021102C50,NTRFNONREF//A1
:86:166?00CREDIT?20EREF+E2E-1?21SVWZ+Invoice 9?22 of May?31FI2112345600000785?32ADA?33 ROTH
:62M:C261102EUR150,00
-
:20:ONE
:25:DE89370400440532013000
:28C:7/2
:60M:C261102EUR150,00
:61:2611021102RD20,5NCHGNONREF//A2
Charge given back
:61:2611021102RC1,NTRFNONREF//A3
:86:plain words
:62F:C261102EUR169,50
-
"""


def test_mt940_in_pages_with_reversals_and_german_words():
    first, second = formats.read(PAGED.encode()).statements

    assert (first.number, first.closing_minor, second.opening_minor) == ("7/1", 15_000, 15_000)
    paid = first.lines[0]
    assert (paid.end_to_end_id, paid.name, paid.iban) == ("E2E-1", "ADA ROTH", "FI2112345600000785")
    assert paid.text == "Invoice 9 of May"
    given_back, taken_back = second.lines
    assert (given_back.amount_minor, given_back.reversal, given_back.text) == (
        2_050,
        True,
        "Charge given back",
    )
    assert (taken_back.amount_minor, taken_back.text) == (-100, "plain words")


def test_mt940_in_a_swift_envelope_is_read():
    wrapped = "{1:F01BANKDEFFAXXX0000000000}{2:I940HOUSEDEFFXXXXN}{4:\n" + PAGED.split("\n-\n")[1] + "\n-}"

    assert formats.read(wrapped.encode()).statements[0].closing_minor == 16_950


SPOILED = (
    (":62F:C261102EUR169,50", ":62F:C261102USD169,50", "CURRENCY", "line 9"),
    (":60M:C261102EUR150,00", ":60M:C261102EUR150.00", "BALANCE", "line 12"),
    (":61:2611021102RC1,NTRF", ":61:2611311102RC1,NTRF", "DATE", "line 15"),
    (":61:2611021102RC1,NTRF", ":61:2611021102RC1,001NTRF", "AMOUNT", "line 15"),
    (":62F:C261102EUR169,50\n", "", "TRUNCATED", "line 9"),
    (":28C:7/2\n", "", "ORDER", "line 11"),
    (":25:DE89370400440532013000\n:28C:7/1", ":28C:7/1", "ORDER", "line 2"),
)


@pytest.mark.parametrize(("whole", "spoiled", "code", "place"), SPOILED)
def test_spoiled_mt940_is_refused_with_the_line(whole, spoiled, code, place):
    with pytest.raises(UnreadableBankFile) as refused:
        formats.read(PAGED.replace(whole, spoiled).encode())

    assert refused.value.reason_code == code
    assert refused.value.place.startswith(f"{place},")
