"""The ways in which identities and their documents are refused. Words that partners see stay neutral."""

from compliance.choices_kyc import FILE_FAULTS, FileFault
from flowlet.core.errors import AppError, Conflict, Retry


class DocumentRejected(AppError):
    """An uploaded file is not taken; `reason` is one plain sentence, `reason_code` its code."""

    code = "document_rejected"
    title = "Document rejected"
    message = "{reason}"
    next_action = "send_another_file"
    next_text = "Send a JPEG, PNG or PDF of at most 10 MB with a new Idempotency-Key."

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason=FILE_FAULTS[FileFault(reason_code)], reason_code=reason_code)


class RenderingFailed(AppError):
    """The file could not be looked at, for reasons of ours: it is neither taken nor refused."""

    code = "try_again"
    http_status = 503
    title = "Try again"
    message = "The document could not be looked at just now."
    retry = Retry(allowed=True, after_s=30, same_key=True)
    next_action = "wait"
    next_text = "Send it again in a moment, with the same key."


class KycNotForBusinesses(AppError):
    """Businesses are identified by people, not by this resource."""

    code = "kyc_not_for_businesses"
    title = "Not for businesses"
    message = "A business is identified by our staff."
    next_action = "contact_support"
    next_text = "Contact support: they tell you what is needed."


class KycClosed(Conflict):
    """The file is not open for data or documents now."""

    code = "kyc_not_open"
    title = "Not open"
    message = "The application takes nothing now: it is {state}."
    next_action = "wait"
    next_text = "Wait for the event customer.kyc_updated."


class NoApplication(Conflict):
    """A document was sent before the data it belongs to."""

    code = "kyc_missing"
    title = "Data missing"
    message = "Send the customer's data first."
    next_action = "post_kyc"
    next_text = "POST /customers/{id}/kyc, then the documents."

    def __init__(self) -> None:
        super().__init__(id="{id}")


class TooManyDocuments(AppError):
    """An application holds as many documents as it may."""

    code = "too_many_documents"
    title = "Too many documents"
    message = "An application takes at most {limit} documents."


class TierTooLow(AppError):
    """The customer has a higher tier than the one applied for."""

    code = "tier_too_low"
    title = "Tier too low"
    message = "The customer has a higher tier already."


class KycAlreadyDecided(Conflict):
    """Somebody has decided this file in the meantime, or it changed its state."""

    code = "kyc_already_decided"
    title = "Already decided"
    message = "This file is {state} now{who}."


class KycNotDecidable(AppError):
    """The decision does not go with what is known: a check failed to run, a hit is open, the risk is not permitted."""

    code = "kyc_not_decidable"
    title = "Not possible yet"
    message = "{reason}"


class CheckCannotRun(Exception):
    """A check lacks what it needs, or its provider did not answer: an ERROR, never a pass."""
