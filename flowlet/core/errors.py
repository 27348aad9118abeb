"""The shape of every expected refusal: what went wrong, in a stable code, and what the caller can do next."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Say whether and when the same request may be sent again.

    `after_s` is in seconds; `same_key` tells whether the idempotency key may be used again.
    """

    allowed: bool = False
    after_s: int | None = None
    same_key: bool = False


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in a request body; `pointer` is a JSON pointer (RFC 6901), such as `/amount`."""

    pointer: str
    code: str
    detail: str


class AppError(Exception):
    """
    An expected refusal: no alert, nothing changed, a stable `code`, structured `fields`.

    `message` is one sentence for people; `{name}` in it is filled from the fields.
    `next_action` and `next_text` tell the caller what to do about it. `told` names the fields that programs of a
    partner read in the answer, amounts as `<name>_minor`; the others stay inside.
    """

    code: ClassVar[str] = "refused"
    http_status: ClassVar[int] = 422
    title: ClassVar[str] = "Request refused"
    message: ClassVar[str] = "The request was refused."
    retry: ClassVar[Retry] = Retry()
    next_action: ClassVar[str] = ""
    next_text: ClassVar[str] = ""
    told: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, errors: tuple[FieldError, ...] = (), **fields: object) -> None:
        self.fields = fields
        self.errors = errors
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        """One sentence for people, without personal data."""
        return self.message.format(**self.fields)


class NotFound(AppError):
    """The object is absent, or belongs to somebody else: the two look alike."""

    code = "not_found"
    http_status = 404
    title = "Not found"
    message = "There is no such object."


class Conflict(AppError):
    """The object has changed since it was read, or another request is working on it."""

    code = "conflict"
    http_status = 409
    title = "Conflict"
    message = "The object changed in the meantime."


class InvalidInput(AppError):
    """The request cannot be understood; `errors` points at each fault."""

    code = "invalid_request"
    http_status = 400
    title = "Invalid request"
    message = "The request has faults; see errors."


class InvariantBroken(RuntimeError):
    """Something that must never happen has happened: roll back, alert, look."""
