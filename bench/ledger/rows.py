"""One line of a table of ratios."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One ratio: what it compares, measured, and what it is held against."""

    what: str
    measured: float
    wanted: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted
