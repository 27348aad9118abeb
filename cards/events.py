"""What cards tells partners."""

from flowlet.events.types import declare

CARD_ISSUED = declare("card.issued", "A card was issued on a wallet.")
CARD_ACTIVATED = declare("card.activated", "A card was activated.")
CARD_FROZEN = declare("card.frozen", "A card was frozen.")
CARD_UNFROZEN = declare("card.unfrozen", "A freeze of a card was lifted.")
CARD_CLOSED = declare("card.closed", "A card was closed for good.")
CARD_LIMITS_CHANGED = declare("card.limits_changed", "Limits or lists of a card were changed.")
AUTHORIZATION_DECIDED = declare(
    "card_authorization.decided", "What the network was answered about an authorisation, and why."
)
AUTHORIZATION_CHANGED = declare(
    "card_authorization.changed", "An authorisation was raised, reversed, cleared or has expired."
)
TRANSACTION_POSTED = declare("card_transaction.posted", "A clearing or refund was booked.")
