"""How the chain stands: what waits for the sealer, the latest block and anchor, the runs of the proof."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from ledger.models.seals import Anchor, Block, LedgerCheck, SealedTransaction


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What was booked and is in no block yet; `oldest` is the instant of the oldest of it."""

    transactions: int
    hold_events: int
    oldest: datetime | None

    def lag_s(self, now: datetime) -> float:
        """Return for how many seconds the oldest has waited; 0 if nothing waits."""
        return 0.0 if self.oldest is None else max((now - self.oldest).total_seconds(), 0.0)


def get_unsealed() -> Unsealed:
    """Return what waits for the sealer; looks only at what came since its latest run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_unsealed()")
        return Unsealed(*cursor.fetchone())


def find_latest_block() -> Block | None:
    """Return the newest block, or None."""
    return Block.objects.order_by("-n").first()


def list_anchors() -> QuerySet[Anchor]:
    """Return the anchors with their blocks and copies, newest first."""
    return Anchor.objects.select_related("block").prefetch_related("copies").order_by("-pk")


def list_checks() -> QuerySet[LedgerCheck]:
    """Return the runs of the proof, latest first."""
    return LedgerCheck.objects.order_by("-asked_at", "-pk")


def find_seal(transaction_id: int) -> SealedTransaction | None:
    """Return the block of a transaction with its anchor, or None while it waits."""
    return SealedTransaction.objects.filter(pk=transaction_id).select_related("block__anchor").first()


def find_anchor_over(block: int) -> Anchor | None:
    """Return the first anchor that vouches for a block: its own or that of a later one, whose hash contains it."""
    return Anchor.objects.filter(pk__gte=block).order_by("pk").first()
