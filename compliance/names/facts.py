"""
Facts beside the name: birth date, countries. They raise or lower; a missing fact does nothing.

Pure. A fact moves the points by a part of the way: up, of what is missing to a perfect match; down, of what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SAME, CLOSE, DIFFERS, UNKNOWN = "SAME", "CLOSE", "DIFFERS", "UNKNOWN"
_YEARS_APART = 2
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class DateRange:
    """A birth date as a list gives it: the first and last day it can be; `circa` widens it by a year."""

    start: date
    end: date
    circa: bool = False

    @property
    def exact(self) -> bool:
        """Tell whether one day is meant."""
        return self.start == self.end and not self.circa


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one fact agrees; `move` is from -1 (take all) over 0 to 1 (give all that is missing)."""

    how: str
    move: float
    because: str


_NOTHING = Agreement(UNKNOWN, 0.0, "One side is not known")


def compare_birth(ours: date | None, listed: Sequence[DateRange]) -> Agreement:
    """Return how a birth date agrees with the best of those listed."""
    if ours is None or not listed:
        return _NOTHING
    return max((_birth(ours, span) for span in listed), key=lambda agreement: agreement.move)


def _birth(ours: date, listed: DateRange) -> Agreement:
    if listed.exact and ours == listed.start:
        return Agreement(SAME, 0.5, "The same day")
    if listed.exact and (ours.year, ours.day, ours.month) == (
        listed.start.year,
        listed.start.month,
        listed.start.day,
    ):
        return Agreement(CLOSE, 0.35, "Day and month swapped")
    if not listed.exact and listed.start <= ours <= listed.end:
        return Agreement(CLOSE, 0.2, "Within the listed time")
    years = max((listed.start - ours).days, (ours - listed.end).days, 0) / _DAYS_A_YEAR
    if years <= 1:
        return Agreement(CLOSE, 0.1, "Within a year")
    if years <= _YEARS_APART:
        return Agreement(DIFFERS, 0.0, "More than a year apart")
    # A year alone, or "circa", is weaker evidence against than two exact days.
    return Agreement(DIFFERS, -0.25 if listed.exact else -0.15, f"{round(years)} years apart")


def compare_countries(ours: Sequence[str], listed: Sequence[str]) -> Agreement:
    """Return how alpha-2 codes agree. Another country says little: people move, lists are incomplete."""
    if not any(ours) or not any(listed):
        return _NOTHING
    if set(ours) & set(listed) - {""}:
        return Agreement(SAME, 0.12, "A country in common")
    return Agreement(DIFFERS, 0.0, "No country in common")
