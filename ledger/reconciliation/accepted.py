"""What follows when a bank's statement was accepted: whoever matches its lines registers here."""

from datetime import datetime
from typing import Protocol

from flowlet.core.registry import Registry

FOLLOW_TASK = "ledger.follow_bank_statement"


class Follower(Protocol):
    """
    Something to do with an accepted statement, such as matching its lines.

    Called outside any database transaction of ours, at least once per statement: it must be safe to run twice.
    """

    def __call__(self, *, statement_id: int, now: datetime) -> None:
        """Do it; `now` is when the statement was accepted or is looked at again."""
        ...


# In the order of their names: "10-match" comes before "20-notify".
ON_ACCEPTED: Registry[Follower] = Registry("ledger.bank_statement_accepted")


def tell_accepted(*, statement_id: int, now: datetime) -> None:
    """Let every follower see the statement."""
    for follow in ON_ACCEPTED.values():
        follow(statement_id=statement_id, now=now)
