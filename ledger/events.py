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
BANK_STATEMENT_ACCEPTED = declare(
    "ledger.bank_statement_accepted",
    "A bank's statement adds up and continues the one before: its lines count from now on.",
    internal=True,
)
