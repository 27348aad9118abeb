"""What the ledger tells the house."""

from flowlet.events.types import declare

TRANSACTION_POSTED = declare(
    "ledger.transaction_posted",
    "A transaction was posted: its legs with the balance after each and the account's sequence number.",
    internal=True,
)
HOLD_CHANGED = declare(
    "ledger.hold_changed",
    "Money was set aside, captured, given back or has expired: what changed and what is open now.",
    internal=True,
)
STATEMENT_ISSUED = declare("statement.issued", "An official statement of a wallet was issued.")
EXPORT_FINISHED = declare("export.finished", "An export is ready to be fetched, or has failed.")
PERIOD_CLOSED = declare(
    "ledger.period_closed",
    "A period was closed: its dates, which version of the closing it is, and the digest of its totals.",
    internal=True,
)
PERIOD_REOPENED = declare(
    "ledger.period_reopened",
    "The latest closed period was opened again by two people.",
    internal=True,
)
