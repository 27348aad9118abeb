"""What card money does to our books: between the settlement clearing and a wallet, or the suspense account."""

from datetime import datetime

from django.db import transaction

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg, Posted, post
from payments.models import Payment

_CLEARING, _SUSPENSE = "SETTLEMENT_CLEARING", "SUSPENSE"


def take(payment: Payment, *, amount: Money, source_key: str, now: datetime) -> Posted:
    """
    Debit the wallet that was topped up, or the suspense account where its money waits; credit the clearing.

    :raises ledger.errors.InsufficientFunds: if the wallet does not have it
    :raises ledger.errors.AccountNotOpen: if money may not leave it
    """
    account = _house(_SUSPENSE, amount, now) if payment.parked else payment.payee_wallet.account_id
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
                legs = (clearing, payment.payee_wallet.account_id)
                return _move(payment, kind, legs, amount, source_key, now), False
        except AppError:
            # Frozen, closed or full: people of the house decide where it goes from there.
            pass
    return _move(payment, kind, (clearing, _house(_SUSPENSE, amount, now)), amount, source_key, now), True


def _house(chart_code: str, amount: Money, now: datetime) -> int:
    return house_account(chart_code=chart_code, currency=amount.currency, now=now).pk


def _move(
    payment: Payment, kind: str, accounts: tuple[int, int], amount: Money, source_key: str, now: datetime
) -> Posted:
    debit, credit = accounts
    return post(
        draft=Draft(
            kind=kind,
            source="payment",
            source_key=source_key,
            effective_date=now.date(),
            legs=(Leg(debit, amount), Leg(credit, -amount)),
            text=payment.description or "Card top-up",
            context={"payment": payment.public_id},
        ),
        now=now,
    )
