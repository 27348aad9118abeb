"""Dormant reactivation: long silence, then large flows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from compliance.scenario_base import (
    Finding,
    Move,
    Parameters,
    Scenario,
    Watched,
    day,
    dollars,
    parameter,
    register,
    span,
)


@dataclass(frozen=True, slots=True)
class DormantParameters(Parameters):
    """How long the silence, how large the flow after it."""

    silent_days: int = parameter(
        60,
        unit="days",
        low=30,
        high=720,
        says="Nothing moved for at least so long (since the last movement).",
    )
    days: int = parameter(7, unit="days", low=1, high=30, says="The time after the silence that is summed.")
    amount_min: int = parameter(
        300_000, unit="US cents", low=10_000, high=100_000_000, says="At least so much moves in that time."
    )
    amount_ratio: int = parameter(
        300,
        unit="percent",
        low=100,
        high=5_000,
        says="It must be this much of the largest single movement before the silence.",
    )


@register("dormant_reactivation")
class DormantReactivation(Scenario):
    """A customer who was silent for long moves much more than ever before."""

    title = "Sudden life after silence"
    summary = "A wallet without movements for months suddenly moves large amounts"
    source = "FFIEC BSA/AML manual, red flags: dormant accounts"
    parameters = DormantParameters

    def findings(self, watched: Watched, parameters: DormantParameters) -> Iterator[Finding]:
        """Yield the flows after each long silence once they are large enough."""
        moves = watched.moves
        largest = 0
        for at in range(1, len(moves)):
            largest = max(largest, moves[at - 1].minor)
            if moves[at].at - moves[at - 1].at < timedelta(days=parameters.silent_days):
                continue
            least = max(parameters.amount_min, largest * parameters.amount_ratio // 100)
            yield from _after_silence(moves, at, least, parameters)

    def sentence(self, moves: Sequence[Move], parameters: DormantParameters) -> str:
        """Say how long it was quiet, and what moved then."""
        return (
            f"After at least {parameters.silent_days} days without a movement, {dollars(sum(m.minor for m in moves))} "
            f"moved in {len(moves)} movements {span(moves)}; the silence ended on {day(moves[0].at)}."
        )


def _after_silence(
    moves: Sequence[Move], start: int, least: int, parameters: DormantParameters
) -> Iterator[Finding]:
    until = moves[start].at + timedelta(days=parameters.days)
    moved: list[Move] = []
    for move in moves[start:]:
        if move.at > until:
            return
        moved.append(move)
        if sum(one.minor for one in moved) >= least:
            yield Finding(tuple(moved))
