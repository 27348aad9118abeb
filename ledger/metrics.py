"""What operators watch of the ledger: read from the database whenever somebody asks for the metrics."""

from prometheus_client import Gauge

from flowlet.core.clock import now
from flowlet.gateway.health import BEFORE_METRICS
from ledger.choices import CheckStatus
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


@BEFORE_METRICS.register("ledger.chain")
def refresh() -> None:
    """Read the state of the chain; three short queries."""
    unsealed, block = get_unsealed(), find_latest_block()
    UNSEALED.set(unsealed.transactions)
    LAG.set(unsealed.lag_s(now()))
    BLOCK.set(0 if block is None else block.n)
    done = list_checks().filter(status__in=(CheckStatus.CLEAN, CheckStatus.FAULTS)).first()
    FAULTS.set(0 if done is None else done.faults)
