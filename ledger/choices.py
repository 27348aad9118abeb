"""The codes that the ledger stores."""

from django.db.models import TextChoices


class ChartKind(TextChoices):
    """What an account of the chart stands for; assets and expenses grow by debits, the others by credits."""

    ASSET = "ASSET", "Asset"
    LIABILITY = "LIABILITY", "Liability"
    EQUITY = "EQUITY", "Equity"
    INCOME = "INCOME", "Income"
    EXPENSE = "EXPENSE", "Expense"


class AccountStatus(TextChoices):
    """Which way money may move; CLOSED is final and needs an empty account."""

    OPEN = "OPEN", "Open"
    NO_OUT = "NO_OUT", "Nothing out"
    NO_IN = "NO_IN", "Nothing in"
    FROZEN = "FROZEN", "Frozen"
    CLOSED = "CLOSED", "Closed"


class HoldDirection(TextChoices):
    """OUT sets money of the account aside, IN announces money to it."""

    OUT = "OUT", "Set aside"
    IN = "IN", "Announced"


class HoldEventKind(TextChoices):
    """What happened to a hold."""

    PLACE = "PLACE", "Placed"
    INCREASE = "INCREASE", "Increased"
    DECREASE = "DECREASE", "Decreased"
    CAPTURE = "CAPTURE", "Captured"
    RELEASE = "RELEASE", "Released"
    EXPIRE = "EXPIRE", "Expired"


class HoldStatus(TextChoices):
    """How a hold stands; all but ACTIVE are final."""

    ACTIVE = "ACTIVE", "Active"
    CAPTURED = "CAPTURED", "Captured"
    RELEASED = "RELEASED", "Released"
    EXPIRED = "EXPIRED", "Expired"


class ExportState(TextChoices):
    """How an export stands; the file can be fetched while it is DONE."""

    QUEUED = "QUEUED", "Queued"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Ready"
    FAILED = "FAILED", "Failed"
    EXPIRED = "EXPIRED", "Expired"


class ExportSubject(TextChoices):
    """Whose statements an export holds; OFFICIAL only notes that an official statement failed its proof."""

    WALLET = "WALLET", "Wallet"
    CUSTOMER = "CUSTOMER", "Customer"
    PARTNER = "PARTNER", "Partner"
    OFFICIAL = "OFFICIAL", "Official statement"


# What can be asked for.
EXPORTED = (ExportSubject.WALLET, ExportSubject.CUSTOMER, ExportSubject.PARTNER)


class PeriodStatus(TextChoices):
    """How a month of the books stands: OPEN takes postings, CLOSING only those of the close, CLOSED none."""

    OPEN = "OPEN", "Open"
    CLOSING = "CLOSING", "Closing"
    CLOSED = "CLOSED", "Closed"


class JournalStatus(TextChoices):
    """How a manual journal stands; POSTED and DISCARDED are final."""

    DRAFT = "DRAFT", "Draft"
    POSTED = "POSTED", "Posted"
    DISCARDED = "DISCARDED", "Discarded"


class RateKind(TextChoices):
    """What a rate is good for: MID to quote from, BID and ASK as the market gave them, CLOSING to value positions."""

    MID = "MID", "Mid"
    BID = "BID", "Bid"
    ASK = "ASK", "Ask"
    CLOSING = "CLOSING", "Closing"


class QueueState(TextChoices):
    """How a queued posting stands."""

    QUEUED = "QUEUED", "Waiting"
    POSTED = "POSTED", "Posted"
    FAILED = "FAILED", "Failed"


class CheckScope(TextChoices):
    """How much of the ledger a run of the proof looks at."""

    ALL = "ALL", "Everything"
    PARTIAL = "PARTIAL", "Latest rows and a sample"


class CheckStatus(TextChoices):
    """How a run of the proof stands; the last three are final."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Running"
    CLEAN = "CLEAN", "Nothing found"
    FAULTS = "FAULTS", "Faults found"
    FAILED = "FAILED", "Could not run"
