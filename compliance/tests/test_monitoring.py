"""The feed stores each movement once, and runs raise the same alerts however the stream was cut."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from compliance.models.cases import Case, CaseEvent
from compliance.models.monitoring import Activity, Alert, AlertEvidence, DirtyWindow, ScenarioRun
from compliance.operations.monitoring import open_alert, run_scenarios
from compliance.operations.monitoring_feed import feed_activities, feed_transaction
from compliance.tests.watching import at, cash_in, pay
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.events.relay import relay
from flowlet.identity.models import Customer, Partner
from ledger.operations.posting import reverse
from wallets.models import Wallet
from wallets.operations.bank import withdraw
from wallets.tests.factories import make_bank_account, make_customer, make_wallet

Rows = list[tuple[object, ...]]


@pytest.fixture
def wallet(customer: Customer) -> Wallet:
    return make_wallet(customer, "USD")


@pytest.fixture
def other_wallet(partner: Partner) -> Wallet:
    return make_wallet(make_customer(partner, "Rosa Delmar"), "USD")


def rows() -> Rows:
    """Return all that an activity holds but its key, in the order of movements."""
    columns = [one.attname for one in Activity._meta.concrete_fields if one.attname != "id"]
    return list(Activity.objects.order_by("transaction_id", "wallet_id").values_list(*columns))


def alerts() -> set[tuple[object, ...]]:
    """Return the alerts that stand with all that they say, by names that no run gives."""
    return {
        (
            *(alert.episode_key, alert.severity, alert.reason, alert.first_at, alert.latest_at),
            *(alert.amount_minor, frozenset(alert.evidence.values_list("activity__transaction", flat=True))),
        )
        for alert in Alert.objects.exclude(status="DISMISSED")
    }


def test_the_event_and_the_sweep_store_the_same_rows(wallet: Wallet, other_wallet: Wallet) -> None:
    cash_in(wallet, 900_000, at(1), "a")
    pay(wallet, other_wallet, 250_000, at(2), "b")
    bank_account = make_bank_account(wallet.customer, "USD")
    withdraw(
        wallet_id=wallet.pk,
        bank_account_id=bank_account.pk,
        amount=Money(50_000, "USD"),
        idempotency_key=None,
        now=at(3),
    )
    make_wallet(make_customer(wallet.partner, "Piet Lomme"), "EUR", balance=12_345)
    make_wallet(make_customer(wallet.partner, "Ana Duarte"), "JPY", balance=77_777)

    relay(now=at(4))
    by_event = rows()
    _empty()
    fed = feed_activities()

    assert fed == len(by_event) == 6
    assert rows() == by_event


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM compliance_activity")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_an_activity_says_who_when_which_way_and_how_much_in_dollars(
    wallet: Wallet, other_wallet: Wallet
) -> None:
    cash_in(wallet, 900_000, at(1), "a")
    pay(wallet, other_wallet, 250_000, at(2), "b")
    make_wallet(make_customer(wallet.partner, "Piet Lomme"), "EUR", balance=10_000)
    feed_activities()

    cash, paid = Activity.objects.filter(customer=wallet.customer).order_by("at")
    got = Activity.objects.get(customer=other_wallet.customer)
    euros = Activity.objects.get(currency="EUR")

    assert (cash.kind, cash.channel, cash.side, cash.counterparty_key) == ("CASH_DEPOSIT", "CASH", "IN", "")
    assert (paid.side, paid.counterparty, paid.counterparty_country) == ("OUT", other_wallet.customer, "NO")
    assert (got.side, got.counterparty_key, got.at) == ("IN", wallet.customer.public_id, at(2))
    assert (got.amount_minor, got.reporting_minor, got.rate_code) == (250_000, 250_000, "PLAN-2025-01")
    assert (euros.channel, euros.counterparty_country, euros.reporting_minor) == ("BANK", "DE", 10_800)


def test_a_currency_without_a_rate_is_unpriced_and_counted(partner: Partner) -> None:
    cash_in(make_wallet(make_customer(partner), "XAF"), 5_000, at(1), "a")
    feed_activities()

    (run,) = run_scenarios(now=at(2))

    assert Activity.objects.get().reporting_minor is None
    assert (run.activities, run.unpriced) == (1, 1)


def test_the_same_event_again_stores_nothing_and_marks_nothing(wallet: Wallet) -> None:
    posted = cash_in(wallet, 900_000, at(1), "a")
    feed_transaction(public_id=posted.public_id)
    DirtyWindow.objects.all().delete()

    assert feed_transaction(public_id=posted.public_id) == 0
    assert feed_activities() == 0
    assert Activity.objects.count() == 1
    assert not DirtyWindow.objects.exists()


def test_a_reversed_movement_stays_visible_but_leaves_the_sums(wallet: Wallet) -> None:
    posted = [cash_in(wallet, 900_000, at(n), f"c{n}") for n in range(3)]
    feed_activities()
    run_scenarios(now=at(3))
    assert Alert.objects.get().status == "IN_CASE"

    reverse(
        transaction_public_id=posted[1].public_id,
        source="test",
        source_key="undo",
        effective_date=at(4).date(),
        now=at(4),
    )
    feed_activities()
    run_scenarios(now=at(4))

    assert Activity.objects.count() == 4
    assert (Alert.objects.get().status, Alert.objects.get().dismiss_reason) == ("DISMISSED", "GONE")
    assert Case.objects.get().state == "OPEN"
    assert CaseEvent.objects.filter(kind="ALERT_GONE").exists()


def test_an_alert_opens_a_case_with_due_time_and_later_ones_join_it(
    wallet: Wallet, other_wallet: Wallet
) -> None:
    for n in range(3):
        cash_in(wallet, 900_000, at(n), f"c{n}")
    feed_activities()
    run_scenarios(now=at(4))
    open_alert(
        customer_id=wallet.customer_id,
        source="fraud",
        source_key="fdc_1",
        reason="A device of a known mule was used.",
        now=at(5),
    )
    again = open_alert(
        customer_id=wallet.customer_id, source="fraud", source_key="fdc_1", reason="Again.", now=at(6)
    )

    case = Case.objects.get()

    assert (case.customer, case.severity, case.state) == (wallet.customer, "HIGH", "OPEN")
    assert at(4).strftime("%a") == "Fri"
    assert case.due_at == at(7)
    assert case.title == "Structuring below the reporting limit + Fraud"
    assert case.links.count() == 2
    assert again.reason == "A device of a known mule was used."
    assert list(CaseEvent.objects.order_by("pk").values_list("kind", flat=True)) == ["OPENED", "ALERT_ADDED"]
    del other_wallet


def test_a_run_says_what_it_looked_at_and_leaves_nothing_dirty(wallet: Wallet) -> None:
    for n in range(4):
        cash_in(wallet, 900_000, at(n), f"c{n}")
    feed_activities()

    (run,) = run_scenarios(now=at(5))

    assert (run.customers, run.activities, run.alerts_new, run.window_from) == (1, 4, 1, at(0))
    assert len(run.versions) == 5
    assert AlertEvidence.objects.count() == 4
    assert run_scenarios(now=at(6)) == []
    assert not DirtyWindow.objects.exists()
    assert ScenarioRun.objects.count() == 1


Step = tuple[float, str, int]
_STEPS = st.lists(
    st.tuples(
        st.integers(0, 60 * 24).map(lambda hours: hours / 24),
        st.sampled_from(["cash", "in", "out"]),
        st.integers(700, 1_100).map(lambda dollars: dollars * 1_000),
    ),
    min_size=4,
    max_size=14,
)


# Not shrunk: each example posts real transactions, and making one smaller would take minutes.
@given(steps=_STEPS, cuts=st.lists(st.booleans(), min_size=14, max_size=14), seed=st.randoms())
@settings(
    max_examples=20,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_split_and_any_order_of_arrival_gives_the_same_alerts(
    wallet: Wallet,
    other_wallet: Wallet,
    steps: Sequence[Step],
    cuts: Sequence[bool],
    seed: random.Random,
) -> None:
    with _no_trace():
        cash_in(other_wallet, 100_000_000, at(-30), "purse")
        cash_in(wallet, 100_000_000, at(-30), "purse2")
        ids = [_post(step, number, wallet, other_wallet) for number, step in enumerate(steps)]
        arrival = list(zip(ids, cuts, strict=False))
        seed.shuffle(arrival)

        split, batch = _outcome(arrival), _outcome([])

    assert split == batch


@contextmanager
def _no_trace() -> Iterator[None]:
    """Undo all that is done inside; no atomic block, which the order of locks would take for one transaction."""
    start = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(start)
        connection.needs_rollback = False


def _post(step: Step, number: int, wallet: Wallet, other: Wallet) -> str:
    day, kind, minor = step
    if kind == "cash":
        return cash_in(wallet, minor, at(day), f"s{number}").public_id
    payer, payee = (other, wallet) if kind == "in" else (wallet, other)
    return pay(payer, payee, minor, at(day), f"s{number}").public_id


def _outcome(arrival: Sequence[tuple[str, bool]]) -> set[tuple[object, ...]]:
    """Return the alerts that a way of feeding ends in, and leave no trace of it."""
    with _no_trace():
        for txn, run_now in arrival:
            feed_transaction(public_id=txn)
            if run_now:
                run_scenarios(now=at(90))
        feed_activities()
        run_scenarios(now=at(90))
        return alerts()


@pytest.mark.parametrize("table", ["activity", "alertevidence", "caseevent", "casealert"])
@pytest.mark.parametrize("sql", ["UPDATE compliance_{} SET id = id", "DELETE FROM compliance_{}"])
def test_what_is_evidence_is_written_once(wallet: Wallet, table: str, sql: str) -> None:
    for n in range(3):
        cash_in(wallet, 900_000, at(n), f"c{n}")
    feed_activities()
    run_scenarios(now=at(3))

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.format(table))


@pytest.mark.parametrize("table", ["alert", "case"])
def test_alerts_and_cases_cannot_be_removed_or_handed_to_another_customer(
    wallet: Wallet, other_wallet: Wallet, table: str
) -> None:
    for n in range(3):
        cash_in(wallet, 900_000, at(n), f"c{n}")
    feed_activities()
    run_scenarios(now=at(3))

    for sql in (
        "UPDATE compliance_{} SET customer_id = %s",
        "DELETE FROM compliance_{} WHERE customer_id <> %s",
    ):
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.format(table), [other_wallet.customer_id])


def test_two_open_cases_of_one_customer_are_refused(wallet: Wallet) -> None:
    Case.objects.create(customer=wallet.customer, severity="LOW", title="One", due_at=at(1), opened_at=at(0))

    with pytest.raises(IntegrityError, match="case_one_open_per_customer"), transaction.atomic():
        Case.objects.create(
            customer=wallet.customer, severity="LOW", title="Two", due_at=at(1), opened_at=at(0)
        )


def test_nothing_that_partners_can_read_knows_of_an_alert(wallet: Wallet) -> None:
    before = set(Event.objects.values_list("pk", flat=True))
    for n in range(3):
        cash_in(wallet, 900_000, at(n), f"c{n}")
    relay(now=clock.now())
    run_scenarios(now=at(3))

    told = Event.objects.exclude(pk__in=before).exclude(type="ledger.transaction_posted")

    assert Alert.objects.exists()
    assert not told.exists()


def test_a_late_movement_that_joins_two_episodes_leaves_one_alert(wallet: Wallet) -> None:
    early = [cash_in(wallet, 900_000, at(n), f"e{n}") for n in range(3)]
    late = [cash_in(wallet, 900_000, at(45 + n), f"l{n}") for n in range(3)]
    bridge = [cash_in(wallet, 900_000, at(22 + n), f"b{n}") for n in range(3)]
    for posted in (*early, *late):
        feed_transaction(public_id=posted.public_id)
    run_scenarios(now=at(50))
    assert Alert.objects.exclude(status="DISMISSED").count() == 2

    for posted in bridge:
        feed_transaction(public_id=posted.public_id)
    run_scenarios(now=at(51))

    standing = Alert.objects.exclude(status="DISMISSED").get()
    assert standing.evidence.count() == 9
    assert Alert.objects.get(status="DISMISSED").dismiss_reason == "MERGED"
    assert standing.latest_at - standing.first_at == timedelta(days=47)
    assert isinstance(standing.raised_at, datetime)
