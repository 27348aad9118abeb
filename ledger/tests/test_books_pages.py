"""The pages of the books: the tree, trial balances, periods, journals and files, each within twelve queries."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from flowlet.backoffice.models import Approval
from flowlet.identity.models import User
from ledger.closing import CLOSING_STEPS
from ledger.models.journals import JournalDraft
from ledger.models.periods import Period
from ledger.operations.accounts import house_account
from ledger.operations.periods import begin_close
from ledger.operations.posting import post
from ledger.tests.booking import agree, closed_month, month
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER = date(2026, 9, 3), date(2026, 10, 15)


@pytest.fixture
def client(finance: User, desk: Callable[[User], Client]) -> Client:
    return desk(finance)


@pytest.fixture
def read(client: Client, django_assert_max_num_queries: Callable) -> Callable[..., str]:
    def get(name: str, *args: str, query: str = "", status: int = 200, queries: int = 12) -> str:
        with django_assert_max_num_queries(queries):
            answer = client.get(reverse(f"admin:{name}", args=args) + query)
        assert answer.status_code == status
        return str(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")

    return get


def two_months() -> None:
    wallet, fees = wallet_account(), house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)
    post(draft=draft((bank(), 70_000), (wallet, -70_000), effective_date=SEPTEMBER), now=NOW)
    post(draft=draft((wallet, 1_050), (fees, -1_050), effective_date=OCTOBER), now=NOW)


def content(answer) -> str:
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode("utf-8-sig")


def asking(client: Client, name: str, *args: str, **data: str) -> object:
    """Press a button: the form is read first for what it is bound to."""
    address = reverse("admin:do", args=[name, *args])
    page = client.get(address).content.decode()
    hidden = {key: page.split(f'name="{key}" value="')[1].split('"')[0] for key in ("form_id", "version")}
    return client.post(address, {**hidden, **data})


def test_the_chart_adds_up_what_lies_under_each_place(read: Callable[..., str]) -> None:
    two_months()

    shown = read("ledger_chart")

    assert "1 Assets" in shown
    assert '<div class="depth-1">' in shown
    assert '<b><span class="money">700.00 <small>EUR' in shown
    assert "?heading=2000" in shown
    assert "5300" not in shown
    assert "5300" in read("ledger_chart", query="?all=1")
    assert wallet_account("JPY").public_id not in read("ledger_account_changelist", query="?heading=4000")


def test_a_trial_balance_as_of_a_day_uses_the_closings_before_it(read: Callable[..., str]) -> None:
    two_months()
    closed_month(2026, 9)

    shown = read("ledger_trial_balance", query="?as_of=2026-09-30")
    later = read("ledger_trial_balance", query="?as_of=2026-10-31&base=1")

    assert "Even" in shown
    assert "10.50" not in shown
    assert shown.count("700.00 <small>EUR") == 4
    assert "689.50" in later
    assert "All currencies in EUR" in later


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("?as_of=yesterday", "Give a date"),
        ("?known=2200-01-01", "must be over"),
        ("?booked=2026-10-01T10:00&as_of=2026-10-01", "not both"),
    ],
)
def test_a_question_that_makes_no_sense_is_told(read: Callable[..., str], query: str, fault: str) -> None:
    assert fault in read("ledger_trial_balance", query=query, status=400)


def test_without_a_rate_there_is_no_sum_in_base_currency(read: Callable[..., str]) -> None:
    fund(wallet_account("USD"), 500)

    assert "USD" in read("ledger_trial_balance", query="?base=1&as_of=2026-11-02", status=422)


def test_trial_balances_leave_as_files(client: Client) -> None:
    two_months()
    address = reverse("admin:ledger_trial_balance") + "?as_of=2026-10-31"

    lines = content(client.post(address, {"do": "csv"})).splitlines()

    assert lines[0] == "Currency,Number,Heading,Kind,Debit,Credit"
    assert "EUR,2000,Customer wallets,Liability,,689.50" in lines
    assert content_type(client.post(address, {"do": "xlsx"})).startswith("application/vnd.openxml")
    assert content_type(client.post(address, {"do": "pdf"})) == "application/pdf"
    assert client.post(address, {"do": "exe"}).status_code == 403


def content_type(answer) -> str:
    list(answer.streaming_content)
    return str(answer["Content-Type"])


def test_the_ledger_of_a_place_opens_runs_and_closes(client: Client) -> None:
    two_months()
    asked = {"what": "ledger", "heading": "2000", "first": "2026-10-01", "last": "2026-10-31", "do": "csv"}

    lines = content(client.post(reverse("admin:ledger_books"), asked)).splitlines()

    assert [line.split(",")[3] for line in lines[1:]] == ["Opening", "TEST", "Closing"]
    assert [line.split(",")[-2] for line in lines[1:]] == ["700.00", "689.50", "689.50"]
    journal = content(client.post(reverse("admin:ledger_books"), {**asked, "what": "journal"})).splitlines()
    assert len(journal) == 3
    assert client.post(reverse("admin:ledger_books"), {**asked, "heading": "?"}).status_code == 400
    assert client.post(reverse("admin:ledger_books"), {**asked, "last": "2026-01-01"}).status_code == 400


def test_a_period_shows_its_checklist_and_its_closings(read: Callable[..., str]) -> None:
    two_months()
    closed = closed_month(2026, 9)
    october = month(2026, 10)

    shown = read("ledger_period_change", closed.public_id, queries=12)
    assert "Closing 1" in shown
    assert "Checklist of the close" in shown
    assert "700.00 <small>EUR" in shown
    begin_close(period_id=october.pk, now=NOW)
    # Each step of the checklist asks for itself, with two questions at most.
    asked = 10 + 2 * len(CLOSING_STEPS.items())
    assert "a job goes on by itself" in read("ledger_period_change", october.public_id, queries=asked)
    assert "October 2026" in read("ledger_period_changelist")


def test_a_period_is_closed_by_its_button(client: Client) -> None:
    october = month(2026, 10)

    answer = asking(client, "ledger_period.begin_close", october.public_id)

    assert answer.status_code == 303
    assert Period.objects.get().status == "CLOSING"


def test_a_period_is_closed_softly_and_then_for_good_by_buttons(
    client: Client, read: Callable[..., str]
) -> None:
    october = month(2026, 10)

    asking(client, "ledger_period.begin_soft_close", october.public_id)
    shown = read("ledger_period_change", october.public_id, queries=10 + 2 * len(CLOSING_STEPS.items()))
    softly = Period.objects.get()
    asking(client, "ledger_period.close_for_good", october.public_id)

    assert "Closed softly" in shown
    assert "waits until it is closed for good" in shown
    assert (softly.status, softly.soft, Period.objects.get().soft) == ("CLOSING", True, False)


def test_a_journal_is_written_checked_asked_for_and_posted(
    client: Client, read: Callable[..., str], finance_lead: User
) -> None:
    assert 'value="5100 EUR"' in read("ledger_journal_new", query="?template=bank_charge")
    form = {
        "title": "Charge of October",
        "day": "2026-11-02",
        "text": "Shown by the bank",
        "account": ["5100 EUR", "1010 EUR", ""],
        "debit": ["12.50", "", ""],
        "credit": ["", "12.40", ""],
        "line_text": ["", "", ""],
        "do": "check",
    }
    address = reverse("admin:ledger_journal_new")
    checked = client.post(address, form).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "Off by" in checked
    assert "0.10 <small>EUR" in checked
    assert client.post(address, {**form, "do": "more"}).content.decode().count("data-line ") == 7
    assert not JournalDraft.objects.exists()

    kept = client.post(address, {**form, "credit": ["", "12.50", ""], "do": "save"})
    written = JournalDraft.objects.get()
    assert kept.url == reverse("admin:ledger_journaldraft_change", args=[written.public_id])
    assert "12.50 <small>EUR" in read("ledger_journaldraft_change", written.public_id)
    asked = asking(client, "ledger_journal.ask", written.public_id, reason="BANK")
    assert asked.status_code == 303
    agree(Approval.objects.get(), finance_lead)

    posted = JournalDraft.objects.get().transaction
    shown = read("ledger_ledgertransaction_change", posted.public_id)
    assert written.public_id in shown
    assert Approval.objects.get().public_id in shown


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"account": ["nowhere", "1010 EUR"]}, "No account answers"),
        ({"debit": ["", ""]}, "either a debit or a credit"),
        ({"debit": ["12.505", ""]}, "digits after the point"),
        ({"debit": ["-1", ""]}, "more than zero"),
        ({"title": ""}, "Give it a title"),
        ({"day": "soon"}, "value date"),
        ({"account": ["", ""], "debit": ["", ""], "credit": ["", ""]}, "at least one line"),
    ],
)
def test_a_faulty_journal_is_shown_again_with_what_is_wrong(client: Client, change: dict, fault: str) -> None:
    form = {
        "title": "T",
        "day": "2026-11-02",
        "account": ["5100 EUR", "1010 EUR"],
        "debit": ["12.50", ""],
        "credit": ["", "12.50"],
    }

    answer = client.post(reverse("admin:ledger_journal_new"), {**form, **change})

    assert answer.status_code == 400
    assert fault in answer.content.decode()
    assert not JournalDraft.objects.exists()


def test_a_transaction_leads_to_its_reversal_and_its_correction(client: Client, finance: User) -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300, context={"payment": "pay_1"}).public_id

    asking(client, "ledger_transaction.ask_reverse", original, reason="WRONG_AMOUNT", note="Twice the amount")
    corrected = asking(client, "ledger_transaction.correct", original)

    page = client.get(reverse("admin:ledger_ledgertransaction_change", args=[original])).content.decode()
    assert "/payments/pay_1/" in page
    assert Approval.objects.get().action == "ledger.reverse_transaction"
    written = JournalDraft.objects.get()
    assert corrected.url == reverse("admin:ledger_journal_edit", args=[written.public_id])
    assert payer.public_id in client.get(corrected.url).content.decode()


@pytest.mark.parametrize(
    "name",
    [
        *("ledger_chart", "ledger_books", "ledger_journal_new"),
        *("ledger_period_changelist", "ledger_journaldraft_changelist"),
    ],
)
def test_others_stay_outside(name: str, ops: User, desk: Callable[[User], Client]) -> None:
    assert desk(ops).get(reverse(f"admin:{name}")).status_code == 403


def test_auditors_look_and_take_away_but_write_nothing(auditor: User, desk: Callable[[User], Client]) -> None:
    client = desk(auditor)

    assert client.get(reverse("admin:ledger_books")).status_code == 200
    assert client.get(reverse("admin:ledger_journaldraft_changelist")).status_code == 200
    assert client.get(reverse("admin:ledger_journal_new")).status_code == 403
