"""The ways monitoring and cases can say no."""

from flowlet.core.errors import AppError, Conflict


class ParameterOutOfBounds(AppError):
    """A parameter of a scenario is no whole number within its bounds."""

    code = "parameter_out_of_bounds"
    title = "Parameter out of bounds"
    message = "{name} must be a whole number from {low} to {high}."


class NothingChanged(AppError):
    """The proposed parameters are those in force."""

    code = "nothing_changed"
    title = "Nothing changed"
    message = "These are the parameters in force."


class VersionNotDraft(Conflict):
    """The version is in force or was retired meanwhile."""

    code = "version_not_draft"
    title = "Not a draft"
    message = "This version is no draft any more."


class CaseStateConflict(Conflict):
    """The case is not in a state that allows this; somebody may have been quicker."""

    code = "case_state_conflict"
    title = "Not possible now"
    message = "The case is {state}; this is not possible now."


class CaseReasonMismatch(AppError):
    """The reason does not go with the outcome."""

    code = "case_reason_mismatch"
    title = "Reason does not fit"
    message = "The reason {reason} does not go with {outcome}."


class WaitedEnough(Conflict):
    """A case may wait for ten days in all."""

    code = "waited_enough"
    title = "No more waiting"
    message = "This case has waited {days} days in all, which is the limit."
