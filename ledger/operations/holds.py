"""Holds: money set aside, changed, captured, given back; each call once for its key."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.ids import new_id
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from ledger.choices import HoldDirection, HoldEventKind, HoldStatus
from ledger.errors import HoldFinal, KeyReused
from ledger.events import HOLD_CHANGED
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Hold, HoldEvent, HoldState
from ledger.operations.posting import Draft, Posted, post, repay
from ledger.operations.refusals import refusals
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


@transaction.atomic
def place_hold(
    *,
    account_id: int,
    amount: Money,
    source: str,
    source_key: str,
    expires_at: datetime | None,
    now: datetime,
    direction: HoldDirection = HoldDirection.OUT,
) -> HoldView:
    """
    Set money of an account aside so that it cannot be spent twice; `amount` is above zero, in the account's currency.

    An IN hold announces money and makes nothing available.

    :raises InsufficientFunds: if less is available
    :raises AccountNotOpen: if the account lets no money out (or in, for IN)
    :raises CurrencyMismatch: if the account is in another currency
    :raises NotFound: if there is no such account
    :raises KeyReused: if the key came before with other content
    """
    wanted = Hold(
        account_id=account_id,
        direction=direction,
        amount_minor=amount.minor,
        currency=amount.currency,
        source=source,
        source_key=source_key,
        expires_at=expires_at,
        actor=_actor(),
        placed_at=now,
    )
    if (known := _known(wanted)) is not None:
        return _view(known, replayed=True)
    if not Account.objects.filter(pk=account_id).exists():
        raise NotFound
    try:
        with transaction.atomic(), refusals():
            wanted.save(force_insert=True)
    except IntegrityError as error:
        if "hold_source_key_once" not in str(error):
            raise
        known = _known(wanted)
        if known is None:
            raise
        return _view(known, replayed=True)
    return _told(wanted, HoldEventKind.PLACE, now)


@transaction.atomic
def change_hold(*, hold_id: int, delta: Money, source_key: str, now: datetime) -> HoldView:
    """
    Set more aside (`delta` above zero) or give a part back (below zero).

    :raises HoldFinal: if nothing of it is open any more
    :raises HoldTooSmall: if less is open than is to be given back
    :raises InsufficientFunds: if less is available than is to be set aside besides
    :raises CurrencyMismatch: if the hold is in another currency
    """
    hold = _hold(hold_id)
    Money(hold.amount_minor, hold.currency) + delta  # refuses another currency
    kind = HoldEventKind.INCREASE if delta.minor > 0 else HoldEventKind.DECREASE
    return _change(hold, kind, delta.minor, source_key, now)


@transaction.atomic
def release_hold(*, hold_id: int, source_key: str, now: datetime) -> HoldView:
    """
    Give back all that is open.

    :raises HoldFinal: if nothing is open and the key is new
    """
    return _change(_hold(hold_id), HoldEventKind.RELEASE, 0, source_key, now)


@transaction.atomic
def capture_hold(
    *, hold_id: int, draft: Draft, amount: Money | None = None, final: bool = True, now: datetime
) -> Posted:
    """
    Take held money: lower the hold and post the draft, in one transaction.

    `amount` is what is taken off the hold, by default all that is open; the draft takes at least that from the hold's
    account. `final` gives the rest back. The draft's key makes it happen once.

    :raises HoldFinal: if nothing of it is open any more
    :raises HoldTooSmall: if less is open than is to be taken; `open_minor` says how much
    :raises AppError: whatever `post` refuses
    """
    hold = _hold(hold_id)
    key = f"{draft.source}:{draft.source_key}"[:120]
    # Everybody's order: all balance rows by key, then the hold.
    accounts = {hold.account_id, *(leg.account_id for leg in draft.legs)}
    list(lock(Balance.objects.filter(pk__in=accounts)).values_list("pk"))
    if HoldEvent.objects.filter(hold=hold, source_key=key).exists():
        return post(draft=draft, now=now)
    state = HoldState.objects.get(pk=hold.pk)
    if state.status != HoldStatus.ACTIVE:
        raise HoldFinal(status=state.status)
    taken = state.open_minor if amount is None else amount.minor
    public_id = new_id("txn")
    with refusals():
        _add(hold, HoldEventKind.CAPTURE, -taken, key, public_id)
        if final and taken < state.open_minor:
            _add(hold, HoldEventKind.RELEASE, 0, f"{key}:rest"[:120])
    posted = post(draft=draft, now=now, public_id=public_id)
    _publish(hold, HoldEventKind.CAPTURE, now)
    return posted


@transaction.atomic
def expire_holds(*, now: datetime, limit: int = 500) -> int:
    """Give back what is open of holds whose time is over, oldest first, and return how many there were."""
    due = Hold.objects.filter(expires_at__lte=now, state__status=HoldStatus.ACTIVE)
    # By account and key: everybody locks balances in that order.
    rows = sorted(due.order_by("expires_at", "pk")[:limit], key=lambda hold: (hold.account_id, hold.pk))
    list(lock(Balance.objects.filter(pk__in={hold.account_id for hold in rows})).values_list("pk"))
    still = set(
        HoldState.objects.filter(pk__in=[hold.pk for hold in rows], status=HoldStatus.ACTIVE).values_list(
            "pk", flat=True
        )
    )
    for hold in rows:
        if hold.pk in still:
            _change(hold, HoldEventKind.EXPIRE, 0, "expiry", now)
    return len(still)


def get_hold(hold_id: int) -> HoldView:
    """
    Return a hold as it stands.

    :raises NotFound: if there is none
    """
    return _view(_hold(hold_id), replayed=False)


def list_open_holds(account_ids: Iterable[int]) -> list[Hold]:
    """Return the active holds of these accounts with their state, newest first."""
    rows = Hold.objects.filter(account_id__in=list(account_ids), state__status=HoldStatus.ACTIVE)
    return list(rows.select_related("state").order_by("-placed_at", "-pk"))


def _hold(hold_id: int) -> Hold:
    try:
        return Hold.objects.get(pk=hold_id)
    except Hold.DoesNotExist:
        raise NotFound from None


def _known(wanted: Hold) -> Hold | None:
    """Return the hold this key made before, if its content is the same."""
    known = Hold.objects.filter(source=wanted.source, source_key=wanted.source_key).first()
    if known is None:
        return None
    content = ("account_id", "direction", "amount_minor", "currency")
    if any(getattr(known, name) != getattr(wanted, name) for name in content):
        raise KeyReused(source_key=wanted.source_key)
    return known


def _change(hold: Hold, kind: HoldEventKind, delta_minor: int, source_key: str, now: datetime) -> HoldView:
    known = HoldEvent.objects.filter(hold=hold, source_key=source_key).first()
    if known is not None:
        same = known.kind == kind and (not delta_minor or known.delta_minor == delta_minor)
        if not same:
            raise KeyReused(source_key=source_key)
        return _view(hold, replayed=True)
    list(lock(Balance.objects.filter(pk=hold.account_id)).values_list("pk"))
    with refusals():
        _add(hold, kind, delta_minor, source_key)
    view = _told(hold, kind, now)
    if view.balance.available.minor > 0 and kind != HoldEventKind.INCREASE:
        repay(account_ids=[hold.account_id], cause=f"{hold.public_id}:{source_key}", now=now)
    return view


def _add(hold: Hold, kind: HoldEventKind, delta_minor: int, source_key: str, public_id: str = "") -> None:
    HoldEvent.objects.create(
        hold=hold,
        kind=kind,
        delta_minor=delta_minor,
        transaction=public_id,
        source_key=source_key,
        actor=_actor(),
    )


def _actor() -> str:
    actor = trail.current_actor()
    return f"{actor.kind}:{actor.ref}"[:100]


def _view(hold: Hold, *, replayed: bool) -> HoldView:
    state = HoldState.objects.get(pk=hold.pk)
    return HoldView(
        hold_id=hold.pk,
        public_id=hold.public_id,
        open=Money(state.open_minor, hold.currency),
        status=HoldStatus(state.status),
        replayed=replayed,
        balance=get_balance(hold.account_id),
    )


def _told(hold: Hold, kind: HoldEventKind, now: datetime) -> HoldView:
    _publish(hold, kind, now)
    return _view(hold, replayed=False)


def _publish(hold: Hold, kind: HoldEventKind, now: datetime) -> None:
    state = HoldState.objects.get(pk=hold.pk)
    outbox.publish(
        type=HOLD_CHANGED,
        object_type="hold",
        object_id=hold.public_id,
        partner_id=None,
        data={
            "id": hold.public_id,
            "account": hold.account_id,
            "change": kind.value,
            "open_minor": state.open_minor,
            "currency": hold.currency,
            "status": state.status,
        },
        at=now,
    )
