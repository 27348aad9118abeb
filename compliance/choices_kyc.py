"""The codes that identities and their documents store."""

from django.db.models import TextChoices


class KycState(TextChoices):
    """The life of an application; what may follow on what stands in `NEXT_STATES` and in a trigger."""

    DRAFT = "DRAFT", "Incomplete"
    SUBMITTED = "SUBMITTED", "Submitted"
    CHECKING = "CHECKING", "Being checked"
    CHECK_ERROR = "CHECK_ERROR", "A check could not run"
    IN_REVIEW = "IN_REVIEW", "To be decided"
    INFORMATION_NEEDED = "INFORMATION_NEEDED", "Asked for more"
    AUTO_APPROVED = "AUTO_APPROVED", "Approved by policy"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"


NEXT_STATES: dict[str, frozenset[str]] = {
    KycState.DRAFT: frozenset({KycState.SUBMITTED}),
    KycState.SUBMITTED: frozenset({KycState.CHECKING}),
    KycState.CHECKING: frozenset({KycState.CHECK_ERROR, KycState.AUTO_APPROVED, KycState.IN_REVIEW}),
    KycState.CHECK_ERROR: frozenset({KycState.CHECKING}),
    KycState.IN_REVIEW: frozenset(
        {KycState.APPROVED, KycState.REJECTED, KycState.INFORMATION_NEEDED, KycState.CHECKING}
    ),
    KycState.INFORMATION_NEEDED: frozenset({KycState.SUBMITTED}),
}
CLOSED_STATES = (KycState.AUTO_APPROVED, KycState.APPROVED, KycState.REJECTED)
TAKES_DATA = (KycState.DRAFT, KycState.INFORMATION_NEEDED)
WAITS_FOR_PERSON = (KycState.IN_REVIEW, KycState.CHECK_ERROR)


class DocumentType(TextChoices):
    """What identifies a person; all of them carry a machine-readable zone."""

    PASSPORT = "PASSPORT", "Passport"
    ID_CARD = "ID_CARD", "Identity card"
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT", "Residence permit"


class Purpose(TextChoices):
    """What a file is for."""

    IDENTITY_FRONT = "IDENTITY_FRONT", "Identity document, front or data page"
    IDENTITY_BACK = "IDENTITY_BACK", "Identity document, back"
    PROOF_OF_ADDRESS = "PROOF_OF_ADDRESS", "Proof of address"


class DocumentState(TextChoices):
    """What became of a file."""

    PENDING = "PENDING", "Not decided"
    ACCEPTED = "ACCEPTED", "Accepted"
    REJECTED = "REJECTED", "Not accepted"
    REPLACED = "REPLACED", "Replaced"


class CheckStatus(TextChoices):
    """What a check found; an ERROR is a check that could not run and never counts as passed."""

    PASSED = "PASSED", "Passed"
    WARNING = "WARNING", "Look at it"
    FAILED = "FAILED", "Failed"
    ERROR = "ERROR", "Could not run"


class Outcome(TextChoices):
    """How an application was decided; the codes are those of the states that follow."""

    AUTO_APPROVED = "AUTO_APPROVED", "Approved by policy"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    INFORMATION_NEEDED = "INFORMATION_NEEDED", "Asked for more"


class DecisionReason(TextChoices):
    """Why an application was decided as it was."""

    POLICY = "POLICY", "All checks passed, low risk, no possible match"
    DOCUMENT_AGREES = "DOCUMENT_AGREES", "Document and data agree"
    DIFFERENCE_EXPLAINED = "DIFFERENCE_EXPLAINED", "The difference is explained"
    ENHANCED_CHECK_DONE = "ENHANCED_CHECK_DONE", "Checked in depth, the risk is acceptable"
    PICTURE_UNREADABLE = "PICTURE_UNREADABLE", "The picture cannot be read"
    DOCUMENT_EXPIRED = "DOCUMENT_EXPIRED", "The document has expired"
    DATA_DIFFERS = "DATA_DIFFERS", "Document and data differ"
    PAGE_MISSING = "PAGE_MISSING", "A page or side is missing"
    ADDRESS_NOT_PROVEN = "ADDRESS_NOT_PROVEN", "The address is not proven"
    FORGED = "FORGED", "The document is forged or altered"
    SOMEBODY_ELSES = "SOMEBODY_ELSES", "The document is somebody else's"
    RISK_TOO_HIGH = "RISK_TOO_HIGH", "The risk is not acceptable"
    NOT_SUPPORTED = "NOT_SUPPORTED", "We do not serve such customers"


DECISION_REASONS: dict[str, tuple[DecisionReason, ...]] = {
    Outcome.AUTO_APPROVED: (DecisionReason.POLICY,),
    Outcome.APPROVED: (
        DecisionReason.DOCUMENT_AGREES,
        DecisionReason.DIFFERENCE_EXPLAINED,
        DecisionReason.ENHANCED_CHECK_DONE,
    ),
    Outcome.REJECTED: (
        DecisionReason.FORGED,
        DecisionReason.SOMEBODY_ELSES,
        DecisionReason.RISK_TOO_HIGH,
        DecisionReason.NOT_SUPPORTED,
    ),
    Outcome.INFORMATION_NEEDED: (
        DecisionReason.PICTURE_UNREADABLE,
        DecisionReason.DOCUMENT_EXPIRED,
        DecisionReason.DATA_DIFFERS,
        DecisionReason.PAGE_MISSING,
        DecisionReason.ADDRESS_NOT_PROVEN,
    ),
}
# What a partner hears when more is needed: never why we doubt.
ASKED_IN_WORDS: dict[str, str] = {
    DecisionReason.PICTURE_UNREADABLE: "Send a sharp picture of the whole document, without glare.",
    DecisionReason.DOCUMENT_EXPIRED: "Send a document that is valid.",
    DecisionReason.DATA_DIFFERS: "Send the data exactly as the document says, and the document again.",
    DecisionReason.PAGE_MISSING: "Send every page or side of the document.",
    DecisionReason.ADDRESS_NOT_PROVEN: "Send a bill or official letter with the address, not older than three months.",
}


class FileFault(TextChoices):
    """Why a file was not taken."""

    EMPTY = "EMPTY", "Empty"
    TOO_LARGE = "TOO_LARGE", "Too large"
    WRONG_TYPE = "WRONG_TYPE", "Not JPEG, PNG or PDF"
    TWO_FILES = "TWO_FILES", "Holds something else as well"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS", "Too many pixels"
    TOO_SMALL = "TOO_SMALL", "Too small"
    DAMAGED = "DAMAGED", "Damaged"
    LOCKED = "LOCKED", "Locked"
    TOO_MANY_PAGES = "TOO_MANY_PAGES", "Too many pages"
    TOO_COMPLEX = "TOO_COMPLEX", "Too complex"
    ACTIVE_CONTENT = "ACTIVE_CONTENT", "Active content"


FILE_FAULTS: dict[str, str] = {
    FileFault.EMPTY: "The file is empty.",
    FileFault.TOO_LARGE: "The file is larger than 10 MB.",
    FileFault.WRONG_TYPE: "The file is no JPEG, PNG or PDF, whatever its name says.",
    FileFault.TWO_FILES: "The file holds something besides the document.",
    FileFault.TOO_MANY_PIXELS: "The picture has more than 25 million pixels.",
    FileFault.TOO_SMALL: "The picture is smaller than 200 pixels on one side.",
    FileFault.DAMAGED: "The file is damaged or incomplete.",
    FileFault.LOCKED: "The file is locked with a password.",
    FileFault.TOO_MANY_PAGES: "The file has more than 20 pages.",
    FileFault.TOO_COMPLEX: "The file is too complex to be shown.",
    FileFault.ACTIVE_CONTENT: "The file holds a script, an action or another file.",
}
