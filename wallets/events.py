"""What wallets tells the world; data holds ids, states and amounts, never names or account numbers."""

from flowlet.events.types import declare

OPENED = declare("wallet.opened", "A wallet was opened.")
FROZEN = declare("wallet.frozen", "A wallet was frozen: nothing moves in or out.")
UNFROZEN = declare("wallet.unfrozen", "A wallet can be used again.")
CLOSED = declare("wallet.closed", "A wallet was closed for good.")
BANK_ACCOUNT_LINKED = declare("bank_account.linked", "A bank account was linked to a customer.")
DEPOSIT_COMPLETED = declare(
    "deposit.completed", "Money arrived in a wallet from a bank account, as cash or by a bank transfer."
)
DEPOSIT_REFUSED = declare("deposit.refused", "A deposit was refused; no money moved.")
DEPOSIT_PENDING = declare("deposit.pending", "A deposit waits for the next run; its money is announced.")
DEPOSIT_CANCELLED = declare("deposit.cancelled", "A deposit that waited was cancelled.")
WITHDRAWAL_COMPLETED = declare("withdrawal.completed", "Money left a wallet for a bank account.")
WITHDRAWAL_REFUSED = declare("withdrawal.refused", "A withdrawal was refused; no money moved.")
WITHDRAWAL_PENDING = declare("withdrawal.pending", "A withdrawal waits for the next run; its money is held.")
WITHDRAWAL_CANCELLED = declare(
    "withdrawal.cancelled", "A withdrawal that waited was cancelled; its money is free."
)
REFERENCE_GIVEN = declare(
    "wallet.reference_given", "A wallet got a reference by which bank transfers are credited to it."
)
REFERENCE_RETIRED = declare(
    "wallet.reference_retired",
    "A reference of a wallet was retired: transfers with it are not credited any more.",
)
BALANCE_CROSSED = declare(
    "wallet.balance_crossed",
    "The booked balance of a wallet crossed the line of a monitor; told once a crossing.",
)
EXCHANGE_COMPLETED = declare(
    "exchange.completed", "Money of a customer was exchanged from one wallet into another."
)
HOLD_PLACED = declare("hold.placed", "Money of a wallet was set aside by its partner.")
HOLD_CHANGED = declare("hold.changed", "A partner's hold holds more or less than before.")
HOLD_CAPTURED = declare("hold.captured", "Money of a partner's hold, or a part of it, was taken.")
HOLD_RELEASED = declare("hold.released", "What was open of a partner's hold is free again.")
HOLD_EXPIRED = declare("hold.expired", "The time of a partner's hold is over; what was open is free again.")
