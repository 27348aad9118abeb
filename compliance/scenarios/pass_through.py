"""Pass-through: money of others comes in and is gone again within hours."""

from collections import deque
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
class PassThroughParameters(Parameters):
    """How much, how fast, and how unlike the customer's own past."""

    amount_min: int = parameter(
        500_000,
        unit="US cents",
        low=50_000,
        high=100_000_000,
        says="Less money than this in the time is not looked at.",
    )
    hours: int = parameter(
        48, unit="hours", low=1, high=240, says="In and out must both lie within this time."
    )
    out_ratio: int = parameter(
        85, unit="percent", low=50, high=100, says="At least this share of what came in has left again."
    )
    out_ratio_max: int = parameter(
        110,
        unit="percent",
        low=100,
        high=200,
        says="Above this share the customer spends other money as well.",
    )
    habit_ratio: int = parameter(
        300,
        unit="percent",
        low=100,
        high=2_000,
        says="What came in must be this much of what usually comes in within the same time.",
    )
    history_days: int = parameter(
        90, unit="days", low=30, high=365, says="How far back the habit is measured."
    )
    business_factor: int = parameter(
        4, unit="times", low=1, high=50, says="A business needs this many times the smallest amount."
    )


@register("pass_through")
class PassThrough(Scenario):
    """
    A wallet that others' money only passes.

    Money from the customer's own bank account or another wallet of his is no source: an employer who tops up and pays
    salaries, or somebody who moves savings, passes nothing on for others.
    """

    title = "Money passes through"
    summary = "Money of others comes in and leaves again within hours, unlike the customer's past"
    source = "FATF typologies on money mules and funnel accounts"
    severity = Severity.HIGH
    gap_days = 14
    parameters = PassThroughParameters

    def findings(self, watched: Watched, parameters: PassThroughParameters) -> Iterator[Finding]:
        """Yield each moment at which nearly all that others sent within the time has left again."""
        least = parameters.amount_min * (parameters.business_factor if watched.business else 1)
        recent: deque[Move] = deque()
        for move in _flows(watched):
            recent.append(move)
            while move.at - recent[0].at > timedelta(hours=parameters.hours):
                recent.popleft()
            if move.side != "OUT":
                continue
            moves = _from_first_credit(recent)
            came, left = total(moves, "IN"), total(moves, "OUT")
            passed = came * parameters.out_ratio <= left * 100 <= came * parameters.out_ratio_max
            if moves and came >= least and passed and _unusual(watched, moves[0], came, parameters):
                yield Finding(moves)

    def sentence(self, moves: Sequence[Move], parameters: PassThroughParameters) -> str:
        """Say how much came, how much left, and how fast."""
        came, left = total(moves, "IN"), total(moves, "OUT")
        return (
            f"{dollars(came)} came from others {span(moves)}, and {dollars(left)} ({left * 100 // max(came, 1)} %) "
            f"left again within {parameters.hours} hours of it; that is not usual for this customer."
        )


def _flows(watched: Watched) -> list[Move]:
    """Return credits of others, and everything that left for anybody but a wallet of his own."""
    return [
        move
        for move in watched.moves
        if (move.side == "IN" and not move.own and move.channel != Channel.CARD)
        or (move.side == "OUT" and not (move.own and move.channel == Channel.WALLET))
    ]


def _from_first_credit(recent: Sequence[Move]) -> tuple[Move, ...]:
    moves = list(recent)
    first = next((at for at, move in enumerate(moves) if move.side == "IN"), len(moves))
    return tuple(moves[first:])


def _unusual(watched: Watched, first: Move, came: int, parameters: PassThroughParameters) -> bool:
    """Compare with what usually came in within the same time; without a past everything is unusual."""
    begin = max(watched.since, first.at - timedelta(days=parameters.history_days))
    past = [
        move for move in watched.moves if begin <= move.at < first.at and move.side == "IN" and not move.own
    ]
    hours = max(parameters.hours, (first.at - begin) // timedelta(hours=1))
    usual_all = total(past, "IN") * parameters.hours
    return came * 100 * hours >= usual_all * parameters.habit_ratio
