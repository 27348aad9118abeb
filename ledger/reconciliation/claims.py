"""Lines that a room above knows by their words: it books what they bring in, or says why it could not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flowlet.core.registry import Registry
from ledger.choices_matching import BreakReason
from ledger.models.reconciliation import BankLine


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line that names something was not booked to it; `note` is a sentence for whoever works on the break."""

    reason: BreakReason
    note: str

    @property
    def names_nothing(self) -> bool:
        """Tell whether what it names is not ours, so that the line may be about anything else."""
        return self.reason == BreakReason.BAD_REFERENCE


class Claimer(Protocol):
    """
    Books lines by what their words name, each in a transaction of its own, with `ledger.operations.claiming`.

    It is given lines of money in on accounts for customers' money, of which nothing is matched; the same ones again
    with each run until they are settled.
    """

    def __call__(self, *, lines: Sequence[BankLine], now: datetime) -> Mapping[int, Refusal | None]:
        """Return, by key, None for each line it has settled and why not for others it knows; the rest is left out."""
        ...


LINE_CLAIMS: Registry[Claimer] = Registry("ledger.line_claims")
