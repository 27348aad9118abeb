"""Busy accounts in shards: where legs go, what adds up, and what is no shard."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Sum

from ledger.checks import what_is_sharded_may_be
from ledger.models.accounts import Account, Balance
from ledger.models.transactions import Posting
from ledger.operations import shards
from ledger.operations.accounts import house_account
from ledger.operations.posting import post, post_many, reverse
from ledger.queries.trial_balance import get_trial_balances
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, TODAY, draft, fund, wallet_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def fees(settings: Any) -> Iterator[Account]:
    settings.LEDGER_SHARDS = {"FEE_INCOME": 4}
    whole = house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)
    shards.open_missing(now=NOW)
    shards.forget()
    yield whole
    shards.forget()


def test_postings_spread_over_the_shards_and_their_heading_is_one_line(fees: Account) -> None:
    payer = wallet_account()
    fund(payer, 1_000)

    post_many(drafts=[draft((payer, 10), (fees, -10), key=f"fee-{number}") for number in range(40)], now=NOW)

    used = Posting.objects.filter(account__shard_of=fees).values("account").annotate(Sum("amount"))
    assert len(used) == 4
    assert sum(row["amount__sum"] for row in used) == -400
    assert Balance.objects.get(pk=fees.pk).posted == 0
    lines = [line for book in get_trial_balances() for line in book.lines if line.code == "FEE_INCOME"]
    assert [line.net for line in lines] == [-400]
    assert verify().clean


def test_a_repeat_is_a_replay_though_the_number_of_shards_changed(fees: Account, settings: Any) -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    first = post(draft=draft((payer, 10), (fees, -10), key="fee"), now=NOW)

    settings.LEDGER_SHARDS = {"FEE_INCOME": 7}
    assert (shards.open_missing(now=NOW), shards.open_missing(now=NOW)) == (3, 0)
    shards.forget()
    again = post(draft=draft((payer, 10), (fees, -10), key="fee"), now=NOW)

    assert (again.replayed, again.transaction_id) == (True, first.transaction_id)


def test_a_reversal_meets_the_shard_of_its_original(fees: Account) -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    posted = post(draft=draft((payer, 10), (fees, -10), key="fee"), now=NOW)

    reverse(
        transaction_public_id=posted.public_id, source="undo", source_key="fee", effective_date=TODAY, now=NOW
    )

    assert set(Balance.objects.filter(account__shard_of=fees).values_list("posted", flat=True)) == {0}


def test_without_the_setting_an_account_stays_whole(fees: Account, settings: Any) -> None:
    settings.LEDGER_SHARDS = {}
    payer = wallet_account()
    fund(payer, 1_000)

    post(draft=draft((payer, 10), (fees, -10)), now=NOW)

    assert Balance.objects.get(pk=fees.pk).posted == 10


@pytest.mark.parametrize(
    "code", ["FX_POSITION", "CLIENT_MONEY_BANK", "OPERATING_BANK", "SUSPENSE", "UNALLOCATED_RECEIPTS"]
)
def test_an_account_that_is_read_by_itself_is_never_sharded(settings: Any, code: str) -> None:
    settings.LEDGER_SHARDS = {"FEE_INCOME": 2, code: 2}
    whole = house_account(chart_code=code, currency="EUR", now=NOW)
    # One that stands there from before the rule takes nothing.
    Account.objects.create(
        chart_account=whole.chart_account,
        currency="EUR",
        name="shard 1",
        shard_of=whole,
        shard=0,
        opened_at=NOW,
    )
    shards.forget()

    [refused] = what_is_sharded_may_be()
    with pytest.raises(ImproperlyConfigured, match=code):
        shards.open_missing(now=NOW)

    assert (refused.id, code in refused.msg) == ("ledger.E001", True)
    assert shards.shard_of(whole.pk, "any") == whole.pk
    assert Account.objects.filter(shard_of__isnull=False).count() == 1
    settings.LEDGER_SHARDS = {"FEE_INCOME": 2}
    assert what_is_sharded_may_be() == []
    shards.forget()


@pytest.mark.parametrize("fault", ["currency", "heading", "shard of a shard", "customer account"])
def test_what_does_not_fit_is_no_shard(fees: Account, fault: str) -> None:
    whole = {"shard of a shard": fees.shards.first(), "customer account": wallet_account()}.get(fault, fees)
    values = {
        "chart_account": wallet_account().chart_account if fault == "heading" else whole.chart_account,
        "currency": "USD" if fault == "currency" else "EUR",
        "name": "wrong",
        "shard_of": whole,
        "shard": 9,
        "opened_at": NOW,
    }

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Account.objects.create(**values)

    assert refusal.value.__cause__.diag.constraint_name == "account_shard_fits"
