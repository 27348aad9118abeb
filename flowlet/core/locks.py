"""Row locks in one order over the whole house, so that two transactions never wait for each other in a ring."""

from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import QuerySet

Row = TypeVar("Row", bound=models.Model)

# A transaction may lock tables from left to right only. What is not named here may not be locked at all.
ORDER = (
    "backoffice.approval",
    "identity.partner",
    "identity.apiclient",
    "identity.user",
    "identity.customer",
    "identity.restriction",
    "compliance.listsource",
    "compliance.screeninghit",
    "compliance.kycapplication",
    "compliance.kycdocument",
    "compliance.scenarioversion",
    "compliance.dirtywindow",
    "compliance.alert",
    "compliance.case",
    "compliance.filing",
    "compliance.suspiciousactivityreport",
    "compliance.currencytransactionreport",
    "wallets.bankaccount",
    "wallets.wallet",
    "wallets.deposit",
    "wallets.withdrawal",
    "wallets.limituse",
    "cards.cardprogramme",
    "cards.card",
    "cards.cardauthorization",
    "payments.payment",
    "fraud.label",
    "fraud.trainingrun",
    "fraud.modelartefact",
    "analytics.dirtyslice",
    "wallets.quote",
    "wallets.balancemonitor",
    "ledger.period",
    "ledger.journaldraft",
    "ledger.housebankaccount",
    "ledger.bankfile",
    "ledger.bankstatement",
    "ledger.bankline",
    "ledger.match",
    "ledger.break",
    "ledger.statement",
    "ledger.exportjob",
    "ledger.queuedposting",
    "ledger.balance",
    "ledger.holdstate",
)
_RANK = {label: rank for rank, label in enumerate(ORDER)}
_STATE = "_flowlet_locks"


class LockOrderError(RuntimeError):
    """A transaction locked tables backwards, or a table that has no place in the order."""


def lock(queryset: QuerySet[Row], *, skip_locked: bool = False) -> QuerySet[Row]:
    """
    Return the queryset with its rows locked until the transaction ends, in the order of primary keys.

    Several rows of one table are locked by one call. This is the only caller of `select_for_update`.

    :raises LockOrderError: if the order of tables is broken, or no transaction is open
    """
    label = queryset.model._meta.label_lower  # noqa: SLF001 - Django's documented model API
    if label not in _RANK:
        raise LockOrderError(f"{label} has no place in core.locks.ORDER")
    if not connection.in_atomic_block:
        raise LockOrderError("a lock needs a transaction")
    _remember(label)
    # NO KEY: a row that refers to a locked one may still be inserted; primary keys never change.
    return queryset.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked).order_by("pk")


def _remember(label: str) -> None:
    held: dict[str, Any] = connection.__dict__.setdefault(_STATE, {})
    # A connection object outlives its transactions; the identity of the outermost block tells them apart.
    token = _transaction_token()
    if held.get("token") != token:
        held.clear()
        held.update(token=token, rank=-1)
    rank = _RANK[label]
    if rank < held["rank"]:
        raise LockOrderError(f"{label} locked after {ORDER[held['rank']]}")
    held["rank"] = rank


def _transaction_token() -> object:
    """Return a value that lives exactly as long as the transaction we are in."""
    # Django's TestCase wraps a test in transactions of its own; what the code under test opens inside them counts.
    blocks: list[Any] = list(connection.atomic_blocks)
    own = next((index for index, block in enumerate(blocks) if not block._from_testcase), 0)  # noqa: SLF001
    if own:
        return connection.savepoint_ids[own - 1]
    for entry in connection.run_on_commit:
        if isinstance(entry[1], _Token):
            return entry[1]
    token = _Token()
    transaction.on_commit(token)
    return token


class _Token:
    """A commit hook that does nothing but mark its transaction; roll-backs drop it, commits run it."""

    def __call__(self) -> None:
        """Let go: the transaction is over."""
