"""High-risk geography: money from or to listed countries, beyond the customer's habit."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

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
)
from flowlet.core.countries import NAMES

# Source: FATF, "High-Risk Jurisdictions subject to a Call for Action", as it stood on 24 October 2025.
LISTED = frozenset({"KP", "IR", "MM"})
LISTED_AS_OF = "24 Oct 2025"


@dataclass(frozen=True, slots=True)
class GeographyParameters(Parameters):
    """How much, and how much of all."""

    amount_min: int = parameter(
        100_000,
        unit="US cents",
        low=1_000,
        high=100_000_000,
        says="Together the movements with listed countries come to at least this.",
    )
    share_min: int = parameter(
        20,
        unit="percent",
        low=1,
        high=100,
        says="They are at least this share of all movements in the time, and were less before.",
    )
    days: int = parameter(30, unit="days", low=1, high=90, says="The time that is summed.")
    history_days: int = parameter(
        90, unit="days", low=30, high=365, says="How far back the habit is measured."
    )


@register("high_risk_geography")
class HighRiskGeography(Scenario):
    """Movements with countries the FATF calls for action against; the customer's own countries do not count."""

    title = "High-risk country"
    summary = f"Money from or to a country on the FATF's call for action ({LISTED_AS_OF}), beyond the habit"
    source = "FATF, High-Risk Jurisdictions subject to a Call for Action, 24 Oct 2025"
    parameters = GeographyParameters

    def findings(self, watched: Watched, parameters: GeographyParameters) -> Iterator[Finding]:
        """Yield each movement with a listed country that brings the sum and the share beyond the bounds."""
        listed = LISTED - watched.home
        recent: deque[Move] = deque()
        for move in watched.moves:
            recent.append(move)
            while move.at - recent[0].at > timedelta(days=parameters.days):
                recent.popleft()
            if move.country not in listed:
                continue
            risky = [one for one in recent if one.country in listed]
            amount, everything = _sum(risky), _sum(recent)
            large = amount >= parameters.amount_min and amount * 100 >= everything * parameters.share_min
            if large and not _habit(watched, risky[0], listed, parameters):
                yield Finding(tuple(risky))

    def sentence(self, moves: Sequence[Move], parameters: GeographyParameters) -> str:
        """Say which countries, how often and how much."""
        countries = ", ".join(sorted({NAMES.get(move.country, move.country) for move in moves}))
        movements = "1 movement" if len(moves) == 1 else f"{len(moves)} movements"
        return (
            f"{movements} with {countries} {span(moves)}, together {dollars(_sum(moves))}; "
            f"before, such movements were less than {parameters.share_min} % of what this customer moved."
        )


def _sum(moves: Sequence[Move] | deque[Move]) -> int:
    return sum(move.minor for move in moves)


def _habit(watched: Watched, first: Move, listed: frozenset[str], parameters: GeographyParameters) -> bool:
    begin = first.at - timedelta(days=parameters.history_days)
    past = [move for move in watched.moves if begin <= move.at < first.at]
    risky = _sum([move for move in past if move.country in listed])
    return risky > 0 and risky * 100 >= _sum(past) * parameters.share_min
