"""What compliance publishes: inside the house only, in neutral words. Partners see `customer.restricted` of identity."""

from flowlet.events.types import declare

REVIEW_OPENED = declare("customer.review_opened", "A customer must be looked at by a person.", internal=True)
REVIEW_CLOSED = declare("customer.review_closed", "A look at a customer has ended.", internal=True)
KYC_UPDATED = declare(
    "customer.kyc_updated", "Identification went on: data are needed, pending, approved or not permitted."
)
