"""The codes that bank accounts of the house, bank files and their lines are stored with."""

from django.db.models import TextChoices

# Why a file stands where it does, when it was not the file's fault: before anything of it was written, and after.
UNEXPECTED, UNEXPECTED_MIDWAY = "UNEXPECTED_ERROR", "UNEXPECTED_ERROR_MIDWAY"


class BankFileState(TextChoices):
    """What became of a file from a bank; nothing of it counts before ACCEPTED."""

    STAGED = "STAGED", "Waiting"
    ACCEPTING = "ACCEPTING", "Being read in"
    ACCEPTED = "ACCEPTED", "Accepted"
    QUARANTINED = "QUARANTINED", "Quarantined"
    REFUSED = "REFUSED", "Refused"
    DISCARDED = "DISCARDED", "Put aside"


class BankLineStatus(TextChoices):
    """How a line of a bank's statement stands: not looked at, explained by our books, or a break."""

    OPEN = "OPEN", "Open"
    MATCHED = "MATCHED", "Matched"
    BROKEN = "BROKEN", "Break"


class CsvSign(TextChoices):
    """How a bank's CSV tells money in from money out."""

    SIGNED = "SIGNED", "One amount, minus for money out"
    TWO_COLUMNS = "TWO_COLUMNS", "One column for money in, one for money out"
    INDICATOR = "INDICATOR", "One amount and a column that says C or D"
