"""Random operations, alone and by threads: the database equals a model of a few lines, and the proof is clean."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import errors
from ledger.models.accounts import Account, Balance
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.posting import Draft, Posted, post_many, reverse
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, wallet_account
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

CURRENCIES = ("JPY", "EUR", "KWD", "CLF")
WALLETS = 3
Key = tuple[int, str]


@dataclass(frozen=True)
class Move:
    """Money from one wallet (None: the bank) to another."""

    payer: Key | None
    payee: Key
    minor: int

    def back(self) -> "Move":
        assert self.payer is not None
        return Move(self.payee, self.payer, self.minor)


@dataclass(frozen=True)
class Step:
    """What to do: `kind` is move, fund, chain (two moves in one call), undo (move and reverse) or repeat."""

    kind: str
    payer: int
    payee: int
    minor: int
    currency: str

    def moves(self) -> list[Move]:
        payer, payee = (self.payer, self.currency), (self.payee, self.currency)
        if self.kind == "fund":
            return [Move(None, payee, self.minor)]
        first = Move(payer, payee, self.minor)
        if self.kind == "chain":
            return [first, Move(payee, ((self.payee + 1) % WALLETS, self.currency), self.minor // 2 + 1)]
        return [first]


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["move", "fund", "chain", "undo", "repeat"]),
        payer=st.integers(0, WALLETS - 1),
        payee=st.integers(0, WALLETS - 1),
        minor=st.integers(1, 400),
        currency=st.sampled_from(CURRENCIES),
    ),
    min_size=4,
    max_size=24,
)


def after(held: dict[Key, int], moves: Sequence[Move]) -> dict[Key, int] | None:
    """The model: what the wallets hold after the moves; None if one of them must be refused."""
    held = dict(held)
    for move in moves:
        if move.payer == move.payee:
            return None
        if move.payer is not None:
            held[move.payer] -= move.minor
            if held[move.payer] < 0:
                return None
        held[move.payee] += move.minor
    return held


@dataclass
class Book:
    """The wallets in the database, 500 in each at first."""

    accounts: dict[Key, Account] = field(
        default_factory=lambda: {
            (n, code): wallet_account(code) for n in range(WALLETS) for code in CURRENCIES
        }
    )

    def __post_init__(self) -> None:
        for account in self.accounts.values():
            fund(account, 500)

    def draft(self, move: Move) -> Draft:
        payer = bank(move.payee[1]) if move.payer is None else self.accounts[move.payer]
        return draft((payer, move.minor), (self.accounts[move.payee], -move.minor))

    def perform(self, step: Step) -> list[Move]:
        """Do it and return the moves that came to be: none if the ledger refused."""
        drafts = [self.draft(move) for move in step.moves()]
        try:
            answers = post_many(drafts=drafts, now=NOW)
        except (errors.InsufficientFunds, errors.ZeroLeg):
            return []
        if step.kind == "repeat":
            again = post_many(drafts=drafts, now=NOW)
            assert [(one.public_id, one.balances) for one in again] == [
                (one.public_id, one.balances) for one in answers
            ]
        return [*step.moves(), *(self.undo(answers[0], step.moves()[0]) if step.kind == "undo" else [])]

    def undo(self, posted: Posted, move: Move) -> list[Move]:
        try:
            reverse(
                transaction_public_id=posted.public_id,
                source="test",
                source_key=f"undo {posted.public_id}",
                effective_date=TODAY,
                now=NOW,
            )
        except errors.InsufficientFunds:
            return []
        return [move.back()]

    def stored(self) -> dict[Key, int]:
        return {key: Balance.objects.get(pk=account.pk).posted for key, account in self.accounts.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_random_operations_equal_a_plain_model(steps: Sequence[Step]) -> None:
    book = Book()
    held = dict.fromkeys(book.accounts, 500)

    for step in steps:
        moves = [*step.moves(), *(move.back() for move in step.moves() if step.kind == "undo")]
        expected = after(held, moves)
        done = book.perform(step)
        assert done == ([] if expected is None else moves)
        held = held if expected is None else expected

    assert book.stored() == held
    assert verify().clean


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(STEPS, min_size=4, max_size=4))
def test_random_operations_by_threads_leave_true_books(plans: Sequence[Sequence[Step]]) -> None:
    book = Book()

    outcomes = together(
        *[lambda plan=plan: [move for step in plan for move in book.perform(step)] for plan in plans]
    )

    expected = dict.fromkeys(book.accounts, 500)
    for move in (move for outcome in outcomes for move in outcome):
        if move.payer is not None:
            expected[move.payer] -= move.minor
        expected[move.payee] += move.minor
    assert book.stored() == expected
    assert all(minor >= 0 for minor in expected.values())
    assert Posting.objects.count() == 2 * LedgerTransaction.objects.count()
    assert verify().clean
