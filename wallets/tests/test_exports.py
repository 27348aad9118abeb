"""Exports: made in the background piece by piece, resumed after a death, fetched by their partner only, gone after a week."""

import io
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.core.errors import NotFound
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from ledger.errors import ExportGone, ExportNotReady, StatementUnsound, TooManyExports, UnknownFormat
from ledger.models.statements import ExportFile, ExportJob, ExportPart
from ledger.operations import exports
from ledger.operations.exports import expire_exports, fetch_export, request_export, run_export
from ledger.operations.sealing import seal
from ledger.operations.statements import issue_statement
from ledger.queries.unproven import list_unproven
from ledger.statements.facts import BadSpan, StatementNotProven
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.tests.statement_readers import camt_balances, read_csv
from wallets.operations.bank import withdraw
from wallets.operations.statements import export_statement
from wallets.tests.factories import NOW, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db
FIRST, LAST = NOW.date().replace(day=1), NOW.date().replace(day=28)


@pytest.fixture
def wallets(partner, customer):
    euros, yen = make_wallet(customer, balance=10_000), make_wallet(customer, "JPY", balance=700)
    withdraw(
        wallet_id=euros.pk,
        bank_account_id=make_bank_account(customer).pk,
        amount=Money(1_250, "EUR"),
        idempotency_key=None,
        now=NOW,
    )
    return euros, yen


def ask(subject, kind, **more):
    values = {"format": "csv", "first": FIRST, "latest": LAST, "now": NOW}
    return request_export(subject_kind=kind, subject=subject.public_id, **{**values, **more})


def run():
    return run_export(clock=lambda: NOW)


def fetched(job, now=NOW):
    found = fetch_export(job_id=job.pk, now=now)
    return found.name, b"".join(found.pieces)


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_export_of_a_wallet_is_the_file_itself(wallets):
    job = ask(wallets[0], "WALLET")

    assert run() == job.public_id

    name, data = fetched(job)
    assert name == f"statement-{wallets[0].public_id}-{FIRST}-{LAST}.csv"
    assert read_csv(data, "EUR").amounts == [10_000, -1_250]
    job.refresh_from_db()
    assert (job.state, job.entries_done, job.entries_total, job.files_done) == ("DONE", 2, 2, 1)
    assert job.size == len(data)
    assert run() == ""
    trail = list(
        AuditRecord.objects.filter(object_type="export").order_by("pk").values_list("action", flat=True)
    )
    assert trail == ["statement.export_request", "statement.export", "statement.export_fetch"]


def test_the_wallets_of_a_customer_share_one_camt_file(wallets, customer):
    job = ask(customer, "CUSTOMER", format="camt053", version="02")

    run()

    name, data = fetched(job)
    assert name.endswith(".xml")
    assert data.count(b"<Stmt>") == 2
    first, second = data.split(b"\n<Stmt>")[1:]
    assert (b">87.50<" in first, b">700<" in second) == (True, True)


def test_other_formats_come_as_a_zip_with_the_same_bytes_each_time(wallets, customer, partner):
    make_wallet(make_customer(partner, "Ola Nilsen"), balance=5)
    of_customer, of_partner = ask(customer, "CUSTOMER"), ask(partner, "PARTNER", format="camt053")

    assert [run(), run()] == [of_customer.public_id, of_partner.public_id]

    once, again = fetched(of_customer), fetched(of_customer)
    assert once == again
    files = unzipped(once[1])
    assert [name.split("-")[1] for name in files] == [wallet.public_id for wallet in wallets]
    assert [
        read_csv(data, currency).closing
        for data, currency in zip(files.values(), ("EUR", "JPY"), strict=True)
    ] == [
        8_750,
        700,
    ]
    assert len(unzipped(fetched(of_partner)[1])) == 3


def test_a_worker_that_died_is_followed_by_another(wallets, customer, monkeypatch):
    job, later = ask(customer, "CUSTOMER"), NOW + timedelta(hours=1)
    known = STATEMENT_FORMATS.get("csv")
    write, calls = type(known).write, []

    def die_at_the_second(self, wanted, out, version=""):
        calls.append(1)
        if len(calls) == 2:
            out.write(b"half a file")
            out.finish()
            raise MemoryError
        write(self, wanted, out, version)

    monkeypatch.setattr(type(known), "write", die_at_the_second)
    with pytest.raises(MemoryError):
        run()
    assert run() == ""  # the claim still stands
    with pytest.raises(ExportNotReady):
        fetch_export(job_id=job.pk, now=NOW)

    assert run_export(clock=lambda: later) == job.public_id

    assert len(calls) == 3  # what was finished stayed
    files = unzipped(fetched(job)[1])
    assert all(b"half a file" not in data for data in files.values())
    job.refresh_from_db()
    assert (job.state, job.entries_done, job.files_done, job.attempts) == ("DONE", 3, 2, 2)


def test_an_export_that_kills_every_worker_fails(wallets, monkeypatch):
    job = ask(wallets[0], "WALLET")
    ExportJob.objects.filter(pk=job.pk).update(attempts=exports.ATTEMPTS_MAX)

    assert run() == ""

    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("FAILED", "export_failed")


def test_what_does_not_prove_itself_is_not_exported(wallets, monkeypatch):
    job = ask(wallets[0], "WALLET")

    def unsound(*_args, **_more):
        raise StatementNotProven("the books are wrong")

    monkeypatch.setattr(exports, "build_statement", unsound)
    run()

    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("FAILED", "statement_not_proven")
    assert not ExportPart.objects.exists()
    with pytest.raises(ExportNotReady):
        fetch_export(job_id=job.pk, now=NOW)


def test_a_statement_that_does_not_add_up_is_work_until_the_same_is_made(wallets, finance):
    wallet, wanted = wallets[0], {"first": FIRST, "last": LAST, "format": "csv", "now": NOW}
    doctor = "SET session_replication_role = replica; UPDATE ledger_posting SET amount = amount %s 1 WHERE account_id = %s;"
    doctor += "SET session_replication_role = DEFAULT"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(doctor % ("-", wallet.account_id))

    with pytest.raises(StatementUnsound):
        export_statement(wallet=wallet, **wanted)
    failed = ask(wallet, "WALLET")
    run()
    waiting = [job.public_id for job in list_unproven()]
    with connection.cursor() as cursor:
        cursor.execute(doctor % ("+", wallet.account_id))
    client, address = log_in(finance), reverse("admin:do", args=["export.again", failed.public_id])
    asked = client.get(address).context["asked"]
    done = client.post(address, {"form_id": asked.form_id, "version": asked.version})

    # What stands for it is its latest failure.
    assert (ExportJob.objects.filter(state="FAILED").count(), waiting) == (2, [failed.public_id])
    assert done.status_code == 303
    assert list_unproven().exists()
    assert run()
    assert not list_unproven().exists()


def test_bad_wishes_are_refused(wallets, customer, partner, other_partner):
    for more, refusal in (
        ({"format": "docx"}, UnknownFormat),
        ({"format": "csv", "version": "08"}, UnknownFormat),
        ({"first": LAST, "latest": FIRST}, BadSpan),
        ({"partner_id": other_partner.pk}, NotFound),
    ):
        with pytest.raises(refusal):
            ask(customer, "CUSTOMER", **more)
    with pytest.raises(NotFound):
        ask(other_partner, "PARTNER", partner_id=partner.pk)
    for _ in range(exports.WAITING_MAX):
        ask(customer, "CUSTOMER", partner_id=partner.pk)
    with pytest.raises(TooManyExports):
        ask(customer, "CUSTOMER", partner_id=partner.pk)


def test_a_customer_without_wallets_has_nothing_to_export(customer):
    job = ask(customer, "CUSTOMER")

    run()

    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("FAILED", "nothing_to_export")


def test_exports_go_after_a_week_and_are_final(wallets):
    job = ask(wallets[0], "WALLET")
    run()
    over = NOW + exports.KEPT

    assert expire_exports(now=over - timedelta(seconds=1)) == 0
    assert expire_exports(now=over) == 1

    assert not ExportPart.objects.exists()
    with pytest.raises(ExportGone):
        fetch_export(job_id=job.pk, now=NOW)
    for rows in (ExportJob.objects.filter(pk=job.pk), ExportFile.objects.filter(job=job)):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(size=0)


# --- API ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


SPAN = {"first": str(FIRST), "last": str(LAST), "format": "camt053"}


def test_a_partner_asks_waits_and_fetches(api, wallets, customer, partner):
    body = {**SPAN, "subject_kind": "customer", "subject": customer.public_id}

    asked = api.post("exports", body, key="e")
    waiting = api.get(f"exports/{asked.json()['id']}").json()
    run_export(clock=clock.now)
    ready = api.get(f"exports/{asked.json()['id']}").json()
    answer = api.http.get(f"/api/{ready['download']['url'].partition('/api/')[2]}")

    assert (asked.status_code, waiting["status"], waiting["download"]) == (202, "queued", None)
    assert (ready["status"], ready["progress"]["entries"], ready["progress"]["files_done"]) == ("done", 3, 1)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
    assert b"".join(answer.streaming_content).count(b"<Stmt>") == 2
    assert answer["Cache-Control"] == "no-store"
    assert [row["id"] for row in api.get("exports").json()["data"]] == [ready["id"]]
    assert Event.objects.get(type="export.finished").partner == partner


def test_a_link_is_short_lived_and_opens_nothing_else(api, wallets, customer, other_partner):
    mine = api.post(
        "exports", {**SPAN, "subject_kind": "customer", "subject": customer.public_id}, key="e"
    ).json()["id"]
    other = api.post(
        "exports", {**SPAN, "subject_kind": "wallet", "subject": wallets[0].public_id}, key="f"
    ).json()["id"]
    for _ in range(2):
        run_export(clock=clock.now)
    path = api.get(f"exports/{mine}").json()["download"]["url"].partition("/api/")[2]

    assert api.http.get(f"/api/{path}").status_code == 200
    assert api.http.get(f"/api/{path}x").status_code == 404
    assert api.http.get(f"/api/{path.replace(mine, other)}").status_code == 404
    assert Api(make_client(other_partner)).get(f"exports/{mine}").status_code == 404
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert api.http.get(f"/api/{path}").status_code == 410


def test_a_wallets_statement_is_made_at_once(api, wallets, other_partner):
    path = f"wallets/{wallets[0].public_id}/statements"

    answer = api.post(path, SPAN)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
    assert camt_balances(answer.content, "EUR")["CLBD"] == 8_750
    for body, status in (
        ({**SPAN, "last": "2026-10-01"}, 400),
        ({**SPAN, "first": "9999-12-31"}, 400),
        ({**SPAN, "format": "docx"}, 400),
        ({**SPAN, "version": "99"}, 400),
    ):
        assert api.post(path, body).status_code == status
    assert Api(make_client(other_partner)).post(path, SPAN).status_code == 404


@pytest.fixture
def sealed(wallets):
    seal()


def test_official_statements_are_listed_and_fetched_by_their_partner(api, wallets, other_partner, sealed):
    statement = issue_statement(
        account_id=wallets[0].account_id, latest_date=LAST, now=NOW + timedelta(days=60), through_seq=2
    )
    path = f"statements/{statement.public_id}"

    listed = api.get(f"wallets/{wallets[0].public_id}/statements").json()["data"]

    assert listed == [api.get(path).json()]
    assert (listed[0]["number"], listed[0]["closing"], listed[0]["entries"]) == (1, 8_750, 2)
    once, again = api.get(f"{path}/file?format=ofx"), api.get(f"{path}/file?format=ofx")
    assert once.content == again.content
    assert once["Content-Digest"].startswith("sha-256=:")
    assert api.get(f"{path}/file?format=gif").status_code == 400
    stranger = Api(make_client(other_partner))
    assert {stranger.get(one).status_code for one in (path, f"{path}/file")} == {404}


# --- admin ---------------------------------------------------------------------------------------------------------------


def test_finance_exports_a_customer_in_four_clicks(finance, wallets, customer, django_assert_max_num_queries):
    desk = log_in(finance)
    href = f"{reverse('admin:statements')}?customer={customer.public_id}"
    assert (
        href
        in desk.get(reverse("admin:identity_customer_change", args=[customer.public_id])).content.decode()
    )

    asked = desk.post(href, {"month": f"{FIRST:%Y-%m}", "format": "csv"})
    run_export(clock=clock.now)

    with django_assert_max_num_queries(12):
        shown = desk.get(asked["Location"]).content.decode()
    assert "3 of 3" in shown
    job = ExportJob.objects.get()
    file = desk.get(reverse("admin:ledger_export_file", args=[job.public_id]))
    assert len(unzipped(b"".join(file.streaming_content))) == 2
    with django_assert_max_num_queries(12):
        assert "100 %" in desk.get(reverse("admin:ledger_exportjob_changelist")).content.decode()


def test_finance_takes_an_official_statement_away(
    finance, wallets, ops, sealed, django_assert_max_num_queries
):
    statement = issue_statement(
        account_id=wallets[0].account_id, latest_date=LAST, now=NOW + timedelta(days=60), through_seq=2
    )
    desk = log_in(finance)
    with django_assert_max_num_queries(12):
        assert statement.public_id in desk.get(reverse("admin:ledger_statement_changelist")).content.decode()
    with django_assert_max_num_queries(12):
        shown = desk.get(
            reverse("admin:ledger_statement_change", args=[statement.public_id])
        ).content.decode()
    assert "camt.053 13" in shown
    href = reverse("admin:ledger_statement_file", args=[statement.public_id])

    file = desk.post(href, {"format": "camt053:13"})

    assert file.status_code == 200
    assert camt_balances(file.content, "EUR")["CLBD"] == 8_750
    assert desk.post(href, {"format": "nothing"}).status_code == 400
    assert log_in(ops).post(href, {"format": "csv"}).status_code == 403
