"""Holds: money set aside stays aside, whoever asks, in whatever order, and raw SQL too."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger import errors
from ledger.models.accounts import Account, Balance
from ledger.models.holds import HoldEvent, HoldState
from ledger.operations.accounts import set_status
from ledger.operations.holds import (
    HoldView,
    capture_hold,
    change_hold,
    expire_holds,
    get_hold,
    place_hold,
    release_hold,
)
from ledger.operations.owing import owed_by, post_forced
from ledger.operations.posting import Posted
from ledger.queries.balances import get_balance
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db
_keys = count(1)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def hold(account: Account, minor: int, *, key: str = "", seconds: int | None = None) -> HoldView:
    return place_hold(
        account_id=account.pk,
        amount=Money(minor, account.currency),
        source="test",
        source_key=key or f"hold-{next(_keys)}",
        expires_at=None if seconds is None else NOW + timedelta(seconds=seconds),
        now=NOW,
    )


def capture(held: HoldView, account: Account, minor: int, *, key: str = "", final: bool = True) -> Posted:
    return capture_hold(
        hold_id=held.hold_id,
        draft=draft((account, minor), (bank(), -minor), key=key),
        amount=eur(minor),
        final=final,
        now=NOW,
    )


@pytest.fixture
def wallet(customer: object) -> Account:
    account = wallet_account(customer_id=customer.pk)  # type: ignore[attr-defined]
    fund(account, 1_000)
    return account


def test_what_is_held_cannot_be_spent_or_held_again(wallet: Account) -> None:
    other = wallet_account()

    held = hold(wallet, 700)

    assert (held.balance.posted, held.balance.available) == (eur(1_000), eur(300))
    with pytest.raises(errors.InsufficientFunds) as refused, transaction.atomic():
        move(wallet, other, 301)
    assert refused.value.fields["available"] == eur(300)
    with pytest.raises(errors.InsufficientFunds):
        hold(wallet, 301)
    move(wallet, other, 300)
    assert get_balance(wallet.pk).available == eur(0)


def test_a_capture_takes_the_money_and_gives_the_rest_back(wallet: Account) -> None:
    held = hold(wallet, 700)

    capture(held, wallet, 500)

    after = get_hold(held.hold_id)
    assert (after.status, after.open) == ("CAPTURED", eur(0))
    assert get_balance(wallet.pk).available == eur(500)
    assert verify().clean


def test_several_partial_captures_never_take_more_than_is_open(wallet: Account) -> None:
    held = hold(wallet, 700)
    capture(held, wallet, 300, final=False)
    capture(held, wallet, 300, final=False)

    with pytest.raises(errors.HoldTooSmall) as refused:
        capture(held, wallet, 101, final=False)

    assert refused.value.fields["open_minor"] == 100
    assert get_balance(wallet.pk).held == eur(100)
    capture(held, wallet, 100, final=False)
    assert get_hold(held.hold_id).status == "CAPTURED"
    with pytest.raises(errors.HoldFinal):
        capture(held, wallet, 1)


def test_the_same_key_holds_captures_and_releases_once(wallet: Account) -> None:
    first = hold(wallet, 400, key="same")
    again = hold(wallet, 400, key="same")

    assert (again.hold_id, again.replayed) == (first.hold_id, True)
    with pytest.raises(errors.KeyReused):
        hold(wallet, 401, key="same")
    one, two = capture(first, wallet, 100, key="take"), capture(first, wallet, 100, key="take")
    assert (one.public_id, two.replayed) == (two.public_id, True)
    other = hold(wallet, 200)
    release_hold(hold_id=other.hold_id, source_key="back", now=NOW)
    assert release_hold(hold_id=other.hold_id, source_key="back", now=NOW).replayed
    with pytest.raises(errors.HoldFinal):
        release_hold(hold_id=other.hold_id, source_key="again", now=NOW)
    assert get_balance(wallet.pk).available == eur(900)


def test_a_hold_grows_and_shrinks_within_what_is_available(wallet: Account) -> None:
    held = hold(wallet, 400)

    change_hold(hold_id=held.hold_id, delta=eur(600), source_key="a", now=NOW)
    with pytest.raises(errors.InsufficientFunds):
        change_hold(hold_id=held.hold_id, delta=eur(1), source_key="b", now=NOW)
    less = change_hold(hold_id=held.hold_id, delta=eur(-250), source_key="c", now=NOW)

    assert (less.open, less.balance.available) == (eur(750), eur(250))


def test_time_gives_back_what_is_held_and_ends_captures(wallet: Account) -> None:
    held, later = hold(wallet, 400, seconds=60), hold(wallet, 100, seconds=600)

    assert expire_holds(now=NOW + timedelta(seconds=59)) == 0
    assert expire_holds(now=NOW + timedelta(seconds=60)) == 1
    assert expire_holds(now=NOW + timedelta(seconds=60)) == 0

    assert (get_hold(held.hold_id).status, get_hold(later.hold_id).status) == ("EXPIRED", "ACTIVE")
    with pytest.raises(errors.HoldFinal):
        capture(held, wallet, 1)


def test_a_closed_or_frozen_account_takes_no_hold_but_gives_one_back(wallet: Account) -> None:
    held = hold(wallet, 400)
    set_status(account_id=wallet.pk, status="FROZEN", now=NOW)  # type: ignore[arg-type]

    with pytest.raises(errors.AccountNotOpen):
        hold(wallet, 1)
    release_hold(hold_id=held.hold_id, source_key="back", now=NOW)

    assert get_balance(wallet.pk).held == eur(0)


def test_what_is_forced_beyond_the_balance_is_owed_and_the_next_money_repays(wallet: Account) -> None:
    hold(wallet, 200)

    post_forced(draft=draft((wallet, 1_100), (bank(), -1_100), key="clearing"), now=NOW)

    assert (get_balance(wallet.pk).posted, get_balance(wallet.pk).available) == (eur(200), eur(0))
    assert owed_by(wallet.pk) == eur(300)
    again = post_forced(draft=draft((wallet, 1_100), (bank(), -1_100), key="clearing"), now=NOW)
    assert again.replayed
    fund(wallet, 250)
    assert (owed_by(wallet.pk), get_balance(wallet.pk).available) == (eur(50), eur(0))
    fund(wallet, 80)
    assert (owed_by(wallet.pk), get_balance(wallet.pk).available) == (eur(0), eur(30))
    assert verify().clean


def test_a_released_hold_repays_what_is_owed(wallet: Account) -> None:
    held = hold(wallet, 200)
    post_forced(draft=draft((wallet, 1_100), (bank(), -1_100)), now=NOW)

    release_hold(hold_id=held.hold_id, source_key="back", now=NOW)

    assert (owed_by(wallet.pk), get_balance(wallet.pk).available) == (eur(100), eur(0))


def test_a_frozen_wallet_pays_nothing_of_what_is_forced(wallet: Account) -> None:
    set_status(account_id=wallet.pk, status="FROZEN", now=NOW)  # type: ignore[arg-type]

    post_forced(draft=draft((wallet, 400), (bank(), -400)), now=NOW)

    assert (get_balance(wallet.pk).posted, owed_by(wallet.pk)) == (eur(1_000), eur(400))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE ledger_balance SET held = 0 WHERE held > 0", "balance_guarded"),
        ("UPDATE ledger_holdstate SET open_minor = 1", "hold_state_guarded"),
        ("DELETE FROM ledger_holdstate", "hold_state_guarded"),
        ("UPDATE ledger_hold SET amount_minor = 1", ""),
        ("DELETE FROM ledger_holdevent", ""),
        ("UPDATE ledger_holdevent SET delta_minor = 1", ""),
        (
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
               SELECT id, 'CAPTURE', -700, 0, 'txn_nowhere', 'raw', 'SYSTEM:raw' FROM ledger_hold""",
            "hold_capture_booked",
        ),
        (
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
               SELECT id, 'DECREASE', -701, 0, '', 'raw', 'SYSTEM:raw' FROM ledger_hold""",
            "hold_too_small",
        ),
        (
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
               SELECT id, 'INCREASE', 301, 0, '', 'raw', 'SYSTEM:raw' FROM ledger_hold""",
            "balance_floor",
        ),
        (
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
               SELECT id, 'DECREASE', 5, 0, '', 'raw', 'SYSTEM:raw' FROM ledger_hold""",
            "hold_event_sign",
        ),
        (
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
               SELECT id, 'PLACE', 5, 0, '', 'raw', 'SYSTEM:raw' FROM ledger_hold""",
            "hold_final",
        ),
    ],
)
def test_raw_sql_cannot_free_or_take_what_is_held(wallet: Account, statement: str, name: str) -> None:
    hold(wallet, 700)

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert not name or refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_fifty_holds_at_once_hold_what_there_is_and_no_more() -> None:
    account = wallet_account()
    fund(account, 1_000)

    answers = together(*(lambda: hold(account, 45) for _ in range(50)))

    taken = [answer for answer in answers if isinstance(answer, HoldView)]
    assert len(taken) == 22
    assert all(isinstance(answer, HoldView | errors.InsufficientFunds) for answer in answers)
    assert Balance.objects.get(pk=account.pk).held == 22 * 45
    assert verify().clean


@pytest.mark.django_db(transaction=True)
def test_thirty_captures_at_once_take_what_is_open_and_no_more() -> None:
    account = wallet_account()
    fund(account, 1_000)
    held = hold(account, 500)

    answers = together(*(lambda: capture(held, account, 60, final=False) for _ in range(30)))

    assert sum(isinstance(answer, Posted) for answer in answers) == 8
    assert all(isinstance(answer, Posted | AppError) for answer in answers)
    assert HoldState.objects.get(pk=held.hold_id).open_minor == 20
    assert get_balance(account.pk).posted == eur(1_000 - 480)
    assert verify().clean


@dataclass
class Model:
    """What a wallet and its holds should be."""

    posted: int = 1_000
    open: dict[int, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.posted - sum(self.open.values())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "more", "less", "capture", "take", "release", "spend", "fund"]),
        st.integers(0, 3),
        st.integers(1, 500),
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_of_steps_ends_as_a_model_of_a_few_lines_says(
    db: None, steps: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        _walk(steps)
        transaction.set_rollback(True)


def _walk(steps: list[tuple[str, int, int]]) -> None:
    account, other = wallet_account(), wallet_account()
    fund(account, 1_000)
    model, holds = Model(), []
    for verb, place, minor in steps:
        held = holds[place % len(holds)] if holds else None
        known = model.open.get(held.hold_id, 0) if held else 0
        try:
            with transaction.atomic():
                fits = _step(verb, held, account, other, minor, holds)
        except AppError:
            allowed = {
                "place": minor <= model.available,
                "spend": minor <= model.available,
                "more": known > 0 and minor <= model.available,
                "less": 0 < minor <= known,
                "capture": 0 < minor <= known,
                "take": 0 < minor <= known,
                "release": known > 0,
            }.get(verb, True)
            assert not allowed, (verb, minor, model)
            continue
        if fits:
            _apply(model, verb, held, minor, holds)
        balance = get_balance(account.pk)
        assert (balance.posted.minor, balance.available.minor) == (model.posted, model.available)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert verify().clean
    assert HoldEvent.objects.filter(hold__account=account).count() >= len(holds)


def _step(
    verb: str, held: HoldView | None, account: Account, other: Account, minor: int, holds: list[HoldView]
) -> bool:
    key = f"step-{next(_keys)}"
    if verb == "place":
        holds.append(hold(account, minor))
    elif verb == "spend":
        move(account, other, minor)
    elif verb == "fund":
        fund(account, minor)
    elif held is None:
        return False
    elif verb in ("more", "less"):
        delta = eur(minor if verb == "more" else -minor)
        change_hold(hold_id=held.hold_id, delta=delta, source_key=key, now=NOW)
    elif verb in ("capture", "take"):
        capture(held, account, minor, final=verb == "take")
    else:
        release_hold(hold_id=held.hold_id, source_key=key, now=NOW)
    return True


def _apply(model: Model, verb: str, held: HoldView | None, minor: int, holds: list[HoldView]) -> None:
    if verb == "place":
        model.open[holds[-1].hold_id] = minor
    elif verb == "fund":
        model.posted += minor
    elif verb == "spend":
        model.posted -= minor
    elif held is not None:
        known = model.open.get(held.hold_id, 0)
        if verb in ("capture", "take"):
            model.posted -= minor
        left = {"more": known + minor, "less": known - minor, "capture": known - minor}.get(verb, 0)
        model.open[held.hold_id] = left
