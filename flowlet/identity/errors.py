"""The ways identity can say no."""

from flowlet.core.errors import AppError, Conflict


class UnknownScope(AppError):
    """A scope was asked for that does not exist."""

    code = "unknown_scope"
    http_status = 400
    title = "Unknown scope"
    message = "There is no scope {scope}."


class ReferenceTaken(AppError):
    """The partner already has a customer with this reference."""

    code = "reference_taken"
    http_status = 409
    title = "Reference already used"
    message = "A customer with this reference exists already."
    next_action = "find_customer"
    next_text = "Look the customer up by its reference instead of creating it again."


class AlreadyLifted(Conflict):
    """The restriction is no longer in force."""

    code = "already_lifted"
    title = "Already lifted"
    message = "The restriction was lifted already."


class CustomerClosed(AppError):
    """The relation with the customer has ended."""

    code = "customer_closed"
    title = "Customer closed"
    message = "The customer is closed."
