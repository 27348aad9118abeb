"""What money from and to outside does to our books: between the settlement clearing and a wallet, or the suspense account."""

from datetime import datetime

from django.db import transaction

from flowlet.core.errors import AppError, InvariantBroken
from flowlet.core.money import Money
from ledger.errors import AccountNotOpen
from ledger.operations.accounts import house_account
from ledger.operations.holds import capture_hold, release_hold
from ledger.operations.owing import post_forced
from ledger.operations.posting import Draft, Leg, Posted, post
from payments.models import Payment

_CLEARING, _SUSPENSE = "SETTLEMENT_CLEARING", "SUSPENSE"


def take(payment: Payment, *, amount: Money, source_key: str, now: datetime) -> Posted:
    """
    Debit the wallet that was topped up, or the suspense account where its money waits; credit the clearing.

    :raises ledger.errors.InsufficientFunds: if the wallet does not have it
    :raises ledger.errors.AccountNotOpen: if money may not leave it
    """
    account = _house(_SUSPENSE, amount, now) if payment.parked else payment.own_wallet.account_id
    return _move(payment, "REFUND", (account, _house(_CLEARING, amount, now)), amount, source_key, now)


def give(
    payment: Payment, *, kind: str, amount: Money, source_key: str, now: datetime
) -> tuple[Posted, bool]:
    """
    Debit the clearing, credit the wallet; if it takes nothing now, the suspense account. True: it went there.

    The money has come, so it must be booked, whatever happened to the wallet meanwhile.
    """
    clearing = _house(_CLEARING, amount, now)
    if not payment.parked:
        try:
            with transaction.atomic():
                legs = (clearing, payment.own_wallet.account_id)
                return _move(payment, kind, legs, amount, source_key, now), False
        except AppError:
            # Frozen, closed or full: people of the house decide where it goes from there.
            pass
    return _move(payment, kind, (clearing, _house(_SUSPENSE, amount, now)), amount, source_key, now), True


def take_back(payment: Payment, *, source_key: str, now: datetime) -> Posted:
    """
    Book back a top-up that its bank took back: debit the wallet, or where its money waits; credit the clearing.

    It may not be refused: what the wallet cannot pay its owner owes, and later credits repay it first.
    """
    amount = payment.amount
    account = _house(_SUSPENSE, amount, now) if payment.parked else payment.own_wallet.account_id
    accounts = (account, _house(_CLEARING, amount, now))
    return post_forced(draft=_draft(payment, "TOP_UP_RETURN", accounts, amount, source_key, now), now=now)


def pay_out(payment: Payment, *, now: datetime) -> Posted:
    """
    Book a payout that a bank has got: the hold is captured, wallet to clearing.

    The money is gone, so it must be booked: what a wallet that was frozen meanwhile does not let go, its owner owes.
    """
    amount = payment.amount
    accounts = (payment.own_wallet.account_id, _house(_CLEARING, amount, now))
    draft = _draft(payment, payment.kind, accounts, amount, payment.public_id, now)
    hold_id = payment.hold_id
    if hold_id is None:
        raise InvariantBroken(f"payout {payment.public_id} has no hold")
    try:
        with transaction.atomic():
            return capture_hold(hold_id=hold_id, draft=draft, now=now)
    except AccountNotOpen:
        release_hold(hold_id=hold_id, source_key="owed", now=now)
        return post_forced(draft=draft, now=now)


def _house(chart_code: str, amount: Money, now: datetime) -> int:
    return house_account(chart_code=chart_code, currency=amount.currency, now=now).pk


def _move(
    payment: Payment, kind: str, accounts: tuple[int, int], amount: Money, source_key: str, now: datetime
) -> Posted:
    return post(draft=_draft(payment, kind, accounts, amount, source_key, now), now=now)


def _draft(
    payment: Payment, kind: str, accounts: tuple[int, int], amount: Money, source_key: str, now: datetime
) -> Draft:
    debit, credit = accounts
    return Draft(
        kind=kind,
        source="payment",
        source_key=source_key,
        effective_date=now.date(),
        legs=(Leg(debit, amount), Leg(credit, -amount)),
        text=payment.description or payment.get_kind_display(),
        context={"payment": payment.public_id},
    )
