"""Holds: money set aside, changed, captured, given back; each call once for its key."""

from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.ids import new_id
from flowlet.core.locks import lock
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events import outbox
from ledger.choices import HoldDirection, HoldEventKind, HoldStatus
from ledger.errors import HoldFinal, InsufficientFunds, KeyReused
from ledger.events import HOLD_CHANGED
from ledger.models.accounts import Balance
from ledger.models.holds import Hold, HoldEvent, HoldState
from ledger.operations.posting import Draft, Posted, post, repay
from ledger.operations.refusals import refusals
from ledger.queries.holds import HoldView, view_of


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

    An IN hold announces money and makes nothing available. The same key with the same content answers what is there;
    the deadline does not count, because a repeat computes a later one. Holds of the account that are over are given
    back before funds are said to be missing.

    :raises InvalidAmount: if the amount is not above zero
    :raises InsufficientFunds: if less is available
    :raises AccountNotOpen: if the account lets no money out (or in, for IN)
    :raises CurrencyMismatch: if the account is in another currency
    :raises NotFound: if there is no such account
    :raises KeyReused: if the key came before with other content
    """
    wanted = Hold(
        account_id=account_id,
        direction=direction,
        amount_minor=_above_zero(amount).minor,
        currency=amount.currency,
        source=source,
        source_key=source_key,
        expires_at=expires_at,
        actor=_actor(),
        placed_at=now,
    )
    try:
        known = _insert(wanted)
    except InsufficientFunds:
        if not _give_back_overdue(account_id, now):
            raise
        known = _insert(wanted)
    if known is not None:
        return view_of(known, replayed=True)
    view = view_of(wanted, replayed=False)
    _publish(wanted, HoldEventKind.PLACE, view.open, view.status, now)
    return view


@transaction.atomic
def change_hold(*, hold_id: int, delta: Money, source_key: str, now: datetime) -> HoldView:
    """
    Set more aside (`delta` above zero) or give a part back (below zero).

    :raises InvalidAmount: if the delta is zero
    :raises HoldFinal: if nothing of it is open any more
    :raises HoldTooSmall: if less is open than is to be given back
    :raises InsufficientFunds: if less is available than is to be set aside besides
    :raises CurrencyMismatch: if the hold is in another currency
    :raises KeyReused: if the key came before with another change
    """
    hold = _hold(hold_id)
    _check_currency(hold, delta)
    if not delta.minor:
        raise InvalidAmount(reason="A hold is changed by an amount other than zero.")
    kind = HoldEventKind.INCREASE if delta.minor > 0 else HoldEventKind.DECREASE
    return _change(hold, kind, delta.minor, source_key, now)


@transaction.atomic
def release_hold(*, hold_id: int, source_key: str, now: datetime) -> HoldView:
    """
    Give back all that is open.

    :raises HoldFinal: if nothing is open and the key is new
    :raises KeyReused: if the key came before with another change
    """
    return _change(_hold(hold_id), HoldEventKind.RELEASE, 0, source_key, now)


@transaction.atomic
def capture_hold(
    *, hold_id: int, draft: Draft, amount: Money | None = None, final: bool = True, now: datetime
) -> Posted:
    """
    Take held money: lower the hold and post the draft, in one transaction.

    `amount` is what is taken off the hold, by default all that is open; the draft moves at least that on the hold's
    account. `final` gives the rest back. The draft's key makes it happen once.

    :raises HoldFinal: if nothing of it is open any more, or its time is over
    :raises HoldTooSmall: if less is open than is to be taken; `open_minor` says how much
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if the hold is in another currency
    :raises KeyReused: if the draft's key came before with other content, or without this hold
    :raises AppError: whatever `post` refuses
    """
    hold = _hold(hold_id)
    if amount is not None:
        _check_currency(hold, _above_zero(amount))
    key = f"{draft.source}:{draft.source_key}"
    # Everybody's order: all balance rows by key, then the hold.
    _lock_balances({hold.account_id, *(leg.account_id for leg in draft.legs)})
    known = HoldEvent.objects.filter(hold=hold, source_key=key).first()
    if known is not None:
        return _captured_before(known, draft, amount, now)
    state = HoldState.objects.get(pk=hold.pk)
    if state.status != HoldStatus.ACTIVE:
        raise HoldFinal(status=state.status)
    if hold.expires_at is not None and hold.expires_at <= now:
        raise HoldFinal(status=HoldStatus.EXPIRED)  # the next sweep writes it down
    taken = state.open_minor if amount is None else amount.minor
    public_id = new_id("txn")
    with refusals():
        _add(hold, HoldEventKind.CAPTURE, -taken, key, public_id)
        if final and taken < state.open_minor:
            _add(hold, HoldEventKind.RELEASE, 0, f"{key}:rest")
    posted = post(draft=draft, now=now, public_id=public_id)
    if posted.replayed:
        raise KeyReused(source_key=draft.source_key)
    state.refresh_from_db(fields=["open_minor", "status"])
    _publish(
        hold, HoldEventKind.CAPTURE, Money(state.open_minor, hold.currency), HoldStatus(state.status), now
    )
    return posted


@transaction.atomic
def expire_holds(*, now: datetime, limit: int = 500) -> int:
    """Give back what is open of holds whose time is over, oldest first, and return how many there were."""
    due = Hold.objects.filter(expires_at__lte=now, state__status=HoldStatus.ACTIVE)
    return _expire(list(due.order_by("expires_at", "pk")[:limit]), now)


def _give_back_overdue(account_id: int, now: datetime) -> int:
    """Expire what is over on one account, which the sweep has not reached yet."""
    due = Hold.objects.filter(
        expires_at__lte=now, state__account_id=account_id, state__status=HoldStatus.ACTIVE
    )
    return _expire(list(due), now)


def _expire(holds: list[Hold], now: datetime) -> int:
    _lock_balances({hold.account_id for hold in holds})
    states = HoldState.objects.filter(pk__in=[hold.pk for hold in holds], status=HoldStatus.ACTIVE)
    still = set(states.values_list("pk", flat=True))
    for hold in holds:
        if hold.pk in still:
            _change(hold, HoldEventKind.EXPIRE, 0, "expiry", now)
    return len(still)


def _hold(hold_id: int) -> Hold:
    try:
        return Hold.objects.get(pk=hold_id)
    except Hold.DoesNotExist:
        raise NotFound from None


def _above_zero(amount: Money) -> Money:
    if amount.minor <= 0:
        raise InvalidAmount(reason="A hold needs an amount above zero.")
    return amount


def _check_currency(hold: Hold, amount: Money) -> None:
    if amount.currency != hold.currency:
        raise CurrencyMismatch(expected=hold.currency, given=amount.currency)


def _lock_balances(account_ids: set[int]) -> None:
    list(lock(Balance.objects.filter(pk__in=account_ids)).values_list("pk"))


def _insert(wanted: Hold) -> Hold | None:
    """Place it, or return the hold that its key made before: the key is judged before funds, as its index comes first."""
    try:
        with transaction.atomic(), refusals():
            wanted.save(force_insert=True)
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != "hold_source_key_once":
            raise
        return _known(wanted)
    return None


def _known(wanted: Hold) -> Hold | None:
    """Return the hold this key made before, if its content is the same."""
    known = Hold.objects.filter(source=wanted.source, source_key=wanted.source_key).first()
    if known is None:
        return None
    content = ("account_id", "direction", "amount_minor", "currency")
    if any(getattr(known, name) != getattr(wanted, name) for name in content):
        raise KeyReused(source_key=wanted.source_key)
    return known


def _captured_before(known: HoldEvent, draft: Draft, amount: Money | None, now: datetime) -> Posted:
    if known.kind != HoldEventKind.CAPTURE or (amount is not None and amount.minor != -known.delta_minor):
        raise KeyReused(source_key=draft.source_key)
    return post(draft=draft, now=now)


def _change(hold: Hold, kind: HoldEventKind, delta_minor: int, source_key: str, now: datetime) -> HoldView:
    # Before the key is looked up: of two calls with one key the second waits here and is then a replay.
    _lock_balances({hold.account_id})
    known = HoldEvent.objects.filter(hold=hold, source_key=source_key).first()
    if known is not None:
        if known.kind != kind or (delta_minor and known.delta_minor != delta_minor):
            raise KeyReused(source_key=source_key)
        return view_of(hold, replayed=True)
    with refusals():
        event = _add(hold, kind, delta_minor, source_key)
    if kind != HoldEventKind.INCREASE:
        repay(account_ids=[hold.account_id], cause=f"{hold.public_id}:{event.pk}", now=now)
    view = view_of(hold, replayed=False)
    _publish(hold, kind, view.open, view.status, now)
    return view


def _add(
    hold: Hold, kind: HoldEventKind, delta_minor: int, source_key: str, public_id: str = ""
) -> HoldEvent:
    return HoldEvent.objects.create(
        hold=hold,
        kind=kind,
        delta_minor=delta_minor,
        transaction=public_id,
        source_key=source_key,
        actor=_actor(),
    )


def _actor() -> str:
    return trail.current_actor().text[:100]


def _publish(hold: Hold, kind: HoldEventKind, left: Money, status: HoldStatus, now: datetime) -> None:
    outbox.publish(
        type=HOLD_CHANGED,
        # Numbered apart: what partners read of a hold of their own is numbered without gaps.
        object_type="ledger_hold",
        object_id=f"ledger:{hold.public_id}",
        partner_id=None,
        data={
            "id": hold.public_id,
            "account": hold.account_id,
            "change": kind.value,
            "open_minor": left.minor,
            "currency": hold.currency,
            "status": status.value,
        },
        at=now,
    )
