"""The database is the last judge: what raw SQL must not be able to do."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from ledger.models.accounts import Account, Balance
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account
from ledger.operations.posting import post, reverse
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, move, wallet_account

pytestmark = pytest.mark.django_db

HEADER = """
    INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
                                    reverses_id, actor, context, xid, posted_at)
    VALUES ('txn_' || md5(gen_random_uuid()::text), 'RAW', 'raw', gen_random_uuid()::text, '', '2026-11-02', %(legs)s,
            %(reverses)s, 'SYSTEM:raw', '{}', 1, '2001-01-01') RETURNING id
"""
LEG = """
    INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after,
                                held_after, account_seq, posted_at) VALUES
"""


def sql(statement: str, parameters: object = None) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def header(*, legs: int = 2, reverses: int | None = None) -> int:
    return int(str(sql(HEADER, {"legs": legs, "reverses": reverses})[0][0]))


def legs(header_id: int, *rows: tuple[int, Account, int], tail: str = "", day: str = "2026-11-02") -> None:
    values = ", ".join(["(%s, %s, %s, %s, %s, %s, 42, 42, 42, '2001-01-01')"] * len(rows))
    parameters = [
        value
        for leg, account, minor in rows
        for value in (header_id, leg, account.pk, account.currency, minor, day)
    ]
    sql(f"{LEG} {values} {tail}", parameters)


@pytest.fixture
def refused() -> Callable[[str], AbstractContextManager[object]]:
    """A block that must end in the refusal of that name, at the latest when the constraints are asked at commit."""

    class Refused:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            sql("SET CONSTRAINTS ALL IMMEDIATE")
            sql("SET CONSTRAINTS ALL DEFERRED")
            self.savepoint = transaction.atomic()
            self.savepoint.__enter__()

        def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
            try:
                if error is None:
                    sql("SET CONSTRAINTS ALL IMMEDIATE")
            except IntegrityError as late:
                error = late
            self.savepoint.__exit__(IntegrityError, error or IntegrityError("nothing was refused"), None)
            sql("SET CONSTRAINTS ALL DEFERRED")
            assert isinstance(error, IntegrityError), error
            assert error.__cause__.diag.constraint_name == self.name  # type: ignore[union-attr]
            assert error.__cause__.pgcode == "23514"  # type: ignore[union-attr]
            return True

    return Refused


@pytest.fixture
def payer() -> Account:
    account = wallet_account()
    fund(account, 1_000)
    return account


@pytest.fixture
def payee() -> Account:
    return wallet_account()


@pytest.fixture(autouse=True)
def _all_constraints_hold_in_the_end() -> Iterator[None]:
    yield
    sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_orm_may_post_with_one_bulk_create(payer: Account, payee: Account) -> None:
    row = LedgerTransaction.objects.create(
        kind="RAW",
        source="raw",
        source_key="1",
        fingerprint=b"",
        effective_date=TODAY,
        leg_count=2,
        actor="SYSTEM:raw",
    )
    Posting.objects.bulk_create(
        Posting(
            transaction=row, leg=leg, account=account, currency="EUR", amount=amount, effective_date=TODAY
        )
        for leg, (account, amount) in enumerate(((payer, 400), (payee, -400)), start=1)
    )

    assert Posting.objects.get(transaction=row, leg=1).balance_after == 600
    assert Balance.objects.get(pk=payee.pk).posted == 400


def test_what_the_database_fills_cannot_be_forged(payer: Account, payee: Account) -> None:
    header_id = header()
    legs(header_id, (1, payer, 400), (2, payee, -400))

    row = LedgerTransaction.objects.get(pk=header_id)
    leg = Posting.objects.get(transaction_id=header_id, leg=1)
    assert row.xid == sql("SELECT pg_current_xact_id()::text::bigint")[0][0]
    assert row.posted_at.year > 2001
    assert leg.posted_at >= row.posted_at
    assert (leg.balance_after, leg.held_after, leg.account_seq) == (600, 0, 2)


def test_unbalanced_legs_are_refused(refused: Callable, payer: Account, payee: Account) -> None:
    with refused("posting_balanced"):
        legs(header(), (1, payer, 400), (2, payee, -399))


def test_legs_that_balance_only_across_currencies_are_refused(refused: Callable, payer: Account) -> None:
    with refused("posting_balanced"):
        legs(header(), (1, payer, 400), (2, wallet_account("USD"), -400))


def test_incomplete_legs_are_refused(refused: Callable, payer: Account, payee: Account) -> None:
    with refused("posting_complete"):
        legs(header(legs=3), (1, payer, 400), (2, payee, -400))
    with refused("posting_complete"):
        legs(header(), (2, payer, 400), (3, payee, -400))
    with refused("posting_complete"):
        legs(header(), (1, payer, 400))


def test_one_bad_transaction_among_good_ones_is_found(
    refused: Callable, payer: Account, payee: Account
) -> None:
    with refused("posting_balanced"):
        good, bad = header(), header()
        rows = [(good, 1, payer, 5), (good, 2, payee, -5), (bad, 1, payer, 5), (bad, 2, payee, -4)]
        values = ", ".join(
            f"({of}, {leg}, {account.pk}, 'EUR', {minor}, '2026-11-02', 0, 0, 0, now())"
            for of, leg, account, minor in rows
        )
        sql(LEG + values)


def test_a_header_without_legs_is_refused_at_commit(refused: Callable) -> None:
    with refused("transaction_has_legs"):
        header()
    with refused("transaction_has_legs"):
        header(legs=0)


def test_an_overdraft_is_refused(refused: Callable, payer: Account, payee: Account) -> None:
    with refused("balance_floor"):
        legs(header(), (1, payer, 1_001), (2, payee, -1_001))


def test_money_does_not_move_on_a_frozen_account(refused: Callable, payer: Account, payee: Account) -> None:
    Balance.objects.filter(pk=payer.pk).update(status="FROZEN")

    with refused("balance_open"):
        legs(header(), (1, payer, 1), (2, payee, -1))


def test_another_currency_than_the_accounts_is_refused(
    refused: Callable, payer: Account, payee: Account
) -> None:
    payer.currency = payee.currency = "USD"

    with refused("posting_account_currency"):
        legs(header(), (1, payer, 4), (2, payee, -4))


def test_an_unknown_account_is_refused(refused: Callable, payer: Account, payee: Account) -> None:
    payee.pk = 999_999

    with refused("posting_account"):
        legs(header(), (1, payer, 4), (2, payee, -4))


def test_a_leg_of_nothing_or_of_too_much_is_refused(
    refused: Callable, payer: Account, payee: Account
) -> None:
    with refused("posting_amount"):
        legs(header(legs=3), (1, payer, 4), (2, payee, -4), (3, bank(), 0))
    position = house_account(chart_code="FX_POSITION", currency="EUR", now=NOW)
    post(draft=draft((payer, 5), (position, -5)), now=NOW)
    with refused("posting_amount"):
        legs(header(), (1, position, 10**15 + 1), (2, payee, -(10**15) - 1))


def test_legs_cannot_be_added_to_an_old_transaction(
    refused: Callable, payer: Account, payee: Account
) -> None:
    posted = move(payer, payee, 100)
    # As if another database transaction had written it.
    sql("SET session_replication_role = replica")
    sql("UPDATE ledger_transaction SET xid = 3 WHERE id = %s", [posted.transaction_id])
    sql("SET session_replication_role = DEFAULT")

    with refused("posting_header"):
        legs(posted.transaction_id, (3, payer, 4), (4, payee, -4))


def test_legs_cannot_be_added_within_the_same_transaction(
    refused: Callable, payer: Account, payee: Account
) -> None:
    posted = move(payer, payee, 100)

    with refused("posting_complete"):
        legs(posted.transaction_id, (3, payer, 4), (4, payee, -4))


def test_legs_of_no_transaction_are_refused(refused: Callable, payer: Account, payee: Account) -> None:
    with refused("posting_header"):
        legs(999_999, (1, payer, 4), (2, payee, -4))


def test_legs_on_another_day_than_their_header_are_refused(
    refused: Callable, payer: Account, payee: Account
) -> None:
    with refused("posting_date"):
        legs(header(), (1, payer, 4), (2, payee, -4), day="2025-12-31")


def test_a_dropped_conflicting_leg_does_not_move_the_balance(
    refused: Callable, payer: Account, payee: Account
) -> None:
    # The row guard has run when ON CONFLICT drops the row: the balance must not keep what has no posting.
    posted = move(payer, payee, 100)

    with refused("balance_has_posting"):
        legs(posted.transaction_id, (1, payee, -500), tail="ON CONFLICT DO NOTHING")


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE ledger_posting SET amount = amount + 1", "append_only"),
        ("DELETE FROM ledger_posting", "append_only"),
        ("TRUNCATE ledger_posting", "append_only"),
        ("UPDATE ledger_transaction SET kind = 'OTHER'", "append_only"),
        ("DELETE FROM ledger_transaction", "append_only"),
        ("TRUNCATE ledger_transaction CASCADE", "append_only"),
        ("UPDATE ledger_transactiontext SET salt = ''", "append_only"),
        ("DELETE FROM ledger_transactiontext", "append_only"),
        ("TRUNCATE ledger_transactiontext", "append_only"),
        ("UPDATE ledger_balance SET posted = posted + 1", "balance_guarded"),
        ("UPDATE ledger_balance SET held = 1 WHERE posted > 0", "balance_guarded"),
        ("UPDATE ledger_balance SET seq = 0", "balance_guarded"),
        ("UPDATE ledger_balance SET status = 'MINE'", "balance_status"),
        ("UPDATE ledger_balance SET status = 'CLOSED'", "balance_closed_empty"),
        ("UPDATE ledger_balance SET floor = 5000", "balance_floor"),
        ("DELETE FROM ledger_balance", "balance_guarded"),
        ("TRUNCATE ledger_balance", "balance_guarded"),
        (
            """INSERT INTO ledger_balance SELECT 77, currency, sign, status, posted, held, pending_in, seq, floor,
                   latest_posted_at FROM ledger_balance""",
            "balance_guarded",
        ),
        ("UPDATE ledger_account SET currency = 'USD'", "account_fixed"),
        ("UPDATE ledger_account SET sign = -sign", "account_fixed"),
        ("DELETE FROM ledger_account", "account_fixed"),
        ("TRUNCATE ledger_account CASCADE", "account_fixed"),
        ("UPDATE ledger_currency SET exponent = 3 WHERE code = 'EUR'", "currency_fixed"),
        ("DELETE FROM ledger_currency WHERE code = 'CLF'", "currency_fixed"),
        (
            "UPDATE ledger_chartaccount SET kind = 'ASSET' WHERE code = 'CUSTOMER_WALLETS'",
            "chart_account_fixed",
        ),
    ],
)
def test_what_is_written_stays(
    refused: Callable, payer: Account, payee: Account, statement: str, name: str
) -> None:
    move(payer, payee, 100, text="Rent")

    with refused(name):
        sql(statement)


def test_a_trigger_of_ones_own_is_no_way_round(refused: Callable, payer: Account) -> None:
    sql("CREATE TEMP TABLE mine (x int)")
    sql(
        "CREATE FUNCTION pg_temp.raise_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE public.ledger_balance SET posted = posted + 1000000; RETURN NULL; END $$"
    )
    sql("CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.raise_it()")

    with refused("balance_has_posting"):
        sql("INSERT INTO mine VALUES (1)")
    sql("DROP TABLE mine")


def test_a_reversal_mirrors_exactly_and_once(refused: Callable, payer: Account, payee: Account) -> None:
    original = move(payer, payee, 100)
    target = original.transaction_id

    with refused("posting_mirror"):
        legs(header(reverses=target), (1, payer, -99), (2, payee, 99))
    with refused("posting_mirror"):
        legs(header(reverses=target), (1, bank(), -100), (2, payee, 100))
    with refused("posting_mirror"):
        legs(
            header(legs=4, reverses=target), (1, payer, -100), (2, payee, 100), (3, bank(), 5), (4, payer, -5)
        )
    with refused("transaction_reversible"):
        header(reverses=999_999)
    undo = reverse(
        transaction_public_id=original.public_id,
        source="test",
        source_key="undo",
        effective_date=TODAY,
        now=NOW,
    )
    with refused("transaction_reversible"):
        header(reverses=undo.transaction_id)
    with pytest.raises(IntegrityError, match="transaction_reversed_once"), transaction.atomic():
        header(reverses=target)


def test_a_text_comes_only_with_its_transaction(refused: Callable, payer: Account, payee: Account) -> None:
    posted = move(payer, payee, 100)
    sql("SET session_replication_role = replica")
    sql("UPDATE ledger_transaction SET xid = 3 WHERE id = %s", [posted.transaction_id])
    sql("SET session_replication_role = DEFAULT")

    with refused("text_with_transaction"):
        sql(
            "INSERT INTO ledger_transactiontext (transaction_id, public_id, salt, text) VALUES (%s, 'ttx', '', '')",
            [posted.transaction_id],
        )


def test_copy_goes_through_the_same_guards(refused: Callable, payer: Account, payee: Account) -> None:
    def copy(*rows: tuple[int, Account, int]) -> None:
        header_id = header(legs=len(rows))
        lines = "".join(
            f"{header_id},{leg},{acc.pk},EUR,{minor},2026-11-02,9,9,9,now\n" for leg, acc, minor in rows
        )
        columns = (
            "transaction_id, leg, account_id, currency, amount, effective_date, balance_after, held_after"
        )
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY ledger_posting ({columns}, account_seq, posted_at) FROM STDIN CSV", io.StringIO(lines)
            )

    copy((1, payer, 100), (2, payee, -100))
    assert Balance.objects.get(pk=payer.pk).posted == 900
    for rows, name in (
        (((1, payer, 100), (2, payee, -99)), "posting_balanced"),
        (((1, payer, 901), (2, payee, -901)), "balance_floor"),
    ):
        with pytest.raises(Exception) as refusal, transaction.atomic():  # noqa: PT011 - psycopg2's own, past Django
            copy(*rows)
        cause = refusal.value.__cause__ or refusal.value
        assert cause.diag.constraint_name == name


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_the_ledger_is_written_under_read_committed_only(level: str) -> None:
    with pytest.raises(IntegrityError, match="READ COMMITTED"), transaction.atomic():
        sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
        header()


def test_switching_triggers_off_is_for_superusers_only(payer: Account) -> None:
    sql("CREATE ROLE ledger_attacker")
    sql("GRANT ALL ON ledger_posting, ledger_transaction, ledger_balance TO ledger_attacker")

    for statement in (
        "SET session_replication_role = replica",
        "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
        "DROP TRIGGER posting_guard ON ledger_posting",
        "ALTER TABLE ledger_balance DROP CONSTRAINT balance_floor",
        """CREATE OR REPLACE FUNCTION ledger_legs_fault(boolean, int, date, numeric, int, int, date, date, boolean)
               RETURNS text LANGUAGE sql AS 'SELECT NULL::text'""",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            sql("SET LOCAL ROLE ledger_attacker")
            sql(statement)


def test_posting_by_the_operation_is_refused_alike(payer: Account, payee: Account) -> None:
    with pytest.raises(IntegrityError, match="transaction_named"), transaction.atomic():
        post(draft=draft((payer, 1), (payee, -1), kind=""), now=NOW)
