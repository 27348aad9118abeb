"""The codes that cards stores."""

from django.db.models import TextChoices


class CardKind(TextChoices):
    """What a card is made of."""

    VIRTUAL = "VIRTUAL", "Virtual"
    PHYSICAL = "PHYSICAL", "Physical"


class CardStatus(TextChoices):
    """Whether a card exists to be used; freezes and expiry come on top; CLOSED is final."""

    INACTIVE = "INACTIVE", "Not activated"
    ACTIVE = "ACTIVE", "Active"
    CLOSED = "CLOSED", "Closed"


class CloseReason(TextChoices):
    """Why a card was closed."""

    REQUESTED = "REQUESTED", "Requested by the customer"
    LOST = "LOST", "Lost"
    STOLEN = "STOLEN", "Stolen"
    COMPROMISED = "COMPROMISED", "Number compromised"
    DAMAGED = "DAMAGED", "Damaged"
    UNDELIVERED = "UNDELIVERED", "Not delivered"
    ISSUER = "ISSUER", "Closed by Flowlet"


class FreezeSource(TextChoices):
    """Who froze a card; each lifts only their own."""

    CARDHOLDER = "CARDHOLDER", "Cardholder"
    PARTNER = "PARTNER", "The partner"
    OPS = "OPS", "Flowlet operations"
    FRAUD = "FRAUD", "Fraud"
    COMPLIANCE = "COMPLIANCE", "Compliance"


class LimitSpan(TextChoices):
    """What a card's limit counts: one authorisation, a calendar day or month of the programme's zone."""

    DAY = "DAY", "Day"
    MONTH = "MONTH", "Month"


class Channel(TextChoices):
    """How the card was presented."""

    ECOMMERCE = "ECOMMERCE", "Online"
    PRESENT = "PRESENT", "Card present"
    ATM = "ATM", "Cash machine"


class AuthorizationState(TextChoices):
    """How an authorisation stands; DECLINED, CLEARED, REVERSED and EXPIRED hold nothing."""

    OPEN = "OPEN", "Open"
    DECLINED = "DECLINED", "Declined"
    CLEARED = "CLEARED", "Cleared"
    REVERSED = "REVERSED", "Reversed"
    EXPIRED = "EXPIRED", "Expired"


class EventKind(TextChoices):
    """What the network told us."""

    AUTHORIZE = "AUTHORIZE", "Authorised"
    INCREMENT = "INCREMENT", "Raised"
    REVERSE = "REVERSE", "Reversed"
    EXPIRE = "EXPIRE", "Expired"
    CLEAR = "CLEAR", "Cleared"
    REFUND = "REFUND", "Refunded"


class Outcome(TextChoices):
    """What the network was answered."""

    APPROVED = "APPROVED", "Approved"
    PARTIAL = "PARTIAL", "Approved in part"
    DECLINED = "DECLINED", "Declined"


class ExceptionCode(TextChoices):
    """What is odd about a clearing or refund that was booked all the same."""

    NONE = "", "None"
    NO_AUTHORIZATION = "NO_AUTHORIZATION", "No authorisation"
    OVER_AUTHORIZED = "OVER_AUTHORIZED", "Over authorised"
    REFUND_UNMATCHED = "REFUND_UNMATCHED", "Unmatched refund"


# Reasons of a decline, most telling first: code, answer to the network (ISO 8583 field 39), words for staff, words for
# the cardholder. What compliance decided reads like any other refusal.
DECLINES: tuple[tuple[str, str, str, str], ...] = (
    ("card_closed", "14", "The card is closed.", "This card is closed."),
    ("card_lost", "41", "The card was reported lost.", "This card is closed."),
    ("card_stolen", "43", "The card was reported stolen.", "This card is closed."),
    ("card_expired", "54", "The card has expired.", "This card has expired."),
    ("card_inactive", "57", "The card is not activated yet.", "Activate the card first."),
    ("card_frozen", "62", "The card is frozen.", "The card is frozen."),
    ("not_permitted", "57", "The customer may not move money.", "Contact support."),
    ("under_review", "57", "Money may not leave the wallet for now.", "Try again later."),
    ("wallet_not_open", "57", "The wallet is frozen or closed.", "The wallet cannot be used now."),
    (
        "merchant_blocked",
        "57",
        "The card does not take this kind of merchant.",
        "This merchant is not allowed.",
    ),
    ("country_blocked", "57", "The card does not work in this country.", "This country is not allowed."),
    (
        "transaction_limit",
        "61",
        "Above the card's limit for one payment.",
        "Above the limit for one payment.",
    ),
    ("day_limit", "61", "Above what is left of the card's day limit.", "Above what is left for today."),
    ("month_limit", "61", "Above what is left of the card's month limit.", "Above what is left this month."),
    ("tier_limit", "61", "Above what the customer's tier allows.", "Above your limit."),
    ("suspected_fraud", "59", "The fraud decision was to decline.", "The payment was not accepted."),
    ("insufficient_funds", "51", "Less is available than was asked for.", "There is not enough money."),
)
DECLINE_RANK = {code: rank for rank, (code, *_) in enumerate(DECLINES)}
NETWORK_CODES = {code: network for code, network, _, _ in DECLINES}
DECLINE_WORDS = {code: words for code, _, words, _ in DECLINES}
CARDHOLDER_WORDS = {code: words for code, _, _, words in DECLINES}
APPROVED_CODE, PARTIAL_CODE, DUPLICATE_CODE, UNKNOWN_CARD_CODE = "00", "10", "94", "14"

FREEZE_REASONS = (
    ("CUSTOMER_REQUEST", "The customer asked for it"),
    ("LOST_OR_STOLEN", "Lost or stolen, not sure yet"),
    ("SUSPECTED_FRAUD", "Suspected fraud"),
    ("COURT_ORDER", "Order of a court or authority"),
    ("PARTNER_REQUEST", "The partner asked for it"),
)
UNFREEZE_REASONS = (
    ("CUSTOMER_CONFIRMED", "The customer was identified and confirmed"),
    ("CHECK_DONE", "The check is done, nothing was found"),
    ("FOUND_AGAIN", "The card was found again"),
    ("MISTAKE", "The freeze was a mistake"),
)
