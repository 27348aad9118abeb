"""The codes that wallets stores."""

from django.db.models import TextChoices


class WalletStatus(TextChoices):
    """Whether a wallet may be used; CLOSED is final."""

    ACTIVE = "ACTIVE", "Active"
    FROZEN = "FROZEN", "Frozen"
    CLOSED = "CLOSED", "Closed"


class FrozenBy(TextChoices):
    """Who froze a wallet: what the house froze, a partner cannot open again."""

    HOUSE = "HOUSE", "Flowlet"
    PARTNER = "PARTNER", "The partner"


class FreezeDirection(TextChoices):
    """What a freeze stops; the wallet's ledger account keeps which."""

    BOTH = "BOTH", "Nothing moves"
    OUT = "OUT", "Nothing goes out"
    IN = "IN", "Nothing comes in"


class BankAccountStatus(TextChoices):
    """Whether money may go to or come from a bank account."""

    ACTIVE = "ACTIVE", "Active"
    REMOVED = "REMOVED", "Removed"


class MovementStatus(TextChoices):
    """Where a deposit or withdrawal stands; all but PENDING are final."""

    PENDING = "PENDING", "Waiting for the next run"
    COMPLETED = "COMPLETED", "Completed"
    REFUSED = "REFUSED", "Refused"
    CANCELLED = "CANCELLED", "Cancelled"


class Execution(TextChoices):
    """When a movement with a bank account happens: at once, or with the next run, until which it can be cancelled."""

    INSTANT = "INSTANT", "At once"
    NEXT_RUN = "NEXT_RUN", "With the next run"


class MonitorSide(TextChoices):
    """Which crossing of its threshold a monitor tells."""

    BELOW = "BELOW", "Falls below"
    ABOVE = "ABOVE", "Rises to or above"


class MoneySource(TextChoices):
    """Where a deposit comes from or a withdrawal goes to; a TRANSFER came to our bank account by a reference."""

    BANK = "BANK", "Bank account"
    CASH = "CASH", "Cash at an agent"
    TRANSFER = "TRANSFER", "Bank transfer"


class ReferenceKind(TextChoices):
    """What a transfer carries: a code in its text, or an account number of the wallet's own."""

    CODE = "CODE", "Code"
    IBAN = "IBAN", "Virtual IBAN"


class ReferenceState(TextChoices):
    """Whether transfers are credited by a reference; RETIRED is final."""

    ACTIVE = "ACTIVE", "Active"
    RETIRED = "RETIRED", "Retired"


class LimitKind(TextChoices):
    """Which movements a limit counts."""

    IN = "IN", "Money in"
    OUT = "OUT", "Money out"
    CARD = "CARD", "Card payments"


class LimitInterval(TextChoices):
    """Over what a limit counts: one movement, a day or a month (in the
    partner's time zone), or all that the wallets hold.
    """

    PER_TRANSACTION = "PER_TRANSACTION", "At once"
    DAY = "DAY", "Day"
    MONTH = "MONTH", "Month"
    BALANCE = "BALANCE", "Balance"


class QuoteSide(TextChoices):
    """Which amount was asked for; the other one follows from the rate."""

    SELL = "SELL", "Sold amount"
    BUY = "BUY", "Bought amount"


class QuoteStatus(TextChoices):
    """Whether a quote may still be used; used and expired are final."""

    OPEN = "OPEN", "Open"
    USED = "USED", "Used"
    EXPIRED = "EXPIRED", "Expired"


FREEZE_REASONS = (
    ("CUSTOMER_REQUEST", "The customer asked for it"),
    ("LOST_ACCESS", "Device or log-in lost"),
    ("SUSPECTED_FRAUD", "Suspected fraud"),
    ("COURT_ORDER", "Order of a court or authority"),
    ("PARTNER_REQUEST", "The partner asked for it"),
)
RETIRE_REASONS = (
    ("CUSTOMER_REQUEST", "The customer asked for it"),
    ("MISUSED", "Somebody else uses it"),
    ("REPLACED", "The customer gets another one"),
)
CLOSE_REASONS = (
    ("CUSTOMER_REQUEST", "The customer asked for it"),
    ("PARTNER_REQUEST", "The partner asked for it"),
    ("NOT_USED", "It is not used any more"),
    ("RELATION_ENDED", "The relation with the customer has ended"),
)
FLOOR_REASONS = (
    ("CREDIT_AGREED", "A credit line was agreed"),
    ("CREDIT_ENDED", "The credit line has ended"),
    ("RISK_REVIEW", "After a review of the risk"),
    ("MISTAKE", "The overdraft was a mistake"),
)
UNFREEZE_REASONS = (
    ("CUSTOMER_CONFIRMED", "The customer was identified and confirmed"),
    ("CHECK_DONE", "The check is done, nothing was found"),
    ("ORDER_LIFTED", "The order was lifted"),
    ("MISTAKE", "The freeze was a mistake"),
)
