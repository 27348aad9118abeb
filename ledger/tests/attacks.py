"""Raw SQL as somebody may send it who got hold of a connection, and by what it was refused."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from django.db import DatabaseError, connection, transaction

from flowlet.audit.rights import ROLE

MISSING_RIGHT = "42501"
# The owner of the tables, whom only guards stop, and the application.
ROLES = (None, ROLE)
OWN = "(SELECT max(id) FROM ledger_transaction)"
_HEADER = """
INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count, actor, context{more})
VALUES ('txn_' || md5(gen_random_uuid()::text), '{kind}', 'raw', '{key}', '', '{day}', {legs}, 'SYSTEM:raw', jsonb_build_object(){value})
"""
_LEG = """
INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after, held_after,
                            account_seq, posted_at)
SELECT {header}, {leg}, {account}, '{currency}', {amount}, date '{day}', 0, 0, 0, now()
"""


def header(
    *,
    key: str = "attack",
    legs: int = 2,
    kind: str = "RAW",
    day: str = "2026-11-02",
    more: str = "",
    value: str = "",
) -> str:
    """The header of a transaction; `more` names further columns and `value` gives them."""
    return _HEADER.format(key=key, legs=legs, kind=kind, day=day, more=more, value=value)


def leg(
    amount: int, account: str, *, leg: int, header: str = OWN, currency: str = "EUR", day: str = "2026-11-02"
) -> str:
    """One leg of the latest transaction, or of the one that `header` names."""
    return _LEG.format(header=header, leg=leg, account=account, currency=currency, amount=amount, day=day)


def pair(first: str, second: str) -> str:
    """Two legs in one statement."""
    return f"{first} UNION ALL {second.split('posted_at)', 1)[1]}"


def run(statements: Iterable[str], *, role: str | None) -> None:
    """Run them in a savepoint with the rights of a role (None: as the owner), until the constraints are asked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if role:
            cursor.execute(f"SET LOCAL ROLE {role}")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("RESET ROLE")


class _Undo(Exception):
    pass


def refused_by(statements: Iterable[str], *, role: str | None) -> str:
    """Return the constraint (or the SQLSTATE, if it has no name) that refused them; '' if nothing did. Leaves no trace."""
    try:
        with suppress(_Undo), transaction.atomic():
            run(statements, role=role)
            raise _Undo
    except DatabaseError as refusal:
        cause = refusal.__cause__
        return str(cause.diag.constraint_name or cause.pgcode)
    return ""


def succeeding(
    attacks: Mapping[str, tuple[str, Sequence[str]]], names: Mapping[str, object], *, role: str | None
) -> dict[str, str]:
    """
    Return the attacks that nothing refused, or something else than what is said beside them: by name, what did.

    `attacks` gives the constraint and the statements, which `names` fills. For the application a missing right will do.
    """
    refusals = {
        name: (expected, refused_by([statement.format(**names) for statement in statements], role=role))
        for name, (expected, statements) in attacks.items()
    }
    return {
        name: refusal
        for name, (expected, refusal) in refusals.items()
        if refusal != expected and not (role and refusal == MISSING_RIGHT)
    }
