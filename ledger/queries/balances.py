"""Reading balances and the postings behind them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import QuerySet

from flowlet.core.errors import NotFound
from flowlet.core.money import Money
from ledger.choices import AccountStatus
from ledger.models.accounts import Balance
from ledger.models.transactions import Posting


@dataclass(frozen=True, slots=True)
class BalanceAfter:
    """
    What an account held after a posting, in its natural sign (a wallet with 5.00 EUR reads +500).

    `available` is posted minus held; `seq` counts the account's postings; `at` is the instant of the latest one.
    """

    posted: Money
    held: Money
    available: Money
    seq: int
    at: datetime | None

    @classmethod
    def of(
        cls, *, currency: str, posted: int, held: int, seq: int, at: datetime | None, **more: AccountStatus
    ) -> Self:
        """Build it from plain columns, amounts in minor units."""
        return cls(
            posted=Money(posted, currency),
            held=Money(held, currency),
            available=Money(posted - held, currency),
            seq=seq,
            at=at,
            **more,
        )


@dataclass(frozen=True, slots=True)
class AccountBalance(BalanceAfter):
    """What an account holds now, and which way money may move on it."""

    status: AccountStatus


def get_balance(account_id: int) -> AccountBalance:
    """
    Return the present balance of one account.

    :raises NotFound: if there is no such account
    """
    try:
        return list_balances([account_id])[account_id]
    except KeyError:
        raise NotFound from None


def list_balances(account_ids: Iterable[int]) -> dict[int, AccountBalance]:
    """Return the present balances by account in one query; unknown accounts are left out."""
    rows = Balance.objects.filter(pk__in=list(account_ids)).values_list(
        "pk", "currency", "posted", "held", "status", "seq", "latest_posted_at"
    )
    return {
        pk: AccountBalance.of(
            currency=currency, posted=posted, held=held, seq=seq, at=at, status=AccountStatus(status)
        )
        for pk, currency, posted, held, status, seq, at in rows
    }


def list_postings(account_id: int, *, before_seq: int | None = None) -> QuerySet[Posting]:
    """
    Return the account's postings with their transactions, newest first, by `account_seq`.

    `before_seq` starts a page: the next one begins after the last number seen. Numbers have no gaps.
    """
    postings = Posting.objects.filter(account_id=account_id).select_related("transaction")
    if before_seq is not None:
        postings = postings.filter(account_seq__lt=before_seq)
    return postings.order_by("-account_seq")
