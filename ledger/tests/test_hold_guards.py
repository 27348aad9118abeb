"""What the database refuses about holds, for raw SQL too, and for many at once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.errors import AppError
from ledger import errors
from ledger.models.accounts import Account, Balance
from ledger.models.holds import HoldEvent, HoldState
from ledger.operations.holds import HoldView, expire_holds, release_hold
from ledger.operations.posting import Posted, post
from ledger.queries.balances import get_balance
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, bank, draft, fund, wallet_account
from ledger.tests.holding import ask_now, capture, eur, hold
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db
EVENT = """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
           SELECT id, '{kind}', {delta}, 0, '{transaction}', '{key}', 'SYSTEM:raw' FROM ledger_hold {end}"""
HOLD = """INSERT INTO ledger_hold (public_id, account_id, direction, amount_minor, currency, source, source_key, actor,
                                   placed_at)
          SELECT 'hld_raw', account_id, '{direction}', {amount}, '{currency}', 'raw', 'raw', 'SYSTEM:raw', now()
          FROM ledger_hold"""
# A trigger of a table of one's own runs deeper than a plain statement does.
DEEPER = """CREATE TEMP TABLE mine (n int) ON COMMIT DROP;
            CREATE FUNCTION pg_temp.deeper() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN {body}; RETURN NULL; END $f$;
            CREATE TRIGGER deeper AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.deeper();
            INSERT INTO mine VALUES (1)"""


def event(kind: str, delta: int, *, transaction: str = "", key: str = "raw", end: str = "") -> str:
    return EVENT.format(kind=kind, delta=delta, transaction=transaction, key=key, end=end)


@pytest.fixture
def wallet() -> Account:
    account = wallet_account()
    fund(account, 1_000)
    hold(account, 700)
    return account


@pytest.mark.usefixtures("wallet")
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE ledger_balance SET held = 0 WHERE held > 0", "balance_guarded"),
        ("UPDATE ledger_balance SET posted = 650 WHERE held > 0", "balance_guarded"),
        ("UPDATE ledger_balance SET floor = 301 WHERE held > 0", "balance_floor"),
        ("UPDATE ledger_balance SET status = 'CLOSED' WHERE held > 0", "balance_closed_empty"),
        ("UPDATE ledger_holdstate SET open_minor = 1", "hold_state_guarded"),
        ("UPDATE ledger_holdstate SET status = 'RELEASED', open_minor = 0", "hold_state_guarded"),
        ("INSERT INTO ledger_holdstate SELECT * FROM ledger_holdstate", "hold_state_guarded"),
        ("DELETE FROM ledger_holdstate", "hold_state_guarded"),
        ("TRUNCATE ledger_holdstate", ""),
        ("UPDATE ledger_hold SET amount_minor = 1", ""),
        ("DELETE FROM ledger_hold", ""),
        ("TRUNCATE ledger_hold CASCADE", ""),
        ("UPDATE ledger_holdevent SET delta_minor = 1", ""),
        ("DELETE FROM ledger_holdevent", ""),
        ("TRUNCATE ledger_holdevent", ""),
        (event("CAPTURE", -700, transaction="txn_nowhere"), "hold_capture_booked"),
        (event("CAPTURE", -700), "hold_event_capture"),
        (event("DECREASE", -701), "hold_too_small"),
        (event("INCREASE", 301), "balance_floor"),
        (event("DECREASE", 5), "hold_event_sign"),
        (event("INCREASE", -5), "hold_event_sign"),
        (event("GIFT", -5), "hold_event_sign"),
        (event("PLACE", 5), "hold_final"),
        (f"{event('RELEASE', 0)}; {event('INCREASE', 5, key='again')}", "hold_final"),
        (f"{event('RELEASE', 0)}; {event('EXPIRE', 0, key='again')}", "hold_final"),
        (f"{event('DECREASE', -1)}; {event('DECREASE', -1)}", "hold_event_once"),
        # The guard has moved the balance when the row is dropped.
        (event("RELEASE", 0, key="", end="ON CONFLICT DO NOTHING"), "hold_adds_up"),
        (HOLD.format(direction="OUT", amount=0, currency="EUR"), "hold_amount"),
        (HOLD.format(direction="OUT", amount=-5, currency="EUR"), "hold_amount"),
        (HOLD.format(direction="OUT", amount=301, currency="EUR"), "balance_floor"),
        (HOLD.format(direction="OUT", amount=5, currency="USD"), "posting_account_currency"),
        (HOLD.format(direction="UP", amount=5, currency="EUR"), "hold_direction"),
        (DEEPER.format(body="UPDATE ledger_balance SET held = 0 WHERE held > 0"), "held_adds_up"),
        (DEEPER.format(body="UPDATE ledger_holdstate SET open_minor = 1"), "hold_adds_up"),
        (
            DEEPER.format(body="UPDATE ledger_holdstate SET status = 'EXPIRED', open_minor = 0"),
            "hold_adds_up",
        ),
        (
            DEEPER.format(
                body="UPDATE ledger_holdstate SET account_id = (SELECT max(id) FROM ledger_account WHERE sign = 1)"
            ),
            "hold_adds_up",
        ),
    ],
)
def test_raw_sql_cannot_free_or_take_what_is_held(statement: str, name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        ask_now()
        cursor.execute(statement)
        ask_now()

    assert not name or refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def test_one_posting_covers_the_captures_that_name_it_only_once(wallet: Account) -> None:
    hold(wallet, 100)

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(event("DECREASE", -90, key="room"))
        posted = post(draft=draft((wallet, 60), (bank(), -60)), now=NOW)
        cursor.execute(event("CAPTURE", -10, transaction=posted.public_id, key="fits"))
        ask_now()
        cursor.execute(
            event("CAPTURE", -41, transaction=posted.public_id, end="WHERE amount_minor = 700 LIMIT 1")
        )
        ask_now()

    assert refused.value.__cause__.diag.constraint_name == "hold_capture_booked"  # type: ignore[union-attr]


def test_what_the_caller_says_about_results_is_overwritten(wallet: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key,
                                             actor, recorded_at)
               SELECT id, 'RELEASE', -1, 699, '', 'raw', 'SYSTEM:raw', '2001-01-01' FROM ledger_hold"""
        )

    written = HoldEvent.objects.get(source_key="raw")
    assert (written.delta_minor, written.open_after_minor) == (-700, 0)
    assert written.recorded_at.year > 2001
    assert get_balance(wallet.pk).held == eur(0)


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


@pytest.mark.django_db(transaction=True)
def test_one_key_from_many_threads_holds_captures_and_releases_once() -> None:
    account = wallet_account()
    fund(account, 1_000)

    holds = together(*[lambda: hold(account, 400, key="once")] * 20)
    taken = together(*[lambda: capture(holds[0], account, 100, key="take", final=False)] * 20)
    back = together(
        *[lambda: release_hold(hold_id=holds[0].hold_id, source_key="back", now=NOW)] * 20,
    )

    for answers in (holds, taken, back):
        assert sum(not answer.replayed for answer in answers) == 1
    assert len({answer.hold_id for answer in holds}) == len({answer.public_id for answer in taken}) == 1
    assert HoldEvent.objects.count() == 3
    assert get_balance(account.pk).available == eur(900)
    assert verify().clean


@pytest.mark.django_db(transaction=True)
def test_sweeps_captures_and_releases_at_once_end_each_hold_once() -> None:
    account, later = wallet_account(), NOW + timedelta(seconds=60)
    fund(account, 1_000)
    holds = [hold(account, 100, seconds=60) for _ in range(8)]

    answers = together(
        *(lambda: expire_holds(now=later) for _ in range(4)),
        *(lambda held=held: capture(held, account, 100) for held in holds),
        *(lambda held=held: release_hold(hold_id=held.hold_id, source_key="back", now=NOW) for held in holds),
    )

    swept = sum(answer for answer in answers if isinstance(answer, int))
    captured = sum(isinstance(answer, Posted) for answer in answers)
    released = sum(isinstance(answer, HoldView) for answer in answers)
    assert swept + captured + released == 8
    assert sum(isinstance(answer, errors.HoldFinal) for answer in answers) == 16 - captured - released
    assert get_balance(account.pk).posted == eur(1_000 - 100 * captured)
    assert Balance.objects.get(pk=account.pk).held == 0
    assert verify().clean
