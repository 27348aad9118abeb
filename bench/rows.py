"""One line of a table of ratios."""

from collections.abc import Sequence
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


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"| {row.what} | {row.measured:.2f} | {'≤' if row.at_most else '≥'} {row.wanted:g} | {'yes' if row.met else 'NO'} |"
        for row in rows
    ]
    return "\n".join(["| what | measured | wanted | met |", "|---|---|---|---|", *lines])
