"""What somebody may try who can send any SQL as the application: each is refused, by missing rights or by a guard."""

import pytest
from django.db import DatabaseError, connection

from flowlet.audit.rights import ROLE
from flowlet.core.money import Money
from ledger.models.accounts import Account, Balance
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.holds import capture_hold, place_hold
from ledger.operations.posting import reverse
from ledger.tests.attacks import MISSING_RIGHT, header, leg, pair, run
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, move, wallet_account

pytestmark = pytest.mark.django_db

_EVENT = """
INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
"""

# Refused because the role may not: the guards are not even asked.
WITHOUT_RIGHT = {
    "edit a posting": "UPDATE ledger_posting SET amount = amount * 2",
    "edit a posting's balance": "UPDATE ledger_posting SET balance_after = balance_after + 1",
    "delete a posting": "DELETE FROM ledger_posting",
    "empty the postings": "TRUNCATE ledger_posting CASCADE",
    "edit a header": "UPDATE ledger_transaction SET effective_date = '2001-01-01'",
    "delete a header": "DELETE FROM ledger_transaction",
    "empty the headers": "TRUNCATE ledger_transaction CASCADE",
    "raise a balance": "UPDATE ledger_balance SET posted = posted + 100",
    "lower what is held": "UPDATE ledger_balance SET held = 0",
    "turn a sign": "UPDATE ledger_balance SET sign = -sign",
    "write a balance": "INSERT INTO ledger_balance SELECT * FROM ledger_balance",
    "delete a balance": "DELETE FROM ledger_balance",
    "edit a hold": "UPDATE ledger_hold SET amount_minor = 1",
    "delete a hold": "DELETE FROM ledger_hold",
    "edit a hold's event": "UPDATE ledger_holdevent SET delta_minor = -1",
    "reopen a hold": "UPDATE ledger_holdstate SET open_minor = 5, status = 'ACTIVE'",
    "write a hold's state": "INSERT INTO ledger_holdstate SELECT * FROM ledger_holdstate",
    "edit a text": "UPDATE ledger_transactiontext SET text = ''",
    "delete a text": "DELETE FROM ledger_transactiontext",
    "change an exponent": "UPDATE ledger_currency SET exponent = 3 WHERE code = 'EUR'",
    "add a currency": "INSERT INTO ledger_currency (code, exponent) VALUES ('QQQ', 2)",
    "delete an account": "DELETE FROM ledger_account",
    "delete a trail row": "DELETE FROM audit_auditrecord",
    "edit a trail row": "UPDATE audit_auditrecord SET actor = 'SYSTEM:nobody'",
    "switch a guard off": "ALTER TABLE ledger_posting DISABLE TRIGGER posting_guard",
    "drop a guard": "DROP TRIGGER posting_whole ON ledger_posting",
    "let triggers rest": "SET session_replication_role = replica",
    "replace a guard": "CREATE OR REPLACE FUNCTION ledger_posting_guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "loosen a constraint": "ALTER TABLE ledger_balance DROP CONSTRAINT balance_floor",
    "read the keys": "SELECT * FROM ledger_keypad",
    "read the key that signs": "SELECT inner_pad FROM ledger_signer",
    "sign with a key of one's own": "SELECT ledger_key_install(7, sha256('mine'))",
    "edit a block": "UPDATE ledger_block SET hash = ''",
    "delete a block": "DELETE FROM ledger_block",
    "claim that a row is sealed": "INSERT INTO ledger_sealedtransaction VALUES (1, 1)",
    "edit a day's total": "UPDATE ledger_daytotal SET debit = 0",
    "claim that words were erased": "INSERT INTO ledger_texterasure VALUES (1, 'SYSTEM:raw', now())",
    "delete an anchor": "DELETE FROM ledger_anchor",
    "shadow a table": "CREATE TABLE public.ledger_shadow (id int)",
}
# Allowed to insert, and refused by the guards: statement by statement, the last at the latest when it would commit.
BY_GUARDS = {
    "a header without legs": ("transaction_has_legs", [header()]),
    "one leg": ("posting_complete", [header(), leg(100, "{payer}", leg=1)]),
    "unbalanced legs": (
        "posting_balanced",
        [header(), pair(leg(100, "{payer}", leg=1), leg(-90, "{payee}", leg=2))],
    ),
    # The test is one database transaction, so the old one is fresh but whole; test_guards.py has the other case.
    "a leg beside an old transaction": ("posting_complete", [leg(100, "{payer}", leg=3, header="{old}")]),
    "more than there is": (
        "balance_floor",
        [header(), pair(leg(5_000, "{payer}", leg=1), leg(-5_000, "{payee}", leg=2))],
    ),
    "another currency": (
        "posting_account_currency",
        [
            header(),
            pair(leg(10, "{payer}", leg=1, currency="USD"), leg(-10, "{payee}", leg=2, currency="USD")),
        ],
    ),
    "another day than its header": (
        "posting_date",
        [
            header(),
            pair(leg(10, "{payer}", leg=1, day="2026-10-01"), leg(-10, "{payee}", leg=2, day="2026-10-01")),
        ],
    ),
    "a posting that nobody keeps": (
        "balance_has_posting",
        [
            header(),
            pair(leg(10, "{payer}", leg=1), leg(-10, "{payee}", leg=2)),
            leg(10, "{payer}", leg=1) + " ON CONFLICT DO NOTHING",
        ],
    ),
    "a second reversal": (
        "transaction_reversed_once",
        [header(key="again", more=", reverses_id", value=", {reversed}")],
    ),
    "the same key twice": ("transaction_source_key_once", [header(), header()]),
    "more off a hold than is open": (
        "hold_too_small",
        [_EVENT + "VALUES ({hold}, 'DECREASE', -999, 0, '', 'raw', 'SYSTEM:raw')"],
    ),
    "a second placing of a hold": (
        "hold_final",
        [_EVENT + "VALUES ({hold}, 'PLACE', 10, 0, '', 'raw', 'SYSTEM:raw')"],
    ),
    "closing an account with money": (
        "balance_closed_empty",
        ["UPDATE ledger_balance SET status = 'CLOSED' WHERE account_id = {payer}"],
    ),
    "an account of another currency": (
        "account_fixed",
        ["UPDATE ledger_account SET currency = 'USD' WHERE id = {payer}"],
    ),
}


@pytest.fixture
def names() -> dict[str, int]:
    payer, payee = wallet_account(), wallet_account()
    fund(payer, 1_000)
    undone = move(payer, payee, 100)
    back = reverse(
        transaction_public_id=undone.public_id, source="undo", source_key="1", effective_date=TODAY, now=NOW
    )
    held = place_hold(
        account_id=payer.pk, amount=Money(50, "EUR"), source="raw", source_key="1", expires_at=None, now=NOW
    )
    return {
        "payer": payer.pk,
        "payee": payee.pk,
        "old": undone.transaction_id,
        "reversed": undone.transaction_id,
        "back": back.transaction_id,
        "hold": held.hold_id,
    }


def _books() -> list[object]:
    rows: list[object] = []
    for model in (Balance, Posting, LedgerTransaction):
        rows += list(model.objects.order_by("pk").values_list())
    return rows


@pytest.mark.parametrize("attack", WITHOUT_RIGHT)
def test_the_application_has_no_right_to(attack: str, names: dict[str, int]) -> None:
    before = _books()

    with pytest.raises(DatabaseError) as refusal:
        run([WITHOUT_RIGHT[attack]], role=ROLE)

    assert refusal.value.__cause__.pgcode == MISSING_RIGHT
    assert _books() == before


@pytest.mark.parametrize("attack", BY_GUARDS)
def test_the_guards_refuse(attack: str, names: dict[str, int]) -> None:
    constraint, statements = BY_GUARDS[attack]
    before = _books()

    with pytest.raises(DatabaseError) as refusal:
        run((statement.format(**names) for statement in statements), role=ROLE)

    assert refusal.value.__cause__.diag.constraint_name == constraint
    assert _books() == before


def test_ordinary_work_needs_no_more_than_these_rights(names: dict[str, int]) -> None:
    payer = Account.objects.get(pk=names["payer"])

    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        fund(payer, 500)
        taken = capture_hold(hold_id=names["hold"], draft=draft((payer, 50), (bank(), -50)), now=NOW)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("RESET ROLE")

    assert Balance.objects.get(pk=payer.pk).posted == 1_450
    assert Posting.objects.filter(transaction_id=taken.transaction_id).count() == 2


def test_what_the_application_sends_for_filled_columns_is_overwritten(names: dict[str, int]) -> None:
    more, value = ", xid, posted_at", ", 1, '2001-01-01'"
    legs = pair(leg(10, "{payer}", leg=1), leg(-10, "{payee}", leg=2)).replace(
        "0, 0, 0, now()", "7, 7, 7, timestamptz '2001-01-01'"
    )

    run((header(more=more, value=value), legs.format(**names)), role=ROLE)

    row = LedgerTransaction.objects.get(source="raw")
    assert row.xid != 1
    assert row.posted_at.year != 2001
    assert Posting.objects.get(transaction=row, account_id=names["payer"]).balance_after == 990
    assert Posting.objects.filter(transaction=row, posted_at__year=2001).count() == 0
