"""Holds, forced postings and repayments in any order, alone and by threads, against a model of a few lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from ledger.models.accounts import Account
from ledger.models.holds import Hold
from ledger.operations.holds import HoldView, change_hold, expire_holds, release_hold
from ledger.operations.owing import post_forced
from ledger.operations.posting import Posted
from ledger.queries.balances import get_balance
from ledger.queries.holds import owed_by
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account
from ledger.tests.holding import ask_now, capture, hold, keys
from ledger.tests.threads import together

FUNDS = 1_000
CURRENCIES = ("JPY", "EUR", "KWD", "CLF")
Step = tuple[str, int, int]
VERBS = ("place", "more", "less", "capture", "take", "release", "expire", "spend", "fund", "force")
STEPS = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 3), st.integers(1, 500)), min_size=3, max_size=25
)


@dataclass
class Open:
    """A hold: what is open, and when it is over."""

    minor: int
    until: int


@dataclass
class Model:
    """What a wallet should be: booked, held and owed; `clock` counts seconds."""

    posted: int = FUNDS
    owed: int = 0
    clock: int = 0
    holds: list[Open] = field(default_factory=list)

    @property
    def available(self) -> int:
        return self.posted - sum(one.minor for one in self.holds)

    def step(self, verb: str, place: int, minor: int) -> bool:
        """Do it, or tell that it must be refused."""
        if verb in ("place", "spend") and minor > self.available:
            return False
        done = self._on_hold(verb, self.holds[place % len(self.holds)], minor) if self.holds else True
        if verb == "place":
            self.holds.append(Open(minor, self.clock + minor))
        elif verb == "expire":
            self.clock += minor
            for one in self.holds:
                one.minor = 0 if one.until <= self.clock else one.minor
        elif verb in ("spend", "fund"):
            self.posted += minor if verb == "fund" else -minor
        elif verb == "force":
            paid = min(minor, self.available)
            self.posted, self.owed = self.posted - paid, self.owed + minor - paid
        repaid = min(self.owed, self.available)
        self.posted, self.owed = self.posted - repaid, self.owed - repaid
        return done

    def _on_hold(self, verb: str, one: Open, minor: int) -> bool:
        allowed = {
            "more": one.minor > 0 and minor <= self.available,
            "less": minor <= one.minor,
            "capture": minor <= one.minor,
            "take": minor <= one.minor,
            "release": one.minor > 0,
        }
        if verb not in allowed or not allowed[verb]:
            return verb not in allowed
        if verb in ("capture", "take"):
            self.posted -= minor
        rest = {"more": one.minor + minor, "less": one.minor - minor, "capture": one.minor - minor}
        one.minor = rest.get(verb, 0)
        return True


@dataclass
class Wallet:
    """The same steps on the database."""

    account: Account
    other: Account
    clock: int = 0
    holds: list[HoldView] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.clock)

    def step(self, verb: str, place: int, minor: int) -> bool:
        """Do it, or tell that it was refused."""
        try:
            with transaction.atomic():
                self._do(verb, place, minor)
        except AppError:
            return False
        return True

    def _do(self, verb: str, place: int, minor: int) -> None:
        if verb == "place":
            self.holds.append(hold(self.account, minor, seconds=minor, now=self.now))
        elif verb == "expire":
            self.clock += minor
            expire_holds(now=self.now)
        elif verb == "spend":
            move(self.account, self.other, minor)
        elif verb == "fund":
            fund(self.account, minor)
        elif verb == "force":
            post_forced(
                draft=draft((self.account, minor), (bank(self.account.currency), -minor)), now=self.now
            )
        elif self.holds:
            self._on_hold(verb, self.holds[place % len(self.holds)], minor)

    def _on_hold(self, verb: str, held: HoldView, minor: int) -> None:
        key = f"step-{next(keys)}"
        if verb in ("more", "less"):
            delta = Money(minor if verb == "more" else -minor, self.account.currency)
            change_hold(hold_id=held.hold_id, delta=delta, source_key=key, now=self.now)
        elif verb == "release":
            release_hold(hold_id=held.hold_id, source_key=key, now=self.now)
        else:
            capture(held, self.account, minor, final=verb == "take", now=self.now)

    def stand(self) -> tuple[int, int, int]:
        balance, owed = get_balance(self.account.pk), owed_by(self.account.pk)
        return balance.posted.minor, balance.available.minor, owed.minor if owed else 0


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, currency=st.sampled_from(CURRENCIES))
def test_any_order_of_steps_ends_as_a_model_of_a_few_lines_says(
    customer: Customer, steps: Sequence[Step], currency: str
) -> None:
    with transaction.atomic():
        wallet = Wallet(wallet_account(currency, customer_id=customer.pk), wallet_account(currency))
        fund(wallet.account, FUNDS)
        model = Model()

        for verb, place, minor in steps:
            assert wallet.step(verb, place, minor) == model.step(verb, place, minor), (verb, minor, model)
            assert wallet.stand() == (model.posted, model.available, model.owed)
            ask_now()

        states = Hold.objects.filter(account=wallet.account).order_by("pk")
        assert list(states.values_list("state__open_minor", flat=True)) == [one.minor for one in model.holds]
        assert verify().clean
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(STEPS, min_size=4, max_size=4))
def test_steps_of_many_at_once_lose_nothing(customer: Customer, plans: Sequence[Sequence[Step]]) -> None:
    account, other = wallet_account(customer_id=customer.pk), wallet_account()
    fund(account, FUNDS)

    def run(plan: Sequence[Step]) -> int:
        """Return what came in less what went out."""
        wallet, moved = Wallet(account, other), 0
        signs = {"fund": 1, "spend": -1, "capture": -1, "take": -1, "force": -1}
        for verb, place, minor in plan:
            on_hold = verb not in ("capture", "take") or wallet.holds
            moved += signs.get(verb, 0) * minor if wallet.step(verb, place, minor) and on_hold else 0
        return moved

    moved = sum(together(*[lambda plan=plan: run(plan) for plan in plans]))

    posted, available, owed = Wallet(account, other).stand()
    assert posted - owed == FUNDS + moved
    assert available >= 0
    assert not (owed and available)
    assert verify().clean
    assert isinstance(fund(account, 1), Posted)
