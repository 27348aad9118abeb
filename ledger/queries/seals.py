"""How the chain stands: what waits for the sealer, the latest block and anchor, the runs of the proof."""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, Value

from ledger.models.seals import Anchor, Block, LedgerCheck, SealedTransaction
from ledger.models.transactions import LedgerTransaction, TransactionText


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What was booked and is in no block yet; `oldest` is the instant of the oldest of it."""

    transactions: int
    hold_events: int
    oldest: datetime | None

    @property
    def rows(self) -> int:
        """Return how many rows wait."""
        return self.transactions + self.hold_events

    def lag_s(self, now: datetime) -> float:
        """Return for how many seconds the oldest has waited; 0 if nothing waits."""
        return 0.0 if self.oldest is None else max((now - self.oldest).total_seconds(), 0.0)


def get_unsealed(*, until: date = date.max) -> Unsealed:
    """Return what waits for the sealer, of value dates up to that day; looks only at what came since its latest run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_unsealed(%s)", [until])
        return Unsealed(*cursor.fetchone())


def get_chain() -> tuple[Unsealed, Block | None]:
    """Return what waits for the sealer and the newest block; one query."""
    sql = """
        SELECT u.*, b.n, b.sealed_at, b.hash, b.key_id FROM ledger_unsealed('infinity') AS u
        LEFT JOIN LATERAL (SELECT * FROM ledger_block ORDER BY n DESC LIMIT 1) AS b ON true
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        transactions, hold_events, oldest, n, sealed_at, digest, key_id = cursor.fetchone()
    block = None if n is None else Block(n=n, sealed_at=sealed_at, hash=digest, key_id=key_id)
    return Unsealed(transactions, hold_events, oldest), block


def is_anchored_until(day: date, *, outside: bool) -> bool:
    """
    Tell whether an anchor covers every sealed transaction with a value date up to that day.

    :param outside: count anchors only that are written in a place outside the database
    """
    anchors = Anchor.objects.filter(copies__isnull=False) if outside else Anchor.objects.all()
    covered = anchors.aggregate(block=Max("pk"))["block"] or 0
    # Only what is in later blocks is looked at: little, however long the chain.
    later = SealedTransaction.objects.filter(block_id__gt=covered, transaction__effective_date__lte=day)
    return not later.exists()


def find_latest_block() -> Block | None:
    """Return the newest block, or None."""
    return Block.objects.order_by("-n").first()


def list_anchors() -> QuerySet[Anchor]:
    """Return the anchors, newest first; `stores` names the places outside that hold each."""
    stores = ArrayAgg("copies__store", filter=Q(copies__isnull=False), default=Value([]))
    return Anchor.objects.annotate(stores=stores).order_by("-pk")


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
