"""The ways compliance can say no."""

from collections.abc import Sequence

from flowlet.core.errors import AppError, Conflict


class ListRefused(AppError):
    """
    A delivered list is damaged, of another shape, or far from the size of the live one. The live list stays.

    `reasons` holds one sentence per fault, with file and line where there is one.
    """

    code = "list_refused"
    title = "List refused"
    message = "The list was refused: {summary}"

    def __init__(self, *reasons: str) -> None:
        self.reasons: Sequence[str] = reasons
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        super().__init__(summary=reasons[0] + more)


class HitAlreadyDecided(Conflict):
    """Somebody has decided this hit in the meantime."""

    code = "hit_already_decided"
    title = "Already decided"
    message = "{who} decided this hit on {when}: {outcome}."


class ReasonNotForOutcome(AppError):
    """The reason code does not go with what was decided."""

    code = "reason_not_for_outcome"
    title = "Reason does not fit"
    message = "The reason {reason} does not go with {outcome}."


class NoteRequired(AppError):
    """A true match or an escalation needs words."""

    code = "note_required"
    title = "Note required"
    message = "Please say in a note why."


class NoteTooLong(AppError):
    """The note is beyond what is stored."""

    code = "note_too_long"
    title = "Note too long"
    message = "A note has at most {limit} characters."


class AlreadyScreened(Conflict):
    """The customer is not waiting for a check by hand."""

    code = "already_screened"
    title = "Already checked"
    message = "This customer is not waiting for a check by hand."
