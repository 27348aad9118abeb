"""Sealing what was booked into blocks, keeping the keys that sign, erasing words."""

import secrets

from django.db import connection, transaction

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from ledger.models.seals import Block
from ledger.models.transactions import LedgerTransaction
from ledger.queries.seals import get_unsealed

KEY_BYTES = 32


def seal() -> int:
    """
    Seal all that is committed now and in no block yet; return the number of blocks made.

    0 if there was nothing, or if somebody else is sealing: what they leave, the next run takes, as it takes what is
    booked meanwhile (under traffic there is always something more). Each block is a transaction of its own.
    """
    waiting, blocks = get_unsealed().rows, 0
    while True:
        number, rows = _seal_block()
        if not number:
            return blocks
        blocks, waiting = blocks + 1, waiting - rows
        if waiting <= 0:
            return blocks


@transaction.atomic
def _seal_block() -> tuple[int | None, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_seal()")
        number: int | None = cursor.fetchone()[0]
    block = Block.objects.filter(pk=number).first() if number else None
    return number, block.transactions + block.hold_events if block else 0


@transaction.atomic
def erase_text(*, transaction_public_id: str, reason_code: str = "", note: str = "") -> bool:
    """
    Erase the words of a transaction; False if it has none (any more).

    Amounts, dates, ids and every digest stay as they are and still verify. The trail keeps who erased them and why.

    :raises NotFound: if there is no such transaction
    """
    found = LedgerTransaction.objects.filter(public_id=transaction_public_id).first()
    if found is None:
        raise NotFound
    actor = trail.current_actor()
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_erase_text(%s, %s)", [found.pk, actor.text])
        erased = bool(cursor.fetchone()[0])
    if erased:
        trail.record(
            action="ledger_transaction.erase_text",
            object_type="ledger_transaction",
            object_id=found.public_id,
            reason_code=reason_code,
            note=note,
        )
    return erased


@transaction.atomic
def rotate_key() -> int:
    """
    Sign with a fresh key from now on and return its number; older keys still verify what they signed.

    Only the owner of the tables may.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_keypad IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT coalesce(max(key_id), 0) + 1 FROM ledger_keypad")
        number: int = cursor.fetchone()[0]
    install_key(number=number, key=secrets.token_bytes(KEY_BYTES))
    return number


@transaction.atomic
def install_key(*, number: int, key: bytes) -> None:
    """
    Keep a key of 32 bytes under a free number, and sign with it from now on.

    :raises IntegrityError: if the number is taken
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_key_install(%s, %s)", [number, key])
    trail.record(
        action="ledger_key.install",
        object_type="ledger_key",
        object_id=str(number),
        changes={"signs": [None, number]},
    )


def read_keys() -> dict[int, bytes]:
    """Return all keys by number, for a copy apart from the database's dumps. Only the owner of the tables may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key_id, inner_pad FROM ledger_keypad ORDER BY key_id")
        # A pad is the key, filled up with zeros to 64 bytes, XOR 0x36.
        return {
            number: bytes(byte ^ 0x36 for byte in bytes(pad)[:KEY_BYTES]) for number, pad in cursor.fetchall()
        }


@transaction.atomic
def restore_keys(keys: dict[int, bytes]) -> list[int]:
    """
    Put back the keys that are missing after a restore and return their numbers; sign with the newest of all.

    Only the owner of the tables may.
    """
    known = read_keys()
    missing = sorted(set(keys) - set(known))
    if missing:
        for number in missing:
            install_key(number=number, key=keys[number])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE ledger_signer SET (key_id, inner_pad, outer_pad) ="
                " (SELECT key_id, inner_pad, outer_pad FROM ledger_keypad ORDER BY key_id DESC LIMIT 1)"
            )
    return missing
