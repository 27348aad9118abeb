"""How the chain stands: what waits for the sealer, the latest block and anchor, the runs of the proof."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from ledger.models.seals import Anchor, Block, LedgerCheck
from ledger.models.transactions import LedgerTransaction, TransactionText


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


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What vouches for a transaction: its block, None while it waits, and the first anchor over the block.

    The hash of a later block contains that of the earlier ones, so any later anchor will do. `has_text`: its words
    are there.
    """

    block: int | None
    sealed_at: datetime | None
    anchored_at: datetime | None
    has_text: bool


def get_proof(transaction_id: int) -> Proof:
    """Return what vouches for a transaction; one query."""
    over = Anchor.objects.filter(pk__gte=OuterRef("seal__block_id")).order_by("pk").values("made_at")[:1]
    rows = LedgerTransaction.objects.filter(pk=transaction_id).values_list(
        "seal__block_id",
        "seal__block__sealed_at",
        Subquery(over),
        Exists(TransactionText.objects.filter(transaction=OuterRef("pk"))),
    )
    return Proof(*rows.get())
