"""The page of the proof, the proof of one transaction, the balance as of a day: what finance sees and may do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.pages.jobs import job_states
from flowlet.core import clock
from flowlet.events.models import Event
from flowlet.identity.models import User
from ledger.choices import CheckStatus
from ledger.models.seals import LedgerCheck
from ledger.operations.accounts import house_account
from ledger.operations.anchoring import anchor
from ledger.operations.checking import CheckRunning, request_check, run_check
from ledger.operations.matching import match_lines
from ledger.operations.queue import enqueue
from ledger.operations.safeguarding import prove_safeguarding
from ledger.operations.sealing import seal
from ledger.tasks import anchor as anchor_task
from ledger.tasks import seal as seal_task
from ledger.tasks import verify, verify_nightly
from ledger.tests.banks import bank_account, statement
from ledger.tests.factories import NOW, draft, fund, wallet_account

pytestmark = pytest.mark.django_db
HERE = reverse("admin:ledger_seals")
EDIT = "UPDATE ledger_transaction SET actor = 'STAFF:usr_else' WHERE id = (SELECT max(id) FROM ledger_transaction)"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The tasks that were sent to the broker, which no test has."""
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda _self, name, kwargs, **_more: found.append((name, kwargs))
    )
    return found


def edit(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


def test_finance_asks_for_a_check_and_reads_in_words_what_it_found(
    finance: User,
    desk: Callable[[User], Client],
    sent: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Callable[..., Any],
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    client = desk(finance)
    fund(wallet_account(), 500)
    seal()
    edit(EDIT)

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(HERE, {"scope": "ALL"}).status_code == 302
        assert client.post(HERE, {"scope": "ALL"}).status_code == 302
    check = LedgerCheck.objects.get()
    waiting = client.get(HERE).content.decode()
    assert sent == [("ledger.verify", {"check_id": check.pk})]
    assert verify(check_id=check.pk) == "FAULTS"
    with django_assert_max_num_queries(12):
        shown = client.get(HERE).content.decode()

    assert "The ledger is being checked already." in waiting
    assert "it waits for a worker" in waiting
    check.refresh_from_db()
    assert (check.scope, check.status, check.faults, check.block) == ("ALL", "FAULTS", 1, 1)
    assert "Found by the latest check" in shown
    assert f"Transaction {check.findings[0][1].split()[1]} (txn_" in shown
    assert "The signature does not fit" in shown
    assert "1 faults" in client.get(reverse("admin:index")).content.decode()
    assert AuditRecord.objects.filter(action="ledger.verify", object_id=check.public_id).exists()
    # One that ended is left as it is, and told once.
    assert run_check(check_id=check.pk, now=NOW) == "FAULTS"
    told = Event.objects.get(type="ledger.seal_broken")
    assert (told.object_id, told.visibility) == (check.public_id, "INTERNAL")
    assert (told.data["faults"], told.data["block"], told.data["checks"]) == (1, 1, [check.findings[0][0]])


def test_who_may_only_look_cannot_start_one_and_others_see_nothing(
    finance: User, officer: User, desk: Callable[[User], Client]
) -> None:
    assert desk(officer).get(HERE).status_code == 403
    finance.groups.clear()
    finance.user_permissions.add(
        Permission.objects.get(content_type__app_label="ledger", codename="view_block")
    )
    client = desk(User.objects.get(pk=finance.pk))

    assert "Check now" not in client.get(HERE).content.decode()
    assert client.post(HERE, {"scope": "ALL"}).status_code == 403
    assert not LedgerCheck.objects.exists()


def test_a_check_whose_worker_died_makes_room(sent: list[tuple[str, dict[str, Any]]]) -> None:
    lost = request_check(since=None, now=NOW)
    with pytest.raises(CheckRunning):
        request_check(since=None, now=NOW + timedelta(hours=11))

    fresh = request_check(since=NOW, now=NOW + timedelta(hours=13))

    lost.refresh_from_db()
    assert (lost.status, fresh.scope) == (CheckStatus.FAILED, "PARTIAL")


def test_the_jobs_seal_anchor_and_check(tmp_path: Any, settings: Any) -> None:
    settings.FLOWLET_ANCHOR_DIR = str(tmp_path)
    assert anchor_task() == "nothing booked yet"
    fund(wallet_account(), 500)

    assert (seal_task(), seal_task(), anchor_task()) == (1, 0, "block 1")
    assert verify_nightly() == "CLEAN"
    assert not Event.objects.filter(type="ledger.seal_broken").exists()

    edit(EDIT)
    assert verify_nightly() == "FAULTS"
    assert {state.job.task for state in job_states(NOW)} >= {
        "ledger.seal",
        "ledger.anchor",
        "ledger.verify_nightly",
    }


def test_a_transaction_shows_its_signature_block_and_anchor(
    finance: User, desk: Callable[[User], Client], tmp_path: Any, settings: Any
) -> None:
    settings.FLOWLET_ANCHOR_DIR = str(tmp_path)
    client, posted = desk(finance), fund(wallet_account(), 500)
    page = reverse("admin:ledger_ledgertransaction_change", args=[posted.public_id])
    assert "Waits for the next one" in client.get(page).content.decode()

    seal()
    assert "With the next anchor" in client.get(page).content.decode()
    anchor(now=NOW)

    assert "With the next anchor" not in client.get(page).content.decode()
    assert "folder" in client.get(HERE).content.decode()


def test_an_account_answers_its_balance_as_of_a_day(
    finance: User, desk: Callable[[User], Client], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client, account = desk(finance), wallet_account("KWD")
    fund(account, 1_234_567)
    page = reverse("admin:ledger_account_change", args=[account.public_id])
    today = datetime.now(UTC).date()

    def ask(query: str) -> str:
        return client.get(page + query).content.decode()

    # One more than the page alone, whatever the form asks.
    for query in ("?as_of=2026-11-02", f"?as_of=2026-11-02&known={today - timedelta(days=1)}"):
        with django_assert_max_num_queries(12):
            shown = ask(query)
    assert "By value date" in shown
    assert "By time of booking" in shown
    assert "As known" in shown
    assert "as known then" in shown
    assert "The day is not over" not in shown
    assert "What is known of a day stands once it is over" in ask(f"?as_of=2026-11-02&known={today}")
    for wrong in ("yesterday", "2026-02-30", "%00"):
        assert "Give days such as 2026-10-31." in ask(f"?as_of={wrong}")


def test_the_metrics_say_what_waits_and_what_was_found(client: Client) -> None:
    fund(wallet_account(), 500)

    before = client.get("/metrics").content.decode()
    seal()
    after = client.get("/metrics").content.decode()

    assert "flowlet_ledger_unsealed 1.0" in before
    assert "flowlet_ledger_unsealed 0.0" in after
    assert "flowlet_ledger_sealing_lag_seconds 0.0" in after
    assert "flowlet_ledger_block 1.0" in after
    assert "flowlet_ledger_faults 0.0" in after


def test_the_metrics_say_what_is_missing_what_disagrees_and_what_is_queued(client: Client) -> None:
    at = clock.now()
    payer, income = wallet_account(), house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)
    fund(payer, 500)
    fund(wallet_account("JPY"), 300)
    statement(500, -33, day=at.date() - timedelta(days=4))
    bank_account("JPY")
    match_lines(now=at)
    calm = client.get("/metrics").content.decode()

    prove_safeguarding(day=at.date(), now=at)
    enqueue(drafts=[draft((payer, 10), (income, -10), key="fee")], now=at - timedelta(hours=2))
    shown = client.get("/metrics").content.decode()

    assert "flowlet_ledger_queue_age_seconds 0.0" in calm
    waited = next(line for line in shown.splitlines() if line.startswith("flowlet_ledger_queue_age_seconds "))
    assert float(waited.split()[1]) >= 7_200
    assert 'flowlet_ledger_breaks{days="0-1"} 2.0' in shown  # the two shortfalls
    assert 'flowlet_ledger_breaks{days="2-5"} 2.0' in shown  # the two lines
    assert 'flowlet_ledger_breaks{days="31+"} 0.0' in shown
    # 500 are owed to a customer and 500 to nobody known, and the bank holds 467.
    assert 'flowlet_ledger_client_money_shortfall_minor{currency="EUR"} 533.0' in shown
    assert 'flowlet_ledger_client_money_shortfall_minor{currency="JPY"} 300.0' in shown
