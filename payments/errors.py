"""The ways in which payments says no."""

from flowlet.core.errors import AppError


class UnknownRail(AppError):
    """No rail of that name carries payments here."""

    code = "unknown_rail"
    http_status = 400
    title = "Unknown rail"
    message = "There is no rail {rail}."

    def __init__(self, *, rail: str) -> None:
        super().__init__(rail=rail)
