"""The codes that matches, breaks and safeguarding proofs are stored with."""

from django.db.models import TextChoices


class MatchedBy(TextChoices):
    """What put lines and items together, or settled one side alone."""

    REFERENCE = "REFERENCE", "Reference and amount"
    AMOUNT = "AMOUNT", "Amount, counterparty and date"
    BATCH = "BATCH", "Batch and its parts"
    SUBSET = "SUBSET", "Sum with one counterparty"
    PERSON = "PERSON", "A person"
    REBOOKED = "REBOOKED", "Booked to another account"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"


class BreakKind(TextChoices):
    """What does not agree."""

    LINE = "LINE", "Only at the bank"
    ITEM = "ITEM", "Only in our books"
    DIFFERENCE = "DIFFERENCE", "Amounts differ"
    SHORTFALL = "SHORTFALL", "Too little client money"


class BreakState(TextChoices):
    """How a break stands; the last two are final."""

    OPEN = "OPEN", "Open"
    EXPLAINED = "EXPLAINED", "Explained"
    RESOLVED = "RESOLVED", "Resolved"
    WRITTEN_OFF = "WRITTEN_OFF", "Written off"


class BreakReason(TextChoices):
    """Why there is a break, or why it is none any more."""

    TIMING = "TIMING", "The other side books later"
    NOT_BOOKED = "NOT_BOOKED", "We have not booked it yet"
    DUPLICATE = "DUPLICATE", "Booked twice by the bank"
    WRONG_AMOUNT = "WRONG_AMOUNT", "Amount is wrong"
    BANK_FEE = "BANK_FEE", "Fee of the bank"
    UNKNOWN_PAYER = "UNKNOWN_PAYER", "Payer not identified"
    BAD_REFERENCE = "BAD_REFERENCE", "Reference is mistyped or not ours"
    AMBIGUOUS = "AMBIGUOUS", "More than one reference"
    RETIRED = "RETIRED", "Reference was retired"
    CURRENCY = "CURRENCY", "Reference is of another currency"
    BLOCKED = "BLOCKED", "Customer's account takes no money now"
    LIMIT = "LIMIT", "Above the customer's limit"
    RECALLED = "RECALLED", "Recalled or returned"
    TOPPED_UP = "TOPPED_UP", "Own money was paid in"
    MATCHED = "MATCHED", "Both sides were found"
    MATCH_UNDONE = "MATCH_UNDONE", "A match was undone"
    OTHER = "OTHER", "Something else"


LIVE_STATES = (BreakState.OPEN, BreakState.EXPLAINED)
AGES = ((0, 1, "0-1 days"), (2, 5, "2-5 days"), (6, 30, "6-30 days"), (31, None, "over 30 days"))
