"""What a scenario is: pure code over one customer's movements, with typed and bounded parameters. No tables, no clock."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, TypeVar

from compliance.choices_monitoring import Severity
from compliance.errors_monitoring import ParameterOutOfBounds
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Move:
    """
    One movement: `minor` in US cents, above zero; `key` is the ledger transaction's public id.

    `counterparty` names whoever was on the other side, '' if nobody is known; `own`: it was the same customer, from
    another wallet or from a bank account of his.
    """

    id: int
    key: str
    at: datetime
    side: Literal["IN", "OUT"]
    channel: str
    minor: int
    counterparty: str = ""
    country: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """One customer with all priced movements that stand, oldest first; ties in the order of `key`."""

    business: bool
    home: frozenset[str]
    since: datetime
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The movements that show a pattern once, oldest first."""

    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Episode:
    """
    A chain of findings less than the scenario's gap apart: what one alert is about.

    `moves` are all movements in evidence, oldest first, none twice.
    """

    moves: tuple[Move, ...]

    @property
    def first(self) -> Move:
        """The movement the chain begins with; it names the episode."""
        return self.moves[0]

    @property
    def latest_at(self) -> datetime:
        """When the latest movement happened."""
        return self.moves[-1].at

    @property
    def amount_minor(self) -> int:
        """What came in, or what went out if that is more; US cents."""
        return max(total(self.moves, "IN"), total(self.moves, "OUT"))


def parameter(default: int, *, unit: str, low: int, high: int, says: str) -> Any:
    """Return a dataclass field: a whole number with unit, bounds (both allowed) and a sentence for the officer."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "says": says})


@dataclass(frozen=True, slots=True)
class Parameters:
    """The base of every scenario's parameters."""


class Scenario:
    """
    A typology. Findings may depend only on what happened up to their latest movement: late data extend a chain.

    `gap_days` is how far apart two findings may lie to be one episode, `severity` how soon a person must decide.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    severity: ClassVar[Severity] = Severity.MEDIUM
    gap_days: ClassVar[int] = 30
    parameters: ClassVar[type[Parameters]]

    def findings(self, watched: Watched, parameters: Any) -> Iterator[Finding]:
        """Yield each place where the pattern shows."""
        raise NotImplementedError

    def sentence(self, moves: Sequence[Move], parameters: Any) -> str:
        """Say in a plain sentence for an officer what the movements of an episode show."""
        raise NotImplementedError


# Keyed by the code that is stored: "structuring".
SCENARIOS: Registry[Scenario] = Registry("compliance.scenarios")
Known = TypeVar("Known", bound=type[Scenario])


def register(code: str) -> Callable[[Known], Known]:
    """Return a class decorator that puts one instance of a scenario into the registry."""

    def store(scenario: Known) -> Known:
        SCENARIOS.register(code)(scenario())
        return scenario

    return store


def episodes(scenario: Scenario, watched: Watched, parameters: Parameters) -> list[Episode]:
    """Return what a scenario finds about a customer, oldest first."""
    gap = timedelta(days=scenario.gap_days)
    chains: list[dict[int, Move]] = []
    latest: datetime | None = None
    found = sorted(scenario.findings(watched, parameters), key=lambda one: order(one.moves[0]))
    for finding in found:
        if latest is None or finding.moves[0].at - latest >= gap:
            chains.append({})
            latest = finding.moves[-1].at
        chains[-1].update((move.id, move) for move in finding.moves)
        latest = max(latest, finding.moves[-1].at)
    return [Episode(tuple(sorted(chain.values(), key=order))) for chain in chains]


def order(move: Move) -> tuple[datetime, str, str]:
    """Return what movements are sorted by: the same whenever and however they were fed."""
    return (move.at, move.key, move.side)


def total(moves: Sequence[Move], side: str) -> int:
    """Return the sum of one side in US cents."""
    return sum(move.minor for move in moves if move.side == side)


def dollars(minor: int) -> str:
    """Return US cents as people read them: `12,345.60 USD`."""
    return f"{minor // 100:,}.{minor % 100:02} USD"


def day(at: datetime) -> str:
    """Return a day as people read it."""
    return f"{at:%-d %b %Y}"


def span(moves: Sequence[Move]) -> str:
    """Return when movements happened: `on 3 Oct 2026` or `between 3 Oct 2026 and 7 Oct 2026`."""
    first, last = day(moves[0].at), day(moves[-1].at)
    return f"on {first}" if first == last else f"between {first} and {last}"


def defaults(scenario: Scenario) -> dict[str, int]:
    """Return the parameters a scenario is delivered with."""
    return {one.name: _default(one) for one in fields(scenario.parameters)}


def _default(one: Field[Any]) -> int:
    if one.default is MISSING:
        raise TypeError(f"parameter {one.name} has no default")
    return int(one.default)


def read(scenario: Scenario, values: Mapping[str, object]) -> Parameters:
    """
    Return stored or typed values as the scenario's parameters; what is absent takes its default.

    :raises ParameterOutOfBounds: if a value is no whole number, outside its bounds, or not a parameter
    """
    known = {one.name: one for one in fields(scenario.parameters)}
    for name, value in values.items():
        _check(name, value, known.get(name))
    return scenario.parameters(**dict(values))


def _check(name: str, value: object, one: Field[Any] | None) -> None:
    low, high = (one.metadata["low"], one.metadata["high"]) if one else (0, 0)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if one is None or not whole or not low <= int(str(value)) <= high:
        raise ParameterOutOfBounds(name=name.replace("_", " "), low=low, high=high)
