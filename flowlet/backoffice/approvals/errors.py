"""The ways a request for a second person can be refused."""

from flowlet.core.errors import AppError, Conflict


class ApprovalPending(Conflict):
    """The same act on the same object already waits for a second person."""

    code = "approval_pending"
    title = "Already waiting for a second person"
    message = "The same request already waits for a second person."


class ApprovalDecided(Conflict):
    """The request has been decided, withdrawn or has expired."""

    code = "approval_decided"
    title = "Already decided"
    message = "This request is no longer open."


class StaleApproval(Conflict):
    """What the checker saw is not what the request holds."""

    code = "stale_approval"
    title = "Changed in the meantime"
    message = "You saw another version of this request. Look again before you decide."


class OwnApproval(AppError):
    """Maker and checker are one person, or the checker took part in the matter."""

    code = "own_approval"
    http_status = 403
    title = "A second person must decide"
    message = "You asked for this or worked on it, so a second person must decide."


class NotYourApproval(AppError):
    """The person lacks the right to make, check or withdraw this request."""

    code = "forbidden"
    http_status = 403
    title = "Not allowed"
    message = "You do not hold the right that this needs."
