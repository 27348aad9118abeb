"""Every edit of what was booked is found: by its signature before sealing, by its block after, by anchors at last."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from ledger.models.seals import Block, DayTotal, SealedHoldEvent, SealedTransaction
from ledger.models.transactions import LedgerTransaction, TransactionText
from ledger.operations.anchoring import anchor
from ledger.operations.checking import prove
from ledger.operations.posting import Posted, post
from ledger.operations.sealing import erase_text, read_keys, restore_keys, rotate_key, seal
from ledger.queries.verification import Finding
from ledger.tests.doctoring import UNCHECKED, as_superuser, columns
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account
from ledger.tests.holding import capture, hold

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> Posted:
    """A deposit with words, a transfer, a hold captured in part; the transfer is returned."""
    payer, payee = wallet_account(), wallet_account()
    post(draft=draft((bank(), 1_000), (payer, -1_000), text="From her savings"), now=NOW)
    transfer = move(payer, payee, 300)
    set_aside = hold(payer, 200, seconds=60)
    capture(set_aside, payer, 150)
    return transfer


def findings() -> list[Finding]:
    return prove(now=NOW).findings


def kinds() -> set[tuple[str, str]]:
    return {(finding.check, finding.field) for finding in findings()}


def other_value(kind: str, column: str, length: int) -> str:
    """An expression for another value of that type."""
    return {
        "bigint": f"coalesce({column}, 0) + 1000001",
        "integer": f"coalesce({column}, 0) + 1000001",
        "smallint": f"{column} + 1",
        "numeric": f"coalesce({column}, 0) + 0.000000000001",
        "date": f"{column} + 1",
        "timestamp with time zone": f"coalesce({column}, now()) + interval '1 microsecond'",
        "jsonb": f"{column} || '{{\"a\": 1}}'",
        "bytea": f"sha256(coalesce({column}, ''))",
        "character varying": f"left('x' || {column}, {length})",
    }[kind]


SIGNED = {
    "ledger_transaction": (
        "signed_transactions",
        "SELECT max(id) FROM ledger_transaction WHERE kind = 'TEST'",
    ),
    "ledger_posting": ("signed_postings", "SELECT max(id) FROM ledger_posting"),
    "ledger_holdevent": ("signed_hold_events", "SELECT max(id) FROM ledger_holdevent"),
    "ledger_hold": ("signed_hold_events", "SELECT max(id) FROM ledger_hold"),
}


@pytest.mark.parametrize("blocks", [0, 1])
@pytest.mark.parametrize("table", SIGNED)
def test_an_edit_of_any_column_is_found_before_and_after_sealing(
    books: Posted, table: str, blocks: int
) -> None:
    check, which = SIGNED[table]
    for _ in range(blocks):
        assert seal() == 1

    missed = []
    for column, kind, length in columns(table):
        edit = f"UPDATE {table} SET {column} = {other_value(kind, column, length)} WHERE id = ({which})"
        with as_superuser(*UNCHECKED, edit):
            found = [finding for finding in findings() if finding.check == check]
        if not found or not any(char.isdigit() for char in found[0].row) or not found[0].field:
            missed.append(column)

    assert columns(table)
    assert missed == []


def test_an_untouched_chain_is_clean_and_totals_say_what_was_booked(books: Posted) -> None:
    assert findings() == []
    assert seal() == 1
    assert seal() == 0

    assert findings() == []
    block = Block.objects.get()
    assert (block.n, block.transactions, block.hold_events) == (1, 3, 3)
    assert (SealedTransaction.objects.count(), SealedHoldEvent.objects.count()) == (3, 3)
    totals = {
        row.chart_account.code: (row.debit, row.credit, row.count)
        for row in DayTotal.objects.select_related("chart_account")
    }
    assert totals == {"CLIENT_MONEY_BANK": (1_000, 150, 2), "CUSTOMER_WALLETS": (450, 1_300, 4)}


TRANSFER = "(SELECT max(transaction_id) FROM ledger_posting)"
COPY = """INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after,
              held_after, account_seq, posted_at, key_id, mac)
          SELECT transaction_id, 7, account_id, currency, amount, effective_date, balance_after, held_after, 70,
                 posted_at, key_id, mac FROM ledger_posting ORDER BY id DESC LIMIT 1"""


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"DELETE FROM ledger_transaction WHERE id = {TRANSFER}", ("membership", "id")),
        (f"DELETE FROM ledger_posting WHERE transaction_id = {TRANSFER}", ("blocks", "hash")),
        (
            "DELETE FROM ledger_holdevent WHERE id = (SELECT max(id) FROM ledger_holdevent)",
            ("membership", "id"),
        ),
        (COPY, ("signed_postings", "mac")),
        (
            f"DELETE FROM ledger_sealedtransaction WHERE transaction_id = {TRANSFER}",
            ("blocks", "transactions"),
        ),
        ("DELETE FROM ledger_block WHERE n = 1", ("blocks", "n")),
        ("DELETE FROM ledger_block WHERE n = 2", ("membership", "n")),
        ("UPDATE ledger_block SET hash = previous WHERE n = 2", ("blocks", "mac")),
        ("UPDATE ledger_block SET previous = hash WHERE n = 2", ("blocks", "previous")),
        ("UPDATE ledger_block SET sealed_at = sealed_at + interval '1 s' WHERE n = 2", ("blocks", "hash")),
        ("UPDATE ledger_block SET floor_xid = floor_xid - 1 WHERE n = 1", ("blocks", "hash")),
        ("UPDATE ledger_sealedtransaction SET block_id = 3 - block_id", ("blocks", "hash")),
        ("UPDATE ledger_daytotal SET debit = debit + 1", ("day_totals", "debit")),
        ("DELETE FROM ledger_daytotal", ("day_totals", "count")),
        ("UPDATE ledger_transactiontext SET salt = sha256('x')", ("texts", "text")),
        ("DELETE FROM ledger_transactiontext", ("texts_kept", "text")),
        (
            """UPDATE ledger_posting SET mac = (SELECT mac FROM ledger_posting ORDER BY id LIMIT 1)
               WHERE id = (SELECT max(id) FROM ledger_posting)""",
            ("signed_postings", "mac"),
        ),
        (
            """UPDATE ledger_posting p SET amount = o.amount FROM ledger_posting o
               WHERE o.transaction_id = p.transaction_id AND o.id <> p.id""",
            ("signed_postings", "mac"),
        ),
        (
            "UPDATE ledger_posting SET key_id = 9 WHERE id = (SELECT max(id) FROM ledger_posting)",
            ("signed_postings", "key_id"),
        ),
    ],
)
def test_a_deletion_an_insertion_and_a_swap_are_found(
    books: Posted, statement: str, found: tuple[str, str]
) -> None:
    seal()
    move(wallet_funded(), wallet_account(), 5)
    seal()

    with as_superuser(statement):
        assert found in kinds()


def wallet_funded():
    account = wallet_account()
    fund(account, 100)
    return account


REHASH = """
DO $$
DECLARE b ledger_block%%ROWTYPE; before bytea := decode(repeat('00', 32), 'hex');
BEGIN
    FOR b IN SELECT * FROM ledger_block ORDER BY n LOOP
        UPDATE ledger_block SET previous = before,
            transactions = (SELECT count(*) FROM ledger_sealedtransaction WHERE block_id = b.n),
            hash = sha256(ledger_block_message(b.n, b.epoch, b.floor_xid,
                (SELECT count(*)::int FROM ledger_sealedtransaction WHERE block_id = b.n), b.hold_events, b.sealed_at,
                b.key_id, before, ledger_block_digests(b.n))) WHERE n = b.n RETURNING hash INTO before;
        {mac}
    END LOOP;
END $$""".replace("%%", "%")
WITH_KEY = """UPDATE ledger_block SET mac = flowlet_hmac(s.inner_pad, s.outer_pad, hash) FROM ledger_signer s
              WHERE n = b.n;"""
CUT_LAST = (
    """UPDATE ledger_balance b SET posted = posted - b.sign * p.amount, seq = seq - 1,
              latest_posted_at = (SELECT max(o.posted_at) FROM ledger_posting o
                                  WHERE o.account_id = b.account_id AND o.id < p.id)
       FROM ledger_posting p WHERE p.account_id = b.account_id AND p.transaction_id = """
    + TRANSFER,
    f"DELETE FROM ledger_sealedtransaction WHERE transaction_id = {TRANSFER}",
    f"DELETE FROM ledger_transaction WHERE id = {TRANSFER}",
    f"DELETE FROM ledger_posting WHERE transaction_id = {TRANSFER}",
    "DELETE FROM ledger_daytotal",
    """INSERT INTO ledger_daytotal (chart_account_id, currency, effective_date, known_date, debit, credit, count)
       SELECT a.chart_account_id, p.currency, p.effective_date, (b.sealed_at AT TIME ZONE 'UTC')::date,
              sum(greatest(p.amount, 0)), sum(greatest(-p.amount, 0)), count(*)
       FROM ledger_block b JOIN ledger_sealedtransaction s ON s.block_id = b.n
       JOIN ledger_posting p USING (transaction_id) JOIN ledger_account a ON a.id = p.account_id
       GROUP BY a.chart_account_id, p.currency, p.effective_date, 4""",
)


def test_a_tail_cut_and_a_chain_made_anew_are_found_by_our_signature_or_by_the_anchors(
    books: Posted, tmp_path: Path, settings
) -> None:
    settings.FLOWLET_ANCHOR_DIR = str(tmp_path)
    seal()
    last = move(wallet_funded(), wallet_account(), 5)
    seal()

    # All is made to fit again but what needs the key.
    with as_superuser(*CUT_LAST, REHASH.format(mac="")):
        assert kinds() == {("blocks", "mac")}
    # With the key even that fits: before the anchor nothing is left to find it by.
    with as_superuser(*CUT_LAST, REHASH.format(mac=WITH_KEY)):
        assert kinds() == set()
    anchored = anchor(now=NOW)

    assert anchored is not None
    assert findings() == []
    with as_superuser(*CUT_LAST, REHASH.format(mac=WITH_KEY)):
        assert kinds() == {("anchors", "hash"), ("anchors_folder", "hash")}
    drop = [f"DELETE FROM {table}" for table in ("ledger_anchorcopy", "ledger_anchor")]
    with as_superuser(*CUT_LAST, REHASH.format(mac=WITH_KEY), *drop):
        assert kinds() == {("anchors_folder", "hash")}
    with as_superuser(
        *drop,
        "DELETE FROM ledger_sealedtransaction WHERE block_id = 2",
        "DELETE FROM ledger_block WHERE n = 2",
    ):
        assert ("anchors_folder", "block") in kinds()
    assert LedgerTransaction.objects.filter(pk=last.transaction_id).exists()


def test_erased_words_leave_every_digest_verifiable(books: Posted) -> None:
    with_words = TransactionText.objects.get().transaction
    seal()

    assert erase_text(transaction_public_id=with_words.public_id)

    assert not erase_text(transaction_public_id=with_words.public_id)
    assert not TransactionText.objects.exists()
    assert findings() == []


def test_after_a_rotation_old_and_new_rows_verify(books: Posted) -> None:
    fresh = rotate_key()
    fund(wallet_account(), 5)
    seal()

    assert set(LedgerTransaction.objects.values_list("key_id", flat=True)) == {fresh - 1, fresh}
    assert findings() == []
    # After a restore without the keys nothing is posted and nothing verifies until they are put back.
    kept = read_keys()
    with as_superuser("DELETE FROM ledger_keypad", "DELETE FROM ledger_signer"):
        assert ("signed_postings", "key_id") in kinds()
        with pytest.raises(IntegrityError, match="no key to sign with"), transaction.atomic():
            fund(wallet_account(), 5)
        assert restore_keys(kept) == sorted(kept)
        again = fund(wallet_account(), 5)
        assert findings() == []
        latest = LedgerTransaction.objects.get(pk=again.transaction_id)
        assert (latest.key_id, latest.epoch) == (fresh, 2)


def test_the_command_checks_the_chain_when_asked(books: Posted, capsys: pytest.CaptureFixture[str]) -> None:
    seal()
    call_command("verify_ledger", chain=True)
    assert "every posting carries the signature" in capsys.readouterr().out

    edit = "UPDATE ledger_transaction SET actor = 'STAFF:somebody' WHERE id = (SELECT max(id) FROM ledger_transaction)"
    with as_superuser(edit):
        call_command("verify_ledger")
        for options in ({"chain": True}, {"since": NOW.date()}):
            with pytest.raises(CommandError, match="not whole: 1 fault"):
                call_command("verify_ledger", **options)
            assert "mac: the signature does not fit" in capsys.readouterr().out
