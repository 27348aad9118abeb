"""Structuring: several cash-like credits just below the reporting limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from compliance.choices_monitoring import Channel, Severity
from compliance.scenario_base import (
    Finding,
    Move,
    Parameters,
    Scenario,
    Watched,
    dollars,
    parameter,
    register,
    span,
    total,
)


@dataclass(frozen=True, slots=True)
class StructuringParameters(Parameters):
    """What counts as just below, how often, and within which time."""

    limit: int = parameter(
        1_000_000,
        unit="US cents",
        low=100_000,
        high=5_000_000,
        says="The reporting limit for cash; a deposit at or above it is reported anyway.",
    )
    floor_ratio: int = parameter(
        70, unit="percent", low=30, high=99, says="A deposit counts from this share of the limit on."
    )
    count_min: int = parameter(
        3, unit="deposits", low=2, high=20, says="So many deposits within the time raise an alert."
    )
    days: int = parameter(10, unit="days", low=1, high=60, says="The time within which they are counted.")


@register("structuring")
class Structuring(Scenario):
    """Cash deposits that each stay just below the limit and together pass it."""

    title = "Structuring below the reporting limit"
    summary = "Several cash deposits just below the reporting limit within a few days"
    source = "FATF typologies; limit of 31 CFR 1010.311"
    severity = Severity.HIGH
    parameters = StructuringParameters

    def findings(self, watched: Watched, parameters: StructuringParameters) -> Iterator[Finding]:
        """Yield each run of enough near-limit deposits within the time."""
        floor = parameters.limit * parameters.floor_ratio // 100
        near = [
            move
            for move in watched.moves
            if move.side == "IN" and move.channel == Channel.CASH and floor <= move.minor < parameters.limit
        ]
        start = 0
        for end, move in enumerate(near):
            while move.at - near[start].at > timedelta(days=parameters.days):
                start += 1
            if end - start + 1 >= parameters.count_min:
                yield Finding(tuple(near[start : end + 1]))

    def sentence(self, moves: Sequence[Move], parameters: StructuringParameters) -> str:
        """Say how many deposits there were, and how near to the limit."""
        return (
            f"{len(moves)} cash deposits {span(moves)}, each below the reporting limit of {dollars(parameters.limit)} "
            f"and none smaller than {dollars(min(move.minor for move in moves))}; together {dollars(total(moves, 'IN'))}."
        )
