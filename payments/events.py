"""What payments tells the world; data holds ids, states and amounts only."""

from flowlet.events.types import declare

PROCESSING = declare("payment.processing", "A payment is on its way; its end is told by another event.")
COMPLETED = declare("payment.completed", "A payment was made; the money has arrived.")
REFUSED = declare("payment.refused", "A payment was refused; no money moved.")
FAILED = declare("payment.failed", "A payment failed on its way; no money moved.")
UNKNOWN = declare(
    "payment.outcome_unknown", "Nobody can say yet whether a payment was made; we are finding out."
)
UNDER_REVIEW = declare(
    "payment.under_review", "A payment waits for a look; its end is told by another event."
)
REQUIRES_ACTION = declare("payment.requires_action", "A payment waits for its payer to confirm it.")
CANCELED = declare("payment.canceled", "A payment was canceled or not confirmed in time; no money moved.")
RETURNED = declare("payment.returned", "A bank sent a payout back, or took back a top-up that had come.")
REFUND_CREATED = declare("refund.created", "A refund was begun; the money has left the wallet.")
REFUND_SUCCEEDED = declare("refund.succeeded", "A refund was accepted; the card holder gets the money.")
REFUND_FAILED = declare("refund.failed", "A refund failed; the money is back in the wallet.")
