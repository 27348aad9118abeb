"""The ways analytics can say no."""

from flowlet.core.errors import AppError, FieldError


class BadDefinition(AppError):
    """A report asks for something that is not registered, not allowed, or too much."""

    code = "bad_definition"
    http_status = 400
    title = "Bad report"
    message = "{why}"

    def __init__(self, *, pointer: str, why: str) -> None:
        super().__init__(errors=(FieldError(pointer, self.code, why),), why=why)


class TooManyRows(AppError):
    """The report holds more rows than one file should."""

    code = "too_many_rows"
    title = "Too many rows"
    message = "This report has {rows} rows; a file holds {maximum} at most. Shorten the period or take a column out."


class NameTaken(AppError):
    """The owner has another report of this name."""

    code = "name_taken"
    http_status = 409
    title = "Name taken"
    message = "You have a report of this name. Choose another one."
