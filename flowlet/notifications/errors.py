"""The ways notifications can say no."""

from typing import ClassVar

from flowlet.core.errors import AppError, Retry


class NoPhoneNumber(AppError):
    """There is no number that a code could be sent to."""

    code: ClassVar[str] = "no_phone_number"
    title: ClassVar[str] = "No phone number"
    message: ClassVar[str] = "The customer has no phone number that a code can be sent to."


class TooManyCodes(AppError):
    """Codes were asked for too often, or guessed too often."""

    code: ClassVar[str] = "too_many_codes"
    http_status: ClassVar[int] = 429
    title: ClassVar[str] = "Too many codes"
    message: ClassVar[str] = "Too many codes were asked for or tried. Wait a while, then ask for a new one."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=600)


class CodeNotSent(AppError):
    """The code could not be sent, or we do not know whether it was."""

    code: ClassVar[str] = "code_not_sent"
    title: ClassVar[str] = "Code not sent"
    message: ClassVar[str] = "The code could not be sent. Ask for a new one."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=10)


class CodeUsedUp(AppError):
    """The code has expired, was used, or is none of ours."""

    code: ClassVar[str] = "code_used_up"
    title: ClassVar[str] = "Code no longer valid"
    message: ClassVar[str] = "This code has expired or was used. Ask for a new one."


class CodeNotChecked(AppError):
    """Whoever checks codes could not be reached."""

    code: ClassVar[str] = "code_not_checked"
    http_status: ClassVar[int] = 503
    title: ClassVar[str] = "Code not checked"
    message: ClassVar[str] = "The code could not be checked just now. Try the same code again."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=5)
