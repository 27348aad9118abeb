"""The queue: all at once, one by one when one fails, once whatever happens, and a second try."""

from collections.abc import Callable

import pytest
from django.test import Client

from flowlet.identity.models import User
from ledger.models.accounts import Account, Balance
from ledger.models.queue import QueuedPosting
from ledger.models.transactions import LedgerTransaction
from ledger.operations import queue
from ledger.operations.accounts import house_account, set_status
from ledger.operations.posting import Draft, post
from ledger.tests.factories import NOW, draft, fund, wallet_account
from ledger.tests.threads import together


def fee(payer: Account, minor: int, key: str, **fields: object) -> Draft:
    income = house_account(chart_code="FEE_INCOME", currency=payer.currency, now=NOW)
    return draft((payer, minor), (income, -minor), key=key, **fields)


@pytest.mark.django_db
def test_what_waits_is_posted_with_all_it_said() -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    drafts = [
        fee(payer, 10, f"fee-{number}", text="Monthly fee", context={"month": "2026-10"})
        for number in range(3)
    ]

    assert queue.enqueue(drafts=drafts, now=NOW) == 3
    assert queue.enqueue(drafts=drafts, now=NOW) == 0
    assert Balance.objects.get(pk=payer.pk).posted == 1_000
    assert (queue.post_queued(now=NOW), queue.post_queued(now=NOW)) == (3, 0)

    assert Balance.objects.get(pk=payer.pk).posted == 970
    row = QueuedPosting.objects.first()
    posted = LedgerTransaction.objects.get(public_id=row.transaction)
    assert (row.state, posted.text.text, posted.context) == ("POSTED", "Monthly fee", {"month": "2026-10"})


@pytest.mark.django_db
def test_one_that_cannot_be_posted_fails_alone_and_may_be_tried_again() -> None:
    rich, poor = wallet_account(), wallet_account()
    fund(rich, 1_000)
    queue.enqueue(drafts=[fee(rich, 10, "a"), fee(poor, 10, "b"), fee(rich, 10, "c")], now=NOW)

    queue.post_queued(now=NOW)

    states = dict(QueuedPosting.objects.values_list("source_key", "state"))
    assert states == {"a": "POSTED", "b": "FAILED", "c": "POSTED"}
    failed = QueuedPosting.objects.get(state="FAILED")
    assert failed.error_code == "insufficient_funds"

    fund(poor, 50)
    queue.retry(queued_id=failed.pk)
    with pytest.raises(queue.NotFailed):
        queue.retry(queued_id=failed.pk)
    queue.post_queued(now=NOW)

    failed.refresh_from_db()
    assert (failed.state, failed.attempts, Balance.objects.get(pk=poor.pk).posted) == ("POSTED", 2, 40)


@pytest.mark.django_db
def test_what_the_ledger_knows_already_is_not_posted_twice() -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    posted = post(draft=fee(payer, 10, "a"), now=NOW)

    queue.enqueue(drafts=[fee(payer, 10, "a")], now=NOW)
    queue.post_queued(now=NOW)

    assert QueuedPosting.objects.get().transaction == posted.public_id
    assert Balance.objects.get(pk=payer.pk).posted == 990


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_moment_post_each_row_once() -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    queue.enqueue(drafts=[fee(payer, 1, f"fee-{number}") for number in range(60)], now=NOW)

    done = together(*[lambda: queue.post_queued(now=NOW, limit=20)] * 4)
    while queue.post_queued(now=NOW):
        pass

    assert sum(done) <= 60
    assert Balance.objects.get(pk=payer.pk).posted == 940
    assert LedgerTransaction.objects.filter(source_key__startswith="fee-").count() == 60


@pytest.mark.django_db
def test_finance_sees_what_failed_and_has_it_tried_again(
    desk: Callable[[User], Client], finance: User, officer: User
) -> None:
    payer = wallet_account()
    fund(payer, 10)
    queue.enqueue(drafts=[fee(payer, 10, "a")], now=NOW)
    set_status(account_id=payer.pk, status="FROZEN", now=NOW)
    queue.post_queued(now=NOW)
    row = QueuedPosting.objects.get()

    page = desk(finance).get("/admin/ledger/queue/")

    assert row.error_detail in page.content.decode()
    assert desk(officer).get("/admin/ledger/queue/").status_code == 403
    detail = desk(finance).get(f"/admin/ledger/queue/{row.public_id}/").content.decode()
    assert "Try again" in detail
