"""Each job that the clock calls, called as the clock calls it: what it does on a small state, and that twice is once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from celery import Task

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.integrations.stripe import client as stripe
from ledger import tasks, tasks_bank, tasks_matching
from ledger.models.accounts import Account
from ledger.models.currencies import FxCost
from ledger.models.matching import Break, Match, SafeguardingProof
from ledger.models.queue import QueuedPosting
from ledger.models.reconciliation import ProcessorLine
from ledger.models.statements import Statement
from ledger.operations import queue
from ledger.operations.accounts import house_account, open_account
from ledger.operations.deals import book_deal
from ledger.operations.posting import post
from ledger.rates import Terms
from ledger.tests.banks import statement
from ledger.tests.factories import NOW, draft, fund, wallet_account

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Job:
    """What stands before a job runs, and how many of what it makes there are."""

    prepare: Callable[[pytest.FixtureRequest], object]
    made: Callable[[], int]
    makes: int


def _today() -> Any:
    # Jobs read the real clock, so days are counted from it.
    return clock.now().date()


def _expect(minor: int, *, days_ago: int = 0) -> None:
    """Book money from equity that the bank is to show under the reference `dep-000001`."""
    clearing, equity = (
        house_account(chart_code=code, currency="EUR", now=NOW) for code in ("BANK_CLEARING", "EQUITY")
    )
    day = _today() - timedelta(days=days_ago)
    post(draft=draft((clearing, minor), (equity, -minor), key="dep-000001", effective_date=day), now=NOW)


def _wallet_of_two_months(request: pytest.FixtureRequest) -> None:
    customer = request.getfixturevalue("customer")
    open_account(
        chart_code="CUSTOMER_WALLETS",
        currency="EUR",
        partner_id=customer.partner_id,
        customer_id=customer.pk,
        name="wallet",
        now=(clock.now().replace(day=1) - timedelta(days=1)).replace(day=1) + timedelta(days=3),
    )


def _deal(_: pytest.FixtureRequest) -> None:
    seller, buyer = wallet_account("EUR"), wallet_account("USD")
    fund(seller, 10_000)
    book_deal(
        seller_account_id=seller.pk,
        buyer_account_id=buyer.pk,
        terms=Terms(
            sell=Money(10_000, "EUR"),
            buy=Money(10_890, "USD"),
            spread=Money(100, "EUR"),
            rate=Decimal("1.0890"),
            mid=Decimal("1.1000"),
        ),
        kind="EXCHANGE",
        source="test",
        source_key="deal",
        now=NOW,
    )


def _line_and_posting(_: pytest.FixtureRequest) -> None:
    _expect(700)
    statement((700, {"end_to_end_id": "dep-000001"}), day=_today())


def _never_shown(_: pytest.FixtureRequest) -> None:
    _expect(700, days_ago=5)
    statement(1, day=_today())


def _owed_yesterday(_: pytest.FixtureRequest) -> None:
    wallet = wallet_account()
    clearing = house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW)
    day = _today() - timedelta(days=1)
    post(draft=draft((clearing, 500), (wallet, -500), effective_date=day), now=NOW)


def _collected(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("vendors")
    stripe.create_intent(
        amount=Money(10_000, "EUR"),
        our_reference="pay_1",
        payment_method="pm_card_visa",
        description="Top-up",
    )


def _queued(_: pytest.FixtureRequest) -> None:
    payer, income = wallet_account(), house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)
    fund(payer, 100)
    queue.enqueue(drafts=[draft((payer, 10), (income, -10), key="fee")], now=NOW)


def _busy(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("settings").LEDGER_SHARDS = {"FEE_INCOME": 4}
    house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)


JOBS = {
    tasks.issue_statements: Job(_wallet_of_two_months, Statement.objects.count, 1),
    tasks.realise_results: Job(_deal, FxCost.objects.count, 1),
    tasks_matching.match_bank_lines: Job(_line_and_posting, Match.objects.count, 1),
    tasks_matching.raise_breaks: Job(_never_shown, Break.objects.filter(kind="ITEM").count, 1),
    tasks_matching.prove_client_money: Job(_owed_yesterday, SafeguardingProof.objects.count, 1),
    tasks_bank.read_processor_lines: Job(_collected, ProcessorLine.objects.count, 1),
    tasks.post_queued: Job(_queued, QueuedPosting.objects.filter(state="POSTED").count, 1),
    tasks.open_shards: Job(_busy, Account.objects.exclude(shard_of=None).count, 4),
}


@pytest.mark.parametrize("task", JOBS, ids=lambda task: task.name)
def test_a_job_does_its_work_and_twice_is_once(task: Task, request: pytest.FixtureRequest) -> None:
    job = JOBS[task]
    job.prepare(request)
    assert job.made() == 0

    # A minute later: what a processor told in this very second is asked for next time.
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        first = task()
        made = job.made()
        again = task()

    assert (first, made) == (job.makes, job.makes)
    assert (again, job.made()) == (0, job.makes)
