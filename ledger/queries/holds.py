"""Reading holds and what accounts owe."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from flowlet.core.errors import NotFound
from flowlet.core.money import Money
from ledger.choices import HoldStatus
from ledger.models.holds import Hold, HoldState, Owing
from ledger.queries.balances import AccountBalance, get_balance


@dataclass(frozen=True, slots=True)
class HoldView:
    """
    A hold as it stands: what is open of it, and the balance of its account.

    `replayed`: the key came before with the same content.
    """

    hold_id: int
    public_id: str
    open: Money
    status: HoldStatus
    replayed: bool
    balance: AccountBalance


def get_hold(hold_id: int) -> HoldView:
    """
    Return a hold as it stands.

    :raises NotFound: if there is none
    """
    hold = Hold.objects.filter(pk=hold_id).first()
    if hold is None:
        raise NotFound
    return view_of(hold, replayed=False)


def view_of(hold: Hold, *, replayed: bool) -> HoldView:
    """Return a hold as it stands; reads its state and its account's balance now."""
    state = HoldState.objects.get(pk=hold.pk)
    return HoldView(
        hold_id=hold.pk,
        public_id=hold.public_id,
        open=Money(state.open_minor, hold.currency),
        status=HoldStatus(state.status),
        replayed=replayed,
        balance=get_balance(hold.account_id),
    )


def list_holds(account_id: int) -> QuerySet[Hold]:
    """Return the holds of an account with their state, newest first."""
    return Hold.objects.filter(account_id=account_id).select_related("state").order_by("-placed_at", "-pk")


def list_open_holds(account_ids: Iterable[int]) -> QuerySet[Hold]:
    """Return the active holds of these accounts with their state, newest first."""
    rows = Hold.objects.filter(state__account_id__in=list(account_ids), state__status=HoldStatus.ACTIVE)
    return rows.select_related("state").order_by("-placed_at", "-pk")


def owed_by(account_id: int) -> Money | None:
    """Return what an account owes, or None if it never owed anything."""
    row = Owing.objects.filter(pk=account_id).select_related("receivable__balance").first()
    return None if row is None else Money(row.receivable.balance.posted, row.receivable.currency)
