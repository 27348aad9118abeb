"""Real threads on real transactions: one key makes one posting, money is spent once, nobody waits in a ring."""

import pytest

from ledger import errors
from ledger.models.accounts import Account, Balance
from ledger.models.transactions import LedgerTransaction
from ledger.operations.accounts import house_account
from ledger.operations.posting import Posted, post, post_many, reverse
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, TODAY, draft, fund, move, wallet_account
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_key_from_many_threads_makes_one_posting_and_equal_answers() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)

    answers = together(*[lambda: move(payer, payee, 300, key="once")] * 24)

    assert all(isinstance(answer, Posted) for answer in answers)
    assert len({(answer.transaction_id, answer.public_id) for answer in answers}) == 1
    assert all(answer.balances == answers[0].balances for answer in answers)
    assert sum(not answer.replayed for answer in answers) == 1
    assert LedgerTransaction.objects.filter(source_key="once").count() == 1
    assert Balance.objects.get(pk=payer.pk).posted == 700


def test_one_key_with_different_contents_lets_the_first_win() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)

    answers = together(*[lambda minor=minor: move(payer, payee, minor, key="once") for minor in range(1, 9)])

    assert sum(isinstance(answer, Posted) for answer in answers) == 1
    assert sum(isinstance(answer, errors.KeyReused) for answer in answers) == 7


def test_a_balance_is_spent_once_however_many_try() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 500)

    answers = together(*[lambda: move(payer, payee, 100)] * 12)

    assert sum(isinstance(answer, Posted) for answer in answers) == 5
    assert sum(isinstance(answer, errors.InsufficientFunds) for answer in answers) == 7
    assert Balance.objects.get(pk=payer.pk).posted == 0
    assert verify().clean


def test_transfers_both_ways_do_not_lock_each_other_out() -> None:
    left, right = wallet_account(), wallet_account()
    fund(left, 1_000)
    fund(right, 1_000)

    def many(payer: Account, payee: Account) -> list[Posted]:
        drafts = [draft((payer, 1), (payee, -1)) for _ in range(20)]
        return [*post_many(drafts=drafts[:10], now=NOW), *(post(draft=one, now=NOW) for one in drafts[10:])]

    answers = together(*[lambda: many(left, right), lambda: many(right, left)] * 4)

    assert all(isinstance(answer, list) for answer in answers)
    assert Balance.objects.get(pk=left.pk).posted == 1_000
    assert verify().clean


def test_batches_with_the_same_keys_in_other_orders_do_not_deadlock() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    drafts = [draft((payer, 1), (payee, -1)) for _ in range(30)]

    answers = together(
        *[lambda: post_many(drafts=drafts, now=NOW), lambda: post_many(drafts=drafts[::-1], now=NOW)] * 4
    )

    assert all(isinstance(answer, list) for answer in answers)
    assert Balance.objects.get(pk=payer.pk).posted == 970


def test_a_transaction_is_reversed_once_however_many_try() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300).public_id

    def undo(key: str) -> Posted:
        return reverse(
            transaction_public_id=original, source="test", source_key=key, effective_date=TODAY, now=NOW
        )

    answers = together(*[lambda: undo("same")] * 6, *[lambda n=n: undo(f"other {n}") for n in range(6)])

    winners = {answer.public_id for answer in answers if isinstance(answer, Posted)}
    assert len(winners) == 1
    assert all(isinstance(answer, Posted | errors.AlreadyReversed) for answer in answers)
    assert Balance.objects.get(pk=payer.pk).posted == 1_000


def test_a_reversal_key_from_many_threads_is_replayed_not_refused() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300).public_id

    answers = together(
        *[
            lambda: reverse(
                transaction_public_id=original,
                source="test",
                source_key="undo",
                effective_date=TODAY,
                now=NOW,
            )
        ]
        * 12
    )

    assert {type(answer) for answer in answers} == {Posted}
    assert sum(not answer.replayed for answer in answers) == 1


def test_the_house_has_one_account_however_many_ask_first() -> None:
    answers = together(*[lambda: house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW).pk] * 8)

    assert len(set(answers)) == 1
