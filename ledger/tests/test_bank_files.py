"""Bringing in bank files: staged, proven, accepted; refused and quarantined with place and reason."""

import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlet.audit.models import AuditRecord
from flowlet.events.models import Event
from ledger.admin_bank_files import NEXT_STEPS
from ledger.closing import CLOSING_STEPS
from ledger.errors_bank import BankFileFinal, BankFileKnown, BankFileTooLarge, EmptyBankFile
from ledger.models.reconciliation import (
    FILE_SIZE_MAX,
    BankAnnouncement,
    BankFile,
    BankFileOriginal,
    BankLine,
    BankStatement,
)
from ledger.operations import bank_lines
from ledger.operations.reconciliation import accept_file, discard_file, import_file, stage_file
from ledger.queries.reconciliation import TO_LOOK_AT, bank_balance, read_original
from ledger.reconciliation.generate import Item, Rates, daily_statements, play_bank
from ledger.reconciliation.write import camt053
from ledger.tasks_bank import accept_bank_files
from ledger.tests.banking import IBANS, bring_in, house_bank, line, statement
from ledger.tests.factories import NOW, TODAY

pytestmark = pytest.mark.django_db


def codes(file: BankFile) -> list[str]:
    return [finding["code"] for finding in file.findings]


def test_a_file_that_adds_up_is_accepted_with_every_line():
    house_bank()

    file = bring_in(statement(line(10_000, 1), line(-2_550, 2), opening=500))

    assert file.state == "ACCEPTED"
    assert file.findings == []
    found = BankStatement.objects.get()
    assert (found.opening_minor, found.closing_minor, found.line_count) == (500, 7_950, 2)
    assert found.accepted_at == NOW
    first = BankLine.objects.order_by("position").first()
    assert (first.amount_minor, first.end_to_end_id, first.bank_reference) == (10_000, "E2E-1", "REF00001")
    assert (first.counterparty_name, first.counterparty_iban, first.text) == (
        "Ada Roth",
        "FI2112345600000785",
        "Invoice 1",
    )
    assert first.place.endswith("Stmt[1]/Ntry[1]")
    event = Event.objects.get(type="ledger.bank_statement_accepted")
    assert event.object_id == found.public_id
    assert AuditRecord.objects.filter(action="bank_file.accept", object_id=file.public_id).exists()


def test_names_and_words_of_a_line_are_encrypted_at_rest():
    house_bank()
    bring_in(statement(line(100, 1)))

    with connection.cursor() as cursor:
        cursor.execute("SELECT counterparty_name, counterparty_iban, text FROM ledger_bankline")
        stored = b"".join(bytes(value) for value in cursor.fetchone())
        cursor.execute("SELECT sealed FROM ledger_bankfileoriginal")
        original = bytes(cursor.fetchone()[0])

    assert b"Ada" not in stored
    assert b"Invoice" not in stored
    assert b"<Ntry>" not in original
    assert b"<Ntry>" in read_original(BankFile.objects.get())


def test_the_same_bytes_come_in_once_and_the_refusal_names_the_first():
    house_bank()
    file = bring_in(statement(line(100, 1)), name="monday.xml")

    with pytest.raises(BankFileKnown) as refused:
        bring_in(statement(line(100, 1)), name="again.xml")

    assert refused.value.fields["file"] == file.public_id
    assert refused.value.fields["name"] == "monday.xml"
    assert BankLine.objects.count() == 1


def test_the_same_statement_in_another_file_is_quarantined():
    house_bank()
    bring_in(statement(line(100, 1)))

    again = import_file(data=camt053([statement(line(100, 1))], message_id="MSG-2"), name="b.xml", now=NOW)

    assert (again.state, codes(again)) == ("QUARANTINED", ["STATEMENT_KNOWN"])
    assert BankLine.objects.count() == 1


def test_overlapping_days_take_each_line_once():
    house_bank()
    bring_in(statement(line(100, 1), line(200, 2), opening=50))

    later = bring_in(statement(line(200, 2), line(-70, 3), opening=150, number=2))

    assert later.state == "ACCEPTED"
    assert sorted(BankLine.objects.values_list("amount_minor", flat=True)) == [-70, 100, 200]
    assert BankStatement.objects.order_by("-sequence").first().opening_minor == 350


def test_a_line_that_the_bank_wrote_twice_is_taken_once():
    house_bank()
    twice = statement(line(100, 1), line(100, 1), line(5, 2))

    file = bring_in(replace(twice, closing_minor=105))

    assert file.state == "ACCEPTED"
    assert BankLine.objects.count() == 2


def test_equal_lines_without_a_reference_are_two_payments():
    house_bank()
    plain = {"bank_reference": "", "end_to_end_id": ""}

    file = bring_in(statement(line(100, 1, **plain), line(100, 1, **plain)))

    assert file.state == "ACCEPTED"
    assert len(set(BankLine.objects.values_list("key", flat=True))) == 2


def test_lines_that_do_not_lead_to_the_closing_balance_are_quarantined_with_the_difference():
    house_bank()

    file = bring_in(replace(statement(line(10_000, 1)), closing_minor=10_100))

    assert (file.state, codes(file)) == ("QUARANTINED", ["NOT_ADDING_UP"])
    assert "1.00\N{NO-BREAK SPACE}EUR" in file.findings[0]["text"]
    assert file.findings[0]["place"].startswith("line ")
    assert not BankStatement.objects.exists()
    assert file.summary[0]["closing"] == 10_100


def test_a_gap_names_the_missing_statement_and_the_difference():
    house_bank()
    bring_in(statement(line(100, 1), number=7))

    file = bring_in(statement(line(100, 3), opening=300, number=9))

    assert (file.state, codes(file)) == ("QUARANTINED", ["GAP"])
    assert "Statement 8 is missing." in file.findings[0]["text"]
    assert "2.00\N{NO-BREAK SPACE}EUR" in file.findings[0]["text"]


def test_a_quarantined_file_is_accepted_once_what_was_missing_came():
    house_bank()
    bring_in(statement(line(100, 1), number=7))
    file = bring_in(statement(line(100, 3), opening=300, number=9))
    bring_in(statement(line(200, 2), opening=100, number=8))

    again = accept_file(file_id=file.pk, now=NOW)

    assert (again.state, again.findings) == ("ACCEPTED", [])
    assert BankStatement.objects.order_by("-sequence").first().number == "9"


def test_an_account_that_is_not_ours_quarantines_the_whole_file():
    house_bank("EUR")
    foreign = statement(line(100, 2, currency="GBP"))

    file = bring_in(statement(line(100, 1)), foreign)

    assert (file.state, codes(file)) == ("QUARANTINED", ["UNKNOWN_ACCOUNT"])
    assert IBANS["GBP"] not in str(file.findings)
    assert not BankLine.objects.exists()


def test_several_accounts_in_one_file_are_routed():
    house_bank("EUR")
    house_bank("GBP")

    file = bring_in(statement(line(100, 1)), statement(line(250, 1, currency="GBP")))

    assert file.state == "ACCEPTED"
    assert {(row.currency, row.amount_minor) for row in BankLine.objects.all()} == {
        ("EUR", 100),
        ("GBP", 250),
    }


def test_a_statement_without_entries_is_valid():
    account = house_bank()
    quiet = replace(statement(line(100, 1), opening=900), lines=(), closing_minor=900)

    file = bring_in(quiet)

    assert file.state == "ACCEPTED"
    assert bank_balance(account.pk, TODAY).minor == 900


@pytest.mark.parametrize(
    ("message", "root", "element"),
    [
        ("camt.052", "BkToCstmrAcctRpt", "Rpt"),
        ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    ],
)
def test_what_is_announced_during_the_day_is_kept_and_never_booked(message, root, element):
    account = house_bank()
    body = camt053([statement(line(100, 1))]).decode()
    told = body.replace("camt.053", message).replace("BkToCstmrStmt", root).replace("Stmt>", f"{element}>")
    if message == "camt.054":  # a notification has no balances
        told = re.sub("<Bal>.*?</Bal>", "", told)

    announced = import_file(data=told.encode(), name="intraday.xml", now=NOW)

    assert (announced.state, announced.format) == ("ACCEPTED", f"{message}.001.08")
    assert [(one.amount_minor, one.end_to_end_id) for one in BankAnnouncement.objects.all()] == [
        (100, "E2E-1")
    ]
    assert not BankLine.objects.exists()
    assert bank_balance(account.pk, TODAY) is None

    booked = bring_in(statement(line(100, 1)))

    assert BankAnnouncement.objects.count() == 1
    assert booked.state == "ACCEPTED"
    assert BankLine.objects.count() == 1


def test_a_pending_entry_of_a_statement_is_announced_only():
    house_bank()
    pending = replace(statement(line(100, 1), line(40, 2, pending=True)), closing_minor=100)

    file = bring_in(pending)

    assert file.state == "ACCEPTED"
    assert BankLine.objects.count() == 1
    assert BankAnnouncement.objects.get().pending


def test_the_bank_s_own_control_sum_is_checked():
    house_bank()
    data = camt053([statement(line(100, 1))]).replace(b"<Sum>1.00</Sum>", b"<Sum>1.01</Sum>")

    file = import_file(data=data, name="sum.xml", now=NOW)

    assert (file.state, codes(file)) == ("REFUSED", ["CONTROL_SUM"])
    assert "TxsSummry/TtlNtries/Sum" in file.findings[0]["place"]


def test_a_refused_file_can_be_tried_again_and_put_aside_for_good():
    house_bank()
    file = import_file(data=b"hello, bank", name="letter.txt", now=NOW)

    again = accept_file(file_id=file.pk, now=NOW)
    discard_file(file_id=file.pk, reason_code="NO_BANK_FILE", now=NOW)

    assert (file.state, codes(file)) == ("REFUSED", ["UNKNOWN_FORMAT"])
    assert again.state == "REFUSED"
    with pytest.raises(BankFileFinal):
        accept_file(file_id=file.pk, now=NOW)
    with pytest.raises(BankFileFinal):
        discard_file(file_id=file.pk, reason_code="NO_BANK_FILE", now=NOW)


@pytest.mark.parametrize("data", [b"", b" \r\n", b"\0\0"])
def test_an_empty_file_is_refused(data):
    with pytest.raises(EmptyBankFile):
        import_file(data=data, name="empty.xml", now=NOW)

    assert not BankFile.objects.exists()


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(BankFileTooLarge):
        stage_file(data=b"1" * (FILE_SIZE_MAX + 1), name="large.xml", now=NOW)


def test_reading_goes_on_where_it_was_interrupted(monkeypatch):
    house_bank()
    monkeypatch.setattr(bank_lines, "_AT_ONCE", 2)
    file = stage_file(data=camt053([statement(*(line(10, n) for n in range(5)))]), name="a.xml", now=NOW)
    whole = BankLine.objects.bulk_create
    calls = []

    def breaks(rows, **options):
        calls.append(len(rows))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(rows, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(
            type(BankLine.objects), "bulk_create", lambda _self, rows, **options: breaks(rows, **options)
        )
        accept_file(file_id=file.pk, now=NOW)
    file.refresh_from_db()
    half = (file.state, file.lines_done, BankStatement.objects.get().accepted_at, Event.objects.count())
    done = accept_bank_files()

    file.refresh_from_db()
    assert half == ("ACCEPTING", 2, None, 0)
    assert done == 1
    assert (file.state, file.lines_done) == ("ACCEPTED", 5)
    assert BankLine.objects.count() == 5


def test_a_file_that_fails_unexpectedly_stays_with_its_reason_and_stops_no_other(caplog):
    house_bank()
    waits, begun = (
        BankFile.objects.create(
            name=f"{state}.xml",
            sha256=state.ljust(64, "0"),
            size=3,
            state=state,
            received_by="test",
            received_at=NOW,
            changed_at=NOW,
        )
        for state in ("STAGED", "ACCEPTING")
    )
    for file in (waits, begun):  # bytes that no key of ours opens
        BankFileOriginal.objects.create(file=file, sealed=b"not sealed by us")
    good = stage_file(data=camt053([statement(line(10, 1))]), name="good.xml", now=NOW)

    looked_at = (accept_bank_files(), accept_bank_files())

    for file in (waits, begun, good):
        file.refresh_from_db()
    assert looked_at == (3, 1)  # what was begun is gone on with at each run
    assert (good.state, good.findings) == ("ACCEPTED", [])
    assert (waits.state, codes(waits)) == ("QUARANTINED", ["UNEXPECTED_ERROR"])
    assert (begun.state, codes(begun)) == ("ACCEPTING", ["UNEXPECTED_ERROR_MIDWAY"])
    assert set(BankFile.objects.filter(TO_LOOK_AT)) == {waits, begun}
    assert set(NEXT_STEPS) >= {*codes(waits), *codes(begun)}
    logged = [record.msg for record in caplog.records if record.name == "ledger.bank_files"]
    assert [(one["event"], one["exception"][0]["exc_type"]) for one in logged] == [
        ("bank_file_failed", "InvariantBroken")
    ] * 3
    told = AuditRecord.objects.filter(object_id=begun.public_id, action="bank_file.accepting")
    assert told.count() == 1


def test_a_period_cannot_close_without_the_banks_balances():
    account = house_bank()
    step = CLOSING_STEPS.get("bank_proofs")

    nothing = step.check(TODAY, TODAY, NOW)
    bring_in(statement(line(100, 1)))

    assert nothing == [f"{account}: no bank statement was accepted yet."]
    assert list(step.check(TODAY, TODAY, NOW)) == []
    assert list(step.check(TODAY, TODAY + timedelta(days=1), NOW)) == [
        f"{account}: bank statements end on 2 Nov 2026."
    ]


def test_the_command_tells_lines_and_exit_codes(tmp_path):
    house_bank()
    good, wrong = tmp_path / "good.xml", tmp_path / "wrong.xml"
    good.write_bytes(camt053([statement(line(100, 1), line(-30, 2))]))
    wrong.write_bytes(camt053([replace(statement(line(5, 9), opening=70, number=2), closing_minor=80)]))
    out = StringIO()

    call_command("import_bank_file", str(good), stdout=out)
    with pytest.raises(CommandError) as quarantined:
        call_command("import_bank_file", str(wrong))
    with pytest.raises(CommandError) as again:
        call_command("import_bank_file", str(good))

    assert "0.00\N{NO-BREAK SPACE}EUR + 2 lines = 0.70\N{NO-BREAK SPACE}EUR" in out.getvalue()
    assert quarantined.value.returncode == 2
    assert "wrong.xml: line 4, Stmt[1]: Opening balance and 1 lines make" in str(quarantined.value)
    assert again.value.returncode == 1
    assert "The same file came on" in str(again.value)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=40))
def test_what_a_careless_bank_writes_is_stored_line_by_line(db, seed, amounts):
    items = [
        Item(
            posting_id=number,
            end_to_end_id=f"dep_{number}",
            amount_minor=amount,
            currency="EUR",
            on=TODAY + timedelta(days=number // 9),
            name=f"Payer {number}",
        )
        for number, amount in enumerate(amounts)
    ]
    rates = Rates(drop=0.1, duplicate=0.1, merge=0.3, split=0.1, fee=0.1, net=0.1, shift=0.3, nameless=0.2)
    lines, truth = play_bank(items, seed=seed, rates=rates)
    with transaction.atomic():
        account = house_bank()
        days = daily_statements(lines, account=account.iban, currency="EUR", opening_minor=777)
        assert not days or bring_in(*days).state == "ACCEPTED"

        stored = BankLine.objects.order_by("statement__sequence", "position")
        assert [
            (row.bank_reference, row.amount_minor, row.end_to_end_id, row.batch_id, len(row.details))
            for row in stored
        ] == [
            (line.bank_reference, line.amount_minor, line.end_to_end_id, line.batch_id, len(line.details))
            for line in lines
        ]
        assert {row.bank_reference for row in stored} == set(truth.matches)
        settled = {posting for group in truth.matches.values() for posting in group}
        assert settled | truth.dropped == set(range(len(amounts)))
        transaction.set_rollback(True)
