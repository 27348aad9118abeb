"""Two transactions that lock two rows the other way round: PostgreSQL ends one, and the caller sees neither loss."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction

from flowlet.core.again import in_transaction


def _locks(*names: str, meet: Callable[[], object]) -> None:
    """Take two locks one after the other; `meet` waits until the other side has its first."""
    with connection.cursor() as cursor:
        for number, name in enumerate(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            if number == 0:
                meet()


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_again_and_both_sides_get_through() -> None:
    barrier, tries = Barrier(2), {"ab": 0, "ba": 0}

    def side(names: str) -> str:
        def act() -> str:
            tries[names] += 1
            # Only the first tries meet; whoever comes again finds the way free.
            _locks(*names, meet=barrier.wait if tries[names] == 1 else lambda: None)
            return names

        try:
            with connection.cursor() as cursor:
                cursor.execute("SET deadlock_timeout = '20ms'")
            return in_transaction(act)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(side, ("ab", "ba")))

    assert done == ["ab", "ba"]
    assert sum(tries.values()) == 3


@pytest.mark.django_db(transaction=True)
def test_the_third_loss_is_told() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError):
        in_transaction(act)

    assert len(tries) == 3


@pytest.mark.django_db
def test_inside_another_transaction_it_runs_once() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$")

    with transaction.atomic(), pytest.raises(OperationalError):
        in_transaction(act)

    assert len(tries) == 1
