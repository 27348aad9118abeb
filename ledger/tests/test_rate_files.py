"""Files of rates: read whole or not at all, with the line named that is wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from ledger.models.currencies import FxRate
from ledger.operations.currencies import record_rate
from ledger.operations.rate_files import RateFileRefused, import_rates
from ledger.tests.factories import NOW

pytestmark = pytest.mark.django_db

HEAD = "base,quote,kind,source,rate,valid_at\n"
GOOD = "EUR,USD,MID,DESK,1.1,2026-11-02T09:30:00Z\n"
ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>
<Cube><Cube time='2026-10-30'>
<Cube currency='USD' rate='1.1012'/>
<Cube currency='JPY' rate='165.41'/>
</Cube></Cube></gesmes:Envelope>"""


def _faults(text: str | bytes) -> list[str]:
    with pytest.raises(RateFileRefused) as refused:
        import_rates(content=text.encode() if isinstance(text, str) else text, now=NOW)
    assert not FxRate.objects.filter(source="NEW").exists()
    return [str(fault) for fault in refused.value.faults]


def test_a_file_is_recorded_once():
    content = (HEAD + GOOD + "EUR,CLF,closing,DESK,0.0266,2026-11-01\n").encode()

    first, second = (import_rates(content=content, now=NOW) for _ in range(2))

    assert [(done.rates, done.recorded) for done in (first, second)] == [(2, 2), (2, 0)]
    row = FxRate.objects.get(quote="CLF")
    assert (row.kind, row.rate) == ("CLOSING", Decimal("0.0266"))
    assert row.valid_at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("EUR,USD,MID,NEW,abc,2026-11-01", "line 3: A rate is a number above zero"),
        ("EUR,USD,MID,NEW,0,2026-11-01", "line 3: A rate is a number above zero"),
        ("EUR,XXX,MID,NEW,1.1,2026-11-01", "line 3: XXX is not an ISO 4217 currency"),
        ("EUR,EUR,MID,NEW,1.1,2026-11-01", "line 3: A rate needs two different currencies"),
        ("EUR,USD,SPOT,NEW,1.1,2026-11-01", "line 3: The kind is one of"),
        ("EUR,USD,MID,,1.1,2026-11-01", "line 3: Say in at most 40 characters"),
        ("EUR,USD,MID,NEW,1.1,2027-01-01", "line 3: A rate cannot be valid from an instant"),
        ("EUR,USD,MID,NEW,1.1,2026-11-01T09:00", "line 3: '2026-11-01T09:00' lacks its zone"),
        ("EUR,USD,MID,NEW,1.1,yesterday", "line 3: 'yesterday' is no instant"),
        ("EUR,USD,MID,NEW,1.1", "line 3: The line has more or fewer columns"),
        ("EUR,USD,MID,NEW,1.1,2026-11-01,x", "line 3: The line has more or fewer columns"),
        ('EUR,USD,"MID"x,NEW,1.1,2026-11-01', "line 3: This is not CSV"),
        (
            "EUR,USD,MID,NEW,1.1,2026-11-01\nEUR,USD,MID,NEW,1.2,2026-11-01",
            "line 4: Line 3 gives another rate",
        ),
        ("EUR,USD,MID,DESK,1.2,2026-11-02T09:30:00Z", "line 3: Line 2 gives another rate"),
        ("EUR,USD,MID,KEPT,1.2,2026-11-02T09:30:00Z", "line 3: Another MID rate EUR/USD"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_recorded(lines, fault):
    record_rate(
        base="EUR", quote="USD", kind="MID", source="KEPT", rate=Decimal("1.1"), valid_at=NOW, now=NOW
    )

    [found] = _faults(HEAD + GOOD + lines)

    assert found.startswith(fault)
    assert FxRate.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "line 1: The header lacks base"),
        (HEAD, "The file holds no rates."),
        ("base,quote,kind,rate\n", "line 1: The header lacks source, valid_at."),
        (HEAD.encode() + GOOD.encode() + b"EUR,\xff", "line 3: The file is not UTF-8."),
        ("<a><b></a>", "line 1: This is not XML"),
        ("<a/>", "The file holds no rates."),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "line 1: A document type"),
        (ECB.replace("165.41", "?"), "line 6: A rate is a number above zero"),
        (ECB.replace("JPY", "XXX"), "line 6: XXX is not an ISO 4217 currency"),
        (b"x" * 5_000_001, "The file is larger than"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, fault):
    assert _faults(content)[0].startswith(fault)


def test_the_central_banks_rates_are_recorded_as_mid_and_closing():
    done = import_rates(content=ECB.encode(), now=NOW)

    assert (done.rates, done.recorded) == (4, 4)
    rows = FxRate.objects.filter(quote="USD").order_by("kind")
    assert [(row.kind, row.rate, row.source) for row in rows] == [
        ("CLOSING", Decimal("1.1012"), "ECB"),
        ("MID", Decimal("1.1012"), "ECB"),
    ]
    assert rows[0].valid_at == datetime(2026, 10, 30, 15, tzinfo=UTC)  # 16:00 in winter


def test_the_command_says_how_many_and_which_lines_are_wrong(tmp_path, capsys):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(HEAD + GOOD)
    bad.write_text(HEAD + "EUR,USD,MID,NEW,-1,2026-11-01\nEUR,EUR,MID,NEW,1,2026-11-01\n")

    call_command("import_rates", str(good))
    with pytest.raises(CommandError) as faults:
        call_command("import_rates", str(bad))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_rates", str(tmp_path / "none.csv"))

    assert "1 rates read, 1 of them new." in capsys.readouterr().out
    assert "bad.csv: line 2: " in str(faults.value)
    assert FxRate.objects.get().actor == "SYSTEM:command:import_rates"
