"""Matching against a careless bank: what it finds, and that it is never wrong."""

import os
from datetime import timedelta

import pytest

from ledger.models.matching import MatchLeg
from ledger.models.reconciliation import BankLine
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.matching import match_lines
from ledger.operations.posting import post_many
from ledger.reconciliation.generate import Rates, items_from_ledger, play_bank
from ledger.tests.banks import bank_account, statement
from ledger.tests.factories import NOW, TODAY, draft
from ledger.tests.perturbed import invented_items, score

SEEDS = range(int(os.environ.get("MATCHING_SEEDS", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_careless_bank_is_matched_with_no_mistake(seed):
    found = score(invented_items(5_000, seed=seed), seed=seed)

    assert found.wrong == 0
    assert found.recall >= 0.98


def test_a_reckless_bank_finds_no_gap_either():
    rates = Rates(drop=0.2, duplicate=0.1, merge=0.1, split=0.1, fee=0.1, net=0.1, shift=0.5, nameless=0.4)

    assert [
        score(invented_items(1_000, seed=seed, customers=150, currency="JPY"), seed=seed, rates=rates).wrong
        for seed in SEEDS
    ] == [0] * len(SEEDS)


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["EUR", "CLF"])
def test_from_our_books_over_a_bank_and_back(currency):
    clearing = house_account(chart_code="BANK_CLEARING", currency=currency, now=NOW)
    other = house_account(chart_code="EQUITY", currency=currency, now=NOW)
    amounts = [1_000 + 37 * key for key in range(60)]
    post_many(
        drafts=[
            draft(
                (clearing, amount),
                (other, -amount),
                key=f"dep-{amount:06d}",
                effective_date=TODAY - timedelta(days=amount % 3),
            )
            for amount in amounts
        ],
        now=NOW,
    )
    items = items_from_ledger(account_id=clearing.pk, first=TODAY - timedelta(days=9), last=TODAY)
    told, truth = play_bank(
        items, seed=5, rates=Rates(drop=0.1, duplicate=0.05, merge=0.1, fee=0.1, shift=0.3)
    )
    for day in sorted({line.booking_date for line in told}):
        statement(
            *(
                (
                    line.amount_minor,
                    {
                        "value_date": line.value_date,
                        "end_to_end_id": line.end_to_end_id,
                        "bank_reference": line.bank_reference,
                        "batch_id": line.batch_id,
                        "details": [
                            {"end_to_end_id": name, "reference": ref, "amount_minor": minor}
                            for name, ref, minor in line.details
                        ],
                    },
                )
                for line in told
                if line.booking_date == day
            ),
            day=day,
            account=bank_account(currency),
        )

    done = match_lines(now=NOW)

    assert done.lines + done.parked == len(told)
    assert done.matches > 40
    for line in BankLine.objects.filter(status="MATCHED"):
        legs = set(MatchLeg.objects.filter(line=line).values_list("posting_id", flat=True))
        assert legs == set(truth.matches[line.bank_reference])
    assert Posting.objects.filter(account=clearing, transaction__kind="BANK_SETTLED").count() == done.matches
