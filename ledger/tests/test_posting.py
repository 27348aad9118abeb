"""Posting through the operations: what the caller gets back, and how it is refused."""

from datetime import timedelta

import pytest
from django.db import transaction

from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import Actor, acting
from flowlet.core.errors import NotFound
from flowlet.core.money import CurrencyMismatch, Money
from flowlet.events.models import Event
from ledger import errors
from ledger.choices import AccountStatus
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import set_floor, set_status
from ledger.operations.posting import post, post_many, reverse
from ledger.queries.balances import get_balance, list_postings
from ledger.queries.transactions import get_transaction
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, move, wallet_account

pytestmark = pytest.mark.django_db


def test_a_transfer_answers_with_the_balances_after_it() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)

    posted = move(payer, payee, 300)

    assert not posted.replayed
    assert posted.balances[payer.pk].posted == Money(700, "EUR")
    assert posted.balances[payee.pk].available == Money(300, "EUR")
    assert get_balance(payer.pk).available == posted.balances[payer.pk].available
    assert get_balance(payer.pk).at == posted.balances[payer.pk].at
    assert posted.balances[payer.pk].seq == 2


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [("JPY", 1_250, "1,250"), ("EUR", 1_250, "12.50"), ("KWD", 1_250, "1.250"), ("CLF", 1_250, "0.1250")],
)
def test_every_exponent_is_booked_to_the_last_digit(currency: str, minor: int, text: str) -> None:
    account = wallet_account(currency)

    posted = fund(account, minor)

    assert posted.balances[account.pk].posted == Money(minor, currency)
    assert posted.balances[account.pk].posted.format() == f"{text}\N{NO-BREAK SPACE}{currency}"


def test_an_exchange_balances_in_each_currency_by_itself() -> None:
    # Given 100.00 EUR sold for 108.90 USD at a mid rate of 1.1000 and a spread of 100 basis points
    euros, dollars = wallet_account("EUR"), wallet_account("USD")
    position_eur, position_usd, spread = bank("EUR"), bank("USD"), wallet_account("EUR", floor_minor=None)
    fund(euros, 10_000)

    post(
        draft=draft(
            (euros, 10_000),
            (position_eur, -9_900),
            (spread, -100),
            (position_usd, 10_890),
            (dollars, -10_890),
        ),
        now=NOW,
    )

    assert get_balance(euros.pk).posted == Money(0, "EUR")
    assert get_balance(dollars.pk).posted == Money(10_890, "USD")


def test_the_same_key_with_the_same_content_is_answered_as_at_first() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    first = move(payer, payee, 300, key="once")
    move(payer, payee, 100)

    again = move(payer, payee, 300, key="once")

    assert again.replayed
    assert (again.transaction_id, again.public_id) == (first.transaction_id, first.public_id)
    assert again.balances == first.balances
    assert Event.objects.filter(object_id=first.public_id).count() == 1


def test_the_same_key_with_other_content_is_refused_before_funds_are_judged() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    move(payer, payee, 300, key="once")

    with pytest.raises(errors.KeyReused) as refusal:
        move(payer, payee, 999_999, key="once")

    assert refusal.value.fields == {"source_key": "once"}


def test_a_replay_is_answered_though_the_account_is_frozen_meanwhile() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    first = move(payer, payee, 300, key="once")
    set_status(account_id=payer.pk, status=AccountStatus.FROZEN, now=NOW)

    assert move(payer, payee, 300, key="once").public_id == first.public_id


def test_what_is_missing_is_said_with_available_and_requested() -> None:
    payer, payee = wallet_account("KWD"), wallet_account("KWD")
    fund(payer, 500)

    with pytest.raises(errors.InsufficientFunds) as refusal:
        move(payer, payee, 501)

    assert refusal.value.fields == {"available": Money(500, "KWD"), "requested": Money(501, "KWD")}


def test_a_refusal_inside_a_savepoint_leaves_the_outer_transaction_usable() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 500)

    with pytest.raises(errors.InsufficientFunds), transaction.atomic():
        move(payer, payee, 501)

    assert move(payer, payee, 500).balances[payer.pk].posted == Money(0, "EUR")


def test_an_overdraft_reaches_to_its_floor_and_no_further() -> None:
    payer, payee = wallet_account(), wallet_account()
    set_floor(account_id=payer.pk, floor_minor=-200, now=NOW)

    assert move(payer, payee, 200).balances[payer.pk].posted == Money(-200, "EUR")
    with pytest.raises(errors.InsufficientFunds) as refusal, transaction.atomic():
        move(payer, payee, 1)
    assert refusal.value.fields["available"] == Money(0, "EUR")
    with pytest.raises(errors.InsufficientFunds):
        set_floor(account_id=payer.pk, floor_minor=-199, now=NOW)


@pytest.mark.parametrize(
    ("status", "may_pay", "may_receive"),
    [("OPEN", 1, 1), ("NO_OUT", 0, 1), ("NO_IN", 1, 0), ("FROZEN", 0, 0)],
)
def test_status_stops_money_by_direction(status: str, may_pay: int, may_receive: int) -> None:
    account, other = wallet_account(), wallet_account()
    fund(account, 1_000)
    fund(other, 1_000)
    set_status(account_id=account.pk, status=AccountStatus(status), now=NOW)

    for payer, payee, allowed in ((account, other, may_pay), (other, account, may_receive)):
        if allowed:
            move(payer, payee, 10)
        else:
            with pytest.raises(errors.AccountNotOpen), transaction.atomic():
                move(payer, payee, 10)


def test_an_account_is_closed_empty_and_for_good() -> None:
    account = wallet_account()
    fund(account, 10)
    with pytest.raises(errors.AccountNotEmpty):
        set_status(account_id=account.pk, status=AccountStatus.CLOSED, now=NOW)
    move(account, wallet_account(), 10)

    set_status(account_id=account.pk, status=AccountStatus.CLOSED, now=NOW)

    with pytest.raises(errors.AccountNotOpen):
        set_status(account_id=account.pk, status=AccountStatus.OPEN, now=NOW)
    with pytest.raises(errors.AccountNotOpen), transaction.atomic():
        fund(account, 10)
    changes = AuditRecord.objects.filter(action="ledger_account.set_status").values_list("changes", flat=True)
    assert list(changes) == ['{"status":["OPEN","CLOSED"]}']


def test_drafts_that_cannot_balance_are_refused() -> None:
    payer, payee, dollars = wallet_account(), wallet_account(), wallet_account("USD")

    for legs in ((), ((payer, 5),), ((payer, 5), (payee, -4)), ((payer, 5), (dollars, -5))):
        with pytest.raises(errors.UnbalancedTransaction):
            post(draft=draft(*legs), now=NOW)
    for legs in (
        ((payer, 0), (payee, 0)),
        ((payer, 5), (payer, -5)),
        ((payer, 5), (payee, -5), (dollars, 0)),
    ):
        with pytest.raises(errors.ZeroLeg):
            post(draft=draft(*legs), now=NOW)
    assert not LedgerTransaction.objects.exists()


def test_a_leg_in_another_currency_than_its_account_is_refused() -> None:
    account = wallet_account("EUR")
    account.currency = "USD"

    with pytest.raises(CurrencyMismatch) as refusal:
        post(draft=draft((bank("USD"), 5), (account, -5)), now=NOW)

    assert refusal.value.fields == {"expected": "EUR", "given": "USD"}


def test_an_unknown_account_is_not_found() -> None:
    account = wallet_account()
    account.pk = 999_999

    with pytest.raises(NotFound):
        post(draft=draft((bank(), 5), (account, -5)), now=NOW)


def test_a_balance_never_grows_beyond_what_money_can_say() -> None:
    account = wallet_account()
    fund(account, 10**15)

    with pytest.raises(errors.BalanceOutOfRange):
        fund(account, 1)


def test_legs_of_one_account_are_merged_and_sorted() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)

    posted = post(draft=draft((payee, -60), (payer, 50), (payer, 20), (payee, -10)), now=NOW)

    legs = get_transaction(posted.public_id).postings.all()
    assert [(leg.leg, leg.account_id, leg.amount) for leg in legs] == [(1, payer.pk, 70), (2, payee.pk, -70)]


def test_many_are_posted_in_one_call_or_none() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 100)

    drafts = [draft((payer, 10), (payee, -10)) for _ in range(10)]
    answers = post_many(drafts=drafts, now=NOW)
    assert sorted(answer.balances[payer.pk].seq for answer in answers) == list(range(2, 12))
    assert get_balance(payee.pk).posted == Money(100, "EUR")

    with pytest.raises(errors.InsufficientFunds), transaction.atomic():
        post_many(drafts=[draft((bank(), 5), (payer, -5)), draft((payer, 6), (payee, -6))], now=NOW)
    assert get_balance(payer.pk).posted == Money(0, "EUR")


def test_a_later_draft_of_a_call_may_spend_what_an_earlier_one_brings() -> None:
    payer, payee = wallet_account(), wallet_account()

    # Keys and accounts sort the other way round than the drafts.
    answers = post_many(
        drafts=[draft((bank(), 5), (payee, -5), key="b"), draft((payee, 5), (payer, -5), key="a")], now=NOW
    )

    assert [answer.balances[payee.pk].posted for answer in answers] == [Money(5, "EUR"), Money(0, "EUR")]


def test_many_answer_in_their_own_order_with_replays_among_them() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    old = move(payer, payee, 7, key="b")
    drafts = [
        draft((payer, minor), (payee, -minor), key=key)
        for key, minor in (("c", 9), ("b", 7), ("a", 8), ("c", 9))
    ]

    answers = post_many(drafts=drafts, now=NOW)

    assert answers[1].public_id == old.public_id
    assert answers[0].public_id == answers[3].public_id
    assert [answer.replayed for answer in answers][1:3] == [True, False]
    assert sorted([answers[0].replayed, answers[3].replayed]) == [False, True]
    assert get_balance(payer.pk).posted == Money(976, "EUR")
    assert post_many(drafts=[], now=NOW) == []


def test_a_reversal_mirrors_once_and_names_its_actor() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    original = move(payer, payee, 300, context={"payment": "pay_1"})
    undo = {
        "transaction_public_id": original.public_id,
        "source": "test",
        "effective_date": TODAY + timedelta(days=1),
    }

    with acting(Actor("STAFF", "usr_1", "Henk Visser")):
        reversal = reverse(**undo, source_key="undo", now=NOW)

    assert get_balance(payer.pk).posted == Money(1_000, "EUR")
    header = get_transaction(reversal.public_id)
    assert (header.reverses.public_id, header.actor, header.kind) == (
        original.public_id,
        "STAFF:usr_1",
        "REVERSAL",
    )
    assert reverse(**undo, source_key="undo", now=NOW).replayed
    assert AuditRecord.objects.get(action="ledger_transaction.reverse").object_id == original.public_id
    with pytest.raises(errors.AlreadyReversed), transaction.atomic():
        reverse(**undo, source_key="undo again", now=NOW)
    with pytest.raises(errors.NotReversible), transaction.atomic():
        reverse(**{**undo, "transaction_public_id": reversal.public_id}, source_key="redo", now=NOW)
    with pytest.raises(NotFound):
        reverse(**{**undo, "transaction_public_id": "txn_none"}, source_key="none", now=NOW)


def test_a_text_is_kept_encrypted_beside_its_transaction() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)

    posted = move(payer, payee, 300, text="Rent for May, flat 3")

    text = LedgerTransaction.objects.get(public_id=posted.public_id).text
    assert text.text == "Rent for May, flat 3"
    assert len(bytes(text.salt)) == 16


def test_history_is_newest_first_and_pages_by_number() -> None:
    account = wallet_account()
    for minor in (1, 2, 3, 4):
        fund(account, minor)

    page = list(list_postings(account.pk)[:2])
    following = list(list_postings(account.pk, before_seq=page[-1].account_seq))

    assert [leg.balance_after for leg in page] == [10, 6]
    assert [leg.amount for leg in following] == [-2, -1]


def test_an_event_carries_legs_and_balances() -> None:
    account = wallet_account()

    posted = fund(account, 250)

    event = Event.objects.get(object_id=posted.public_id)
    assert event.visibility == "INTERNAL"
    own = next(leg for leg in event.data["legs"] if leg["account"] == account.pk)
    assert own == {"account": account.pk, "currency": "EUR", "amount": -250, "balance_after": 250, "seq": 1}
    assert Posting.objects.get(account=account).posted_at == posted.balances[account.pk].at
