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
BANK_STATEMENT_ACCEPTED = declare(
    "ledger.bank_statement_accepted",
    "A bank's statement adds up and continues the one before: its lines count from now on.",
    internal=True,
)
BREAK_OPENED = declare(
    "ledger.break_opened",
    "Bank and books do not agree on something: what, how much, and since when.",
    internal=True,
)
CLIENT_MONEY_SHORT = declare(
    "ledger.client_money_short",
    "At the end of a day less lay at banks than customers were owed: the day, the currency and how much is missing.",
    internal=True,
)
SEAL_BROKEN = declare(
    "ledger.seal_broken",
    "A check of the ledger found faults: how many, by which checks, and up to which block it looked.",
    internal=True,
)
