"""Postings parted by month: the same guards, the same proofs, and months that are made ahead."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from flowlet.audit.rights import ROLE
from ledger.models.accounts import Balance
from ledger.models.transactions import Posting
from ledger.operations.partitions import make_months
from ledger.operations.posting import reverse
from ledger.queries.partitions import is_partitioned
from ledger.queries.verification import verify
from ledger.tasks import make_partitions
from ledger.tests.factories import NOW, TODAY, fund, move, wallet_account

pytestmark = pytest.mark.django_db

_HEADER = """
INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count, actor, context)
VALUES ('txn_direct', 'RAW', 'raw', 'direct', '', '2026-11-02', 2, 'SYSTEM:raw', jsonb_build_object())
"""
_LEGS = """
INSERT INTO {table} (id, transaction_id, leg, account_id, currency, amount, effective_date, balance_after, held_after,
                     account_seq, posted_at)
VALUES (-1, currval('ledger_transaction_id_seq'), 1, {account}, 'EUR', 100, '2026-11-02', 0, 0, 0, {at})
"""


def _sql(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _part() -> None:
    call_command("partition_ledger", "--yes", stdout=StringIO())


def test_old_postings_stay_and_new_ones_follow_under_the_same_guards() -> None:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    posted = move(payer, payee, 300)

    _part()
    move(payer, payee, 50)
    reverse(
        transaction_public_id=posted.public_id, source="undo", source_key="1", effective_date=TODAY, now=NOW
    )

    assert is_partitioned()
    assert Balance.objects.get(pk=payer.pk).posted == 950
    assert list(
        Posting.objects.filter(account=payer).order_by("account_seq").values_list("account_seq", flat=True)
    ) == [1, 2, 3, 4]
    assert len(set(Posting.objects.values_list("pk", flat=True))) == Posting.objects.count()
    assert verify().clean


@pytest.mark.parametrize(
    ("attack", "constraint"),
    [
        ("UPDATE ledger_posting SET amount = 1", "append_only"),
        ("DELETE FROM ledger_posting_before", "append_only"),
        ("TRUNCATE ledger_posting_before", "append_only"),
        ("TRUNCATE ledger_posting", "append_only"),
        (_HEADER + ";" + _LEGS, "posting_complete"),
    ],
)
def test_the_owner_is_refused_on_the_whole_and_on_its_parts(attack: str, constraint: str) -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    _part()

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        _sql(attack.format(table="ledger_posting_before", account=payer.pk, at="now()"))

    assert refusal.value.__cause__.diag.constraint_name == constraint


def test_the_application_works_with_the_whole_and_cannot_name_a_part() -> None:
    payer = wallet_account()
    _part()

    _sql(f"SET LOCAL ROLE {ROLE}")
    fund(payer, 10)
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        _sql("SELECT * FROM ledger_posting_before")
    _sql("RESET ROLE")

    assert refusal.value.__cause__.pgcode == "42501"


def test_over_the_edge_of_a_month_the_transaction_is_to_be_tried_again() -> None:
    payer = wallet_account()
    fund(payer, 1_000)
    _part()

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        _sql(
            (_HEADER + ";" + _LEGS).format(
                table="ledger_posting", account=payer.pk, at="now() - interval '40 days'"
            )
        )

    assert refusal.value.__cause__.pgcode == "40001"


def test_months_are_made_ahead_once() -> None:
    assert (make_months(), make_partitions()) == (0, "not parted")
    _part()
    before = _sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger_posting'::regclass")[0][0]

    assert (make_months(), make_partitions()) == (0, "0 months made")

    assert before == 4
    _sql(
        "DROP TABLE ledger_posting_"
        + str(_sql("SELECT to_char(now() + interval '3 months', 'YYYY_MM')")[0][0])
    )
    assert make_months() == 1
    with pytest.raises(CommandError, match="already"):
        _part()


def test_it_asks_before_it_parts(settings: object) -> None:
    out = StringIO()

    call_command("partition_ledger", stdout=out)

    assert "--yes" in out.getvalue()
    assert not is_partitioned()
    settings.LEDGER_PARTITION_ABOVE = -1
    assert "run partition_ledger" in make_partitions()
