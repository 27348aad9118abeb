"""Balance monitors: a partner is told, once, when a wallet's booked balance crosses a line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from wallets import events
from wallets.choices import MonitorSide
from wallets.errors import MonitorExists, TooManyMonitors
from wallets.models import BalanceCrossing, BalanceMonitor, Wallet
from wallets.operations.wallets import lock_wallet

MAXIMUM = 10


@transaction.atomic
def add_monitor(*, wallet_id: int, side: str, threshold: Money, now: datetime) -> BalanceMonitor:
    """
    Watch a line; `threshold` is in the wallet's currency. What was crossed before is not told.

    :raises MonitorExists: if the wallet has it already
    :raises TooManyMonitors: if it has ten
    """
    wallet = lock_wallet(wallet_id)
    running = list(BalanceMonitor.objects.filter(wallet=wallet, ended_at=None))
    for known in running:
        if (known.side, known.threshold_minor) == (side, threshold.minor):
            raise MonitorExists(monitor=known.public_id)
    if len(running) >= MAXIMUM:
        raise TooManyMonitors(maximum=MAXIMUM)
    monitor = BalanceMonitor.objects.create(
        wallet=wallet, side=side, threshold_minor=threshold.minor, created_at=now
    )
    _record(monitor, wallet, "add")
    return monitor


@transaction.atomic
def end_monitor(*, monitor_id: int, now: datetime) -> None:
    """Watch a line no longer; safe to repeat."""
    monitor = lock(BalanceMonitor.objects.filter(pk=monitor_id)).get()
    if monitor.ended_at is None:
        monitor.ended_at = now
        monitor.save(update_fields=["ended_at"])
        _record(monitor, monitor.wallet, "end")


@transaction.atomic
def tell_crossings(*, transaction_id: str, legs: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """
    Publish each line that a posted transaction crossed, and return how many; what was told before is not told again.

    `legs` are those of the event `ledger.transaction_posted`: account, amount (debit > 0), balance_after, seq.
    """
    by_account = {int(leg["account"]): leg for leg in legs}
    monitors = BalanceMonitor.objects.filter(wallet__account_id__in=by_account, ended_at=None)
    told = 0
    for monitor in monitors.select_related("wallet").order_by("pk"):
        leg = by_account[monitor.wallet.account_id]
        if _crosses(monitor, leg):
            told += _tell(monitor, leg, transaction_id, now)
    return told


def _crosses(monitor: BalanceMonitor, leg: Mapping[str, Any]) -> bool:
    # A wallet is a credit balance: what is debited falls.
    after, line = int(leg["balance_after"]), monitor.threshold_minor
    before = after + int(leg["amount"])
    if monitor.side == MonitorSide.BELOW:
        return before >= line > after
    return before < line <= after


def _tell(monitor: BalanceMonitor, leg: Mapping[str, Any], transaction_id: str, now: datetime) -> bool:
    wallet, after = monitor.wallet, int(leg["balance_after"])
    _, fresh = BalanceCrossing.objects.get_or_create(
        monitor=monitor,
        account_seq=int(leg["seq"]),
        defaults={"balance_minor": after, "transaction": transaction_id, "crossed_at": now},
    )
    if fresh:
        outbox.publish(
            type=events.BALANCE_CROSSED,
            object_type="wallet",
            object_id=wallet.public_id,
            partner_id=wallet.partner_id,
            data={
                "id": wallet.public_id,
                "monitor": monitor.public_id,
                "side": monitor.side.lower(),
                "threshold": monitor.threshold_minor,
                "balance": after,
                "currency": wallet.currency,
                "transaction": transaction_id,
            },
            at=now,
        )
    return fresh


def _record(monitor: BalanceMonitor, wallet: Wallet, verb: str) -> None:
    trail.record(
        action=f"balance_monitor.{verb}",
        object_type="wallet",
        object_id=wallet.public_id,
        changes={"threshold": [None, monitor.threshold_minor], "side": [None, monitor.side]},
        partner_id=wallet.partner_id,
    )
