"""The sealer under concurrency: late commits, a long writer elsewhere, a restore; nothing missed, nothing twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models.accounts import Account
from ledger.models.seals import Block, SealedTransaction
from ledger.models.transactions import LedgerTransaction
from ledger.operations.checking import prove
from ledger.operations.posting import Posted
from ledger.operations.sealing import seal
from ledger.queries.seals import get_unsealed
from ledger.tests.factories import NOW, fund, move, wallet_account
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def kept_open(work: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Do the work in a transaction of another connection that stays open until the function given is called."""
    done, go = Event(), Event()

    def run() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                assert go.wait(30)
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running: Future[None] = pool.submit(run)
        assert done.wait(30)

        def finish() -> None:
            go.set()
            running.result(30)

        try:
            yield finish
        finally:
            finish()


def write_elsewhere() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")


def blocks_of(*posted: Posted) -> list[int]:
    found = dict(SealedTransaction.objects.values_list("pk", "block_id"))
    return [found.get(one.transaction_id, 0) for one in posted]


@pytest.fixture
def accounts() -> tuple[Account, Account, Account]:
    payer, payee, third = wallet_account(), wallet_account(), wallet_account()
    fund(payer, 1_000)
    fund(third, 1_000)
    seal()
    return payer, payee, third


def test_a_late_commit_is_sealed_and_a_long_writer_elsewhere_delays_nothing(
    accounts: tuple[Account, Account, Account],
) -> None:
    payer, payee, third = accounts
    late: list[Posted] = []

    with kept_open(write_elsewhere), kept_open(lambda: late.append(move(payer, payee, 5))) as commit:
        early = [move(third, wallet_account(), 1) for _ in range(3)]
        assert seal() == 1
        assert blocks_of(*early, *late) == [2, 2, 2, 0]
        commit()
        after = move(third, wallet_account(), 1)
        assert seal() == 1
        assert blocks_of(*late, after) == [3, 3]
        assert seal() == 0

    assert get_unsealed().oldest is None
    assert prove(now=NOW).findings == []


def test_sealers_and_writers_at_once_seal_each_transaction_once(
    accounts: tuple[Account, Account, Account],
) -> None:
    payer, payee, third = accounts

    def write(one: Account, other: Account) -> Callable[[], object]:
        return lambda: [move(one, other, 1) for _ in range(15)]

    def seals() -> int:
        return sum(seal() for _ in range(15))

    together(write(payer, payee), write(third, payee), write(payee, third), seals, seals)
    seal()

    assert LedgerTransaction.objects.filter(seal=None).count() == 0
    assert (
        sum(Block.objects.values_list("transactions", flat=True)) == LedgerTransaction.objects.count() >= 32
    )
    assert prove(now=NOW).findings == []


@pytest.fixture
def _signer() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT epoch, cluster FROM ledger_signer")
        epoch, cluster = cursor.fetchone()
        yield
        cursor.execute(
            "UPDATE ledger_signer SET epoch = %s, cluster = %s, older_until = NULL, older_sealed = true",
            [epoch, cluster],
        )


def older_sealed() -> bool:
    """Tell whether the sealer has given up looking for rows of the cluster before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT older_sealed FROM ledger_signer")
        return bool(cursor.fetchone()[0])


@pytest.mark.usefixtures("_signer")
def test_after_a_restore_into_another_cluster_old_and_new_are_sealed(
    accounts: tuple[Account, Account, Account],
) -> None:
    payer, payee, third = accounts
    # Numbers of the other cluster were far ahead; here they start anew.
    waiting = move(payer, payee, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_signer SET cluster = cluster + 1")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_block SET floor_xid = floor_xid + 1000000")
        cursor.execute("SET session_replication_role = DEFAULT")
    late: list[Posted] = []

    # Transaction numbers are those of the whole server: a writer of ours, open all along, stands for whatever its other
    # databases do, so that the test meets the same whether they are busy or not.
    with kept_open(write_elsewhere):
        with kept_open(lambda: late.append(move(third, wallet_account(), 1))) as commit:
            assert seal() == 1
            fresh = move(payer, payee, 1)
            assert seal() == 1
            commit()
            assert seal() == 1
        assert seal() == 0
        assert not older_sealed()

    assert blocks_of(waiting, fresh, *late) == [2, 3, 4]
    assert [t.epoch for t in LedgerTransaction.objects.order_by("pk").filter(seal__block__gt=1)] == [1, 1, 2]
    # The search for older rows ends when whoever may have written one is over. When that is, the other databases say:
    # so a number that is surely over.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_signer SET older_until = 0 WHERE older_until IS NOT NULL")
        assert cursor.rowcount == 1
    assert seal() == 0
    assert older_sealed()


def test_only_the_sealer_writes_what_it_writes(accounts: tuple[Account, Account, Account]) -> None:
    move(accounts[0], accounts[1], 1)
    attempts = {
        "INSERT INTO ledger_sealedtransaction SELECT max(id), 1 FROM ledger_transaction": "sealer_only",
        "UPDATE ledger_daytotal SET debit = debit + 1": "sealer_only",
        "DELETE FROM ledger_daytotal": "sealer_only",
        "UPDATE ledger_block SET hash = previous": "append_only",
        "DELETE FROM ledger_block": "append_only",
        "UPDATE ledger_sealedtransaction SET block_id = 7": "append_only",
        "TRUNCATE ledger_block CASCADE": "append_only",
        """INSERT INTO ledger_anchor (block_id, hash, key_id, signature, made_at)
           VALUES (1, sha256('x'), 1, '', now())""": "anchor_block",
    }

    for statement, constraint in attempts.items():
        with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert refusal.value.__cause__.diag.constraint_name == constraint, statement
    # Whatever is sent, an insert into the blocks is the sealer's.
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_block (n, transactions, hash) VALUES (99, 5, 'made up')")
    assert list(Block.objects.order_by("n").values_list("n", "transactions")) == [(1, 2), (2, 1)]
    assert prove(now=NOW).findings == []
