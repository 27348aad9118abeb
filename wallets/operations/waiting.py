"""Deposits and withdrawals that wait for the next run: carrying them out, and cancelling them before."""

from datetime import datetime
from typing import TypeVar

from django.db import transaction

from flowlet.core.errors import AppError
from flowlet.core.locks import lock
from ledger.operations.holds import capture_hold, release_hold
from wallets.choices import MovementStatus
from wallets.errors import MovementNotPending
from wallets.models import Deposit, Movement, Withdrawal
from wallets.operations.bank import check_allowed, draft_of, kind_of, let_bank_move, lock_sides, tell
from wallets.operations.limits import give_back_limit

Row = TypeVar("Row", Deposit, Withdrawal)


def run_waiting(*, now: datetime, limit: int = 100) -> int:
    """Carry out what waits, oldest first, each in a transaction of its own; return how many ended."""
    return _run(Deposit, limit, now) + _run(Withdrawal, limit, now)


def _run(model: type[Row], limit: int, now: datetime) -> int:
    waiting = model.objects.filter(status=MovementStatus.PENDING).order_by("pk")
    return sum(_run_one(model, pk, now) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


@transaction.atomic
def _run_one(model: type[Row], pk: int, now: datetime) -> bool:
    row = _locked(model, pk)
    if row.status != MovementStatus.PENDING:
        return False  # another worker was quicker, or it was cancelled
    try:
        with transaction.atomic():
            check_allowed(row)
            let_bank_move(row)
            posted = capture_hold(hold_id=_hold_of(row), draft=draft_of(row, now), now=now)
    except AppError as refusal:
        row.refusal_code, row.refusal_detail = refusal.code, refusal.detail
        _give_back(row, now)
        _end(row, MovementStatus.REFUSED, now)
    else:
        row.transaction_id = posted.transaction_id
        _end(row, MovementStatus.COMPLETED, now)
    tell(row, at=now, action="run")
    return True


@transaction.atomic
def cancel(*, row: Row, now: datetime) -> Row:
    """
    Cancel a movement before its run: its money is free again, and its limits are given back.

    :raises MovementNotPending: if it has ended
    """
    locked = _locked(type(row), row.pk)
    if locked.status != MovementStatus.PENDING:
        raise MovementNotPending(status=MovementStatus(locked.status).label.lower())
    _give_back(locked, now)
    _end(locked, MovementStatus.CANCELLED, now)
    tell(locked, at=now, action="cancel")
    return locked


def _locked(model: type[Row], pk: int) -> Row:
    row = model.objects.get(pk=pk)
    lock_sides(row)
    current = lock(model.objects.filter(pk=pk)).get()
    current.wallet, current.bank_account = row.wallet, row.bank_account
    return current


def _hold_of(row: Movement) -> int:
    hold_id: int | None = row.hold_id
    if hold_id is None:
        raise MovementNotPending(status="without a hold")
    return hold_id


def _give_back(row: Movement, now: datetime) -> None:
    release_hold(hold_id=_hold_of(row), source_key=f"end:{row.public_id}", now=now)
    give_back_limit(wallet=row.wallet, kind=kind_of(row), amount=row.amount, used_at=row.created_at)


def _end(row: Movement, status: MovementStatus, now: datetime) -> None:
    row.status, row.ended_at = status, now
    row.save(update_fields=["status", "transaction_id", "refusal_code", "refusal_detail", "ended_at"])
