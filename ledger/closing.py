"""What must be done before a period is closed: each room registers its step, the close runs them in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingStep:
    """
    One step of closing the days from `first` to `last`, both included.

    `check` returns what is still open, in words that a person can act on; nothing means that the step is done. `run`,
    where there is one, does the work of the step, may be repeated without doing it twice, and returns what it did.
    `prepare` is for what a transaction must not hold open, such as a network: it is called with the present instant
    before the transaction of the step, at each attempt, and returns what it did.
    """

    order: int
    title: str
    check: Callable[[date, date, datetime], Sequence[str]]
    run: Callable[[date, date, datetime], str] | None = None
    prepare: Callable[[datetime], str] | None = None


CLOSING_STEPS: Registry[ClosingStep] = Registry("ledger.closing_steps")


def steps_in_order() -> list[tuple[str, ClosingStep]]:
    """Return all steps with their names, first to last."""
    return sorted(CLOSING_STEPS.items(), key=lambda item: (item[1].order, item[0]))
