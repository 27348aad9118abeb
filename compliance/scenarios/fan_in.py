"""Fan-in: many parties who never paid this customer before pay within a few days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
class FanInParameters(Parameters):
    """How many new payers, how fast, how much, and how unlike the past."""

    parties_min: int = parameter(
        8, unit="payers", low=3, high=200, says="So many payers who never paid this customer before."
    )
    days: int = parameter(7, unit="days", low=1, high=60, says="The time within which they pay.")
    amount_min: int = parameter(
        200_000, unit="US cents", low=10_000, high=100_000_000, says="Together they send at least this much."
    )
    habit_ratio: int = parameter(
        300,
        unit="percent",
        low=100,
        high=2_000,
        says="There must be this many compared with the new payers of a usual span of the same length.",
    )
    history_days: int = parameter(
        90, unit="days", low=30, high=365, says="How far back the habit is measured."
    )
    business_factor: int = parameter(
        5, unit="times", low=1, high=100, says="A business needs this many times as many new payers."
    )


@register("fan_in")
class FanIn(Scenario):
    """
    Many unrelated sources, one target.

    Only the first payment of each payer counts, so a landlord's tenants or a shop's regulars raise it once at most; a
    shop that gains payers at a steady pace does not raise it at all.
    """

    title = "Many new payers"
    summary = "Many parties who never paid this customer before pay within a few days"
    source = "FATF typologies: collection accounts"
    parameters = FanInParameters

    def findings(self, watched: Watched, parameters: FanInParameters) -> Iterator[Finding]:
        """Yield each run of enough first payments within the time."""
        need = parameters.parties_min * (parameters.business_factor if watched.business else 1)
        firsts = _first_payments(watched)
        start = 0
        for end, move in enumerate(firsts):
            while move.at - firsts[start].at > timedelta(days=parameters.days):
                start += 1
            run = firsts[start : end + 1]
            if len(run) < need or total(run, "IN") < parameters.amount_min:
                continue
            if _unusual(watched.since, firsts, run, parameters):
                yield Finding(tuple(run))

    def sentence(self, moves: Sequence[Move], parameters: FanInParameters) -> str:
        """Say how many paid for the first time, and how much."""
        payers = len({move.counterparty for move in moves})
        return (
            f"{payers} parties who had never paid this customer before sent {dollars(total(moves, 'IN'))} {span(moves)}; "
            f"{parameters.parties_min} within {parameters.days} days raise an alert."
        )


def _first_payments(watched: Watched) -> list[Move]:
    seen: set[str] = set()
    found = []
    for move in watched.moves:
        if move.side == "IN" and move.counterparty and not move.own and move.counterparty not in seen:
            seen.add(move.counterparty)
            found.append(move)
    return found


def _unusual(
    since: datetime, firsts: Sequence[Move], run: Sequence[Move], parameters: FanInParameters
) -> bool:
    begin = max(since, run[0].at - timedelta(days=parameters.history_days))
    past = sum(begin <= move.at < run[0].at for move in firsts)
    days = max(parameters.days, (run[0].at - begin).days)
    return len(run) * 100 * days >= past * parameters.days * parameters.habit_ratio
