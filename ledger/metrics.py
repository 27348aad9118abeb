"""What operators watch of the ledger: read from the database whenever somebody asks for the metrics."""

from datetime import UTC

from prometheus_client import Gauge

from flowlet.core.clock import now
from flowlet.gateway.health import BEFORE_METRICS
from ledger.choices import CheckStatus
from ledger.choices_matching import AGES
from ledger.queries.breaks import count_by_age
from ledger.queries.queue import find_oldest_queued_at
from ledger.queries.safeguarding import get_shortfalls
from ledger.queries.seals import find_latest_block, get_unsealed, list_checks

# "mostrecent": all workers read the same database, the latest reading stands.
UNSEALED = Gauge(
    "flowlet_ledger_unsealed", "Transactions that are in no block yet", multiprocess_mode="mostrecent"
)
LAG = Gauge(
    "flowlet_ledger_sealing_lag_seconds",
    "How long the oldest transaction has waited for its block",
    multiprocess_mode="mostrecent",
)
BLOCK = Gauge("flowlet_ledger_block", "Number of the latest block", multiprocess_mode="mostrecent")
FAULTS = Gauge(
    "flowlet_ledger_faults",
    "What the latest finished check of the ledger found",
    multiprocess_mode="mostrecent",
)

BREAKS = Gauge(
    "flowlet_ledger_breaks",
    "Open breaks between bank and books, by their age in days",
    ["days"],
    multiprocess_mode="mostrecent",
)
SHORTFALL = Gauge(
    "flowlet_ledger_client_money_shortfall_minor",
    "What is missing at banks of what customers are owed, by the latest proof, in minor units",
    ["currency"],
    multiprocess_mode="mostrecent",
)
QUEUE_AGE = Gauge(
    "flowlet_ledger_queue_age_seconds",
    "How long the oldest queued posting has waited",
    multiprocess_mode="mostrecent",
)
# In the order of the ages that breaks are counted by.
_DAYS = tuple(f"{least}+" if most is None else f"{least}-{most}" for least, most, _ in AGES)


@BEFORE_METRICS.register("ledger.chain")
def refresh() -> None:
    """Read the state of the chain; three short queries."""
    unsealed, block = get_unsealed(), find_latest_block()
    UNSEALED.set(unsealed.transactions)
    LAG.set(unsealed.lag_s(now()))
    BLOCK.set(0 if block is None else block.n)
    done = list_checks().filter(status__in=(CheckStatus.CLEAN, CheckStatus.FAULTS)).first()
    FAULTS.set(0 if done is None else done.faults)


@BEFORE_METRICS.register("ledger.work")
def refresh_work() -> None:
    """Read what waits for finance and for the queue; three short queries."""
    at, oldest = now(), find_oldest_queued_at()
    counts = count_by_age(at.astimezone(UTC).date())
    for days, count in zip(_DAYS, counts.values(), strict=True):
        BREAKS.labels(days).set(count)
    for currency, minor in get_shortfalls().items():
        SHORTFALL.labels(currency).set(minor)
    QUEUE_AGE.set(0.0 if oldest is None else max((at - oldest).total_seconds(), 0.0))
