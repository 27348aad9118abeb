"""What a call to another company came to. Five words for every vendor, so that nobody guesses from an exception."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Outcome(StrEnum):
    """
    How a call with an effect ended, as far as we can be certain.

    NOT_SENT means that nothing happened there, so the same call may be made again. UNKNOWN means that it may or may
    not have happened: look it up by our reference, never repeat it blindly.
    """

    ACCEPTED = "ACCEPTED"
    DONE = "DONE"
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """
    One vendor's answer in our words.

    `reference` is the vendor's id of the object, `request_id` the vendor's id of the call, `code` why it was refused
    or not sent (a code, never the vendor's text), `value` the object where there is one. `alarm` is set when only a
    person can help: keys refused, a key used for two things, an answer that cannot be read.
    """

    outcome: Outcome
    reference: str = ""
    code: str = ""
    value: Value | None = None
    request_id: str = ""
    alarm: bool = False

    @property
    def settled(self) -> bool:
        """Tell whether the vendor has said a final yes or no."""
        return self.outcome in (Outcome.DONE, Outcome.REFUSED)
