"""The one place that reads the wall clock. Only edges call it; operations take `now` as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(tz=UTC)
