"""The pages of bank accounts, files, statements and CSV mappings: what finance sees and does."""

import uuid
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from ledger.admin_bank_files import NEXT_STEPS
from ledger.models.reconciliation import BankFile, BankLine, BankStatement, CsvMapping, HouseBankAccount
from ledger.operations.reconciliation import import_file
from ledger.reconciliation.write import CSV_COLUMNS, camt053, csv_file
from ledger.tests.banking import IBANS, bring_in, house_bank, line, statement
from ledger.tests.factories import NOW, bank

pytestmark = pytest.mark.django_db
IMPORT = "ledger_import_bank_file"


@pytest.fixture
def lead(finance):
    finance.groups.set(finance.groups.model.objects.filter(name="finance_lead"))
    return finance


@pytest.fixture
def client(lead, desk):
    return desk(lead)


@pytest.fixture
def read(client, django_assert_max_num_queries):
    def get(name, *args, query=""):
        with django_assert_max_num_queries(12):
            answer = client.get(reverse(f"admin:{name}", args=args) + query)
        assert answer.status_code == 200
        return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")

    return get


def upload(client, data, name="bank.xml", **fields):
    form = {"file": SimpleUploadedFile(name, data), **fields}
    return client.post(reverse(f"admin:{IMPORT}"), form, follow=True)


def press(client, action, file, **fields):
    """Open the form of an action and post it."""
    href = reverse("admin:do", args=[action, file.public_id])
    version = client.get(href).context["asked"].version
    form = {"form_id": str(uuid.uuid4()), "version": version, "next": "/admin/", **fields}
    return client.post(href, form, follow=True)


def test_an_uploaded_file_is_taken_and_its_statement_proves_itself(client, read):
    account = house_bank()

    answer = upload(client, camt053([statement(line(10_000, 1), line(-2_550, 2), opening=500)]))

    assert "was accepted: 2 lines" in answer.content.decode()
    file, found = BankFile.objects.get(), BankStatement.objects.get()
    assert ">Adds up<" in read("ledger_bankfile_change", file.public_id)
    shown = read("ledger_bankstatement_change", found.public_id)
    for text in ("5.00 <small>EUR", "100.00 <small>EUR", "25.50 <small>EUR", "79.50 <small>EUR", "Ada Roth"):
        assert text in shown
    assert "79.50 <small>EUR" in read("ledger_housebankaccount_changelist")
    assert "79.50 <small>EUR" in read("ledger_housebankaccount_change", account.public_id)
    assert "Invoice 1" in read("ledger_bankline_change", BankLine.objects.first().public_id)
    assert "Ada Roth" in read("ledger_bankline_changelist", query=f"?statement={found.public_id}")
    assert "bank.xml" in read("ledger_bankfile_changelist")
    assert "no. 1" in read("ledger_bankstatement_changelist")


def test_a_quarantined_file_says_what_to_do_and_can_be_tried_again(client, read):
    house_bank()
    bring_in(statement(line(100, 1), number=1))
    upload(client, camt053([statement(line(1, 3), opening=130, number=3)]), name="third.xml")
    third = BankFile.objects.get(name="third.xml")

    shown = read("ledger_bankfile_change", third.public_id)
    listed = read("ledger_bankfile_changelist", query="?view=look")
    bring_in(statement(line(30, 2), opening=100, number=2), name="second.xml")
    answer = press(client, "bank_file.retry", third)

    assert "Statement 2 is missing." in shown
    assert NEXT_STEPS["GAP"] in shown
    assert "third.xml" in listed
    assert "third.xml: accepted." in answer.content.decode()


def test_a_file_is_put_aside_with_a_reason(client):
    file = import_file(data=b"no bank file at all", name="x.txt", now=NOW)

    press(client, "bank_file.discard", file, reason="NO_BANK_FILE", note="A letter")

    file.refresh_from_db()
    assert file.state == "DISCARDED"
    assert AuditRecord.objects.get(action="bank_file.discard").reason_code == "NO_BANK_FILE"


def test_the_form_says_why_a_file_is_not_even_kept(client):
    house_bank()
    data = camt053([statement(line(100, 1))])
    upload(client, data)

    again, empty = upload(client, data), upload(client, b"")

    assert again.status_code == 400
    assert "The same file came on" in again.content.decode()
    assert "The file is empty." in empty.content.decode()


def test_a_large_file_is_left_to_a_worker(client, monkeypatch, read):
    monkeypatch.setattr("ledger.admin_bank_files.DIRECT_BYTES", 100)
    house_bank()

    answer = upload(client, camt053([statement(line(100, 1))]))

    assert "a worker reads it" in answer.content.decode()
    assert BankFile.objects.get().state == "STAGED"
    assert "Not read yet" in read("ledger_bankfile_change", BankFile.objects.get().public_id)


def test_the_original_is_handed_out_as_it_came_and_leaves_a_trace(client, auditor, desk):
    house_bank()
    data = camt053([statement(line(100, 1))])
    file = import_file(data=data, name="a.xml", now=NOW)
    href = reverse("admin:ledger_bankfile_original", args=[file.public_id])

    answer = client.get(href)

    assert answer.content == data
    assert answer["Content-Disposition"] == f'attachment; filename="{file.public_id}.txt"'
    assert AuditRecord.objects.filter(action="bank_file.download", object_id=file.public_id).exists()
    assert desk(auditor).get(href).status_code == 403


def test_a_bank_account_is_entered(client):
    ledger_account = bank("GBP")
    form = {"account": ledger_account.pk, "name": "Safeguarding", "bank_name": "First Bank", "iban": "GB00 1"}
    href = reverse("admin:ledger_new_bank_account")

    wrong = client.post(href, form)
    answer = client.post(href, {**form, "iban": IBANS["GBP"]}, follow=True)

    assert "This is no valid IBAN." in wrong.content.decode()
    assert answer.status_code == 200
    entered = HouseBankAccount.objects.get()
    assert (entered.account, entered.client_money, entered.currency) == (ledger_account, True, "GBP")


def test_a_mapping_is_tried_on_a_file_that_nobody_could_read(client, read):
    account = house_bank()
    written = statement(line(10_000, 1), line(-2_550, 2), opening=500)
    file = import_file(data=csv_file(written), name="export.csv", now=NOW)
    href = f"{reverse('admin:ledger_new_csv_mapping')}?file={file.public_id}"
    form = {
        **{f"column_{field}": head for field, head in CSV_COLUMNS.items()},
        "name": "First Bank CSV",
        "bank_account": account.pk,
        "encoding": "utf-8",
        "delimiter": ";",
        "skip_lines": "0",
        "date_format": "%Y-%m-%d",
        "decimal_comma": "1",
        "sign": "SIGNED",
        "newest_first": "0",
    }

    offered = read("ledger_bankfile_change", file.public_id)
    opened = client.get(href).content.decode()
    wrong = client.post(href, {**form, "date_format": "%d/%m/%Y", "do": "try"})
    tried = client.post(href, {**form, "do": "try"}).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    kept = CsvMapping.objects.count()
    client.post(href, {**form, "do": "save"})

    assert "Make a CSV mapping" in offered
    assert "Booking date;Value date" in opened
    assert "is not a date as %d/%m/%Y" in wrong.content.decode()
    assert "5.00 EUR + 2 lines = 79.50 EUR" in tried
    assert kept == 0
    file.refresh_from_db()
    assert file.state == "ACCEPTED"
    assert "First Bank CSV" in read("ledger_csvmapping_changelist")
    assert "Booking date" in read("ledger_csvmapping_change", CsvMapping.objects.get().public_id)
    later = replace(statement(line(5, 3), opening=7_950), number="2")
    assert import_file(data=csv_file(later), name="next.csv", now=NOW).state == "ACCEPTED"


def test_several_mappings_that_fit_ask_for_a_choice(client):
    first = house_bank("EUR")
    for name in ("One", "Two"):
        CsvMapping.objects.create(
            name=name,
            bank_account=first,
            columns=CSV_COLUMNS,
            encoding="utf-8",
            delimiter=";",
            date_format="%Y-%m-%d",
            decimal_comma=True,
            sign="SIGNED",
            saved_at=NOW,
        )
    data = csv_file(statement(line(10_000, 1)))

    undecided = import_file(data=data, name="a.csv", now=NOW)
    upload(client, data + b"\n", name="b.csv", mapping=str(CsvMapping.objects.get(name="Two").pk))

    assert undecided.findings[0]["code"] == "SEVERAL_MAPPINGS"
    assert BankFile.objects.get(name="b.csv").state == "ACCEPTED"


def test_who_may_only_look_brings_nothing_in(auditor, desk, officer):
    client = desk(auditor)

    assert client.get(reverse("admin:ledger_bankfile_changelist")).status_code == 200
    assert b"Bring in a file" not in client.get(reverse("admin:ledger_bankfile_changelist")).content
    assert client.get(reverse(f"admin:{IMPORT}")).status_code == 403
    assert desk(officer).get(reverse("admin:ledger_bankfile_changelist")).status_code == 403
