"""
What a feature is: integers asked of history (`Aggregate`), and the float made of them (`Feature`).

An aggregate is compiled twice, to SQL (`online`) and to numpy (`batch`); both deliver the same integers. A feature's
function is the only maker of floats and is called by both paths.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from flowlet.core.registry import Registry

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]

DAY_S = 86_400
# No aggregate looks further back, so that batch and partitions know how much history they need.
HORIZON_S = 90 * DAY_S
LATEST_N = 25
MISSING = np.iinfo(np.int64).min
SQUARE_MAX = 10_000_000  # a larger amount counts as this in sums of squares, which stay within 64 bits


class Entity(StrEnum):
    """Whose past is looked at; the names of `values.Keys`."""

    CUSTOMER = "customer"
    TERMINAL = "terminal"
    DEVICE = "device"
    COUNTERPARTY = "counterparty"


class What(StrEnum):
    """The integer that is asked for."""

    COUNT = "count"
    SUM = "sum"
    SQUARES = "squares"
    LOG_SUM = "log_sum"
    LOG_SQUARES = "log_squares"
    DISTINCT = "distinct"
    LATEST_AT = "latest_at"
    LATEST_AMOUNTS = "latest_amounts"
    KNOWN = "known"
    KNOWN_FRAUDS = "known_frauds"
    GOOD_AT = "good_at"
    RUN_LENGTH = "run_length"
    RUN_FROM = "run_from"


LABEL_WHATS = frozenset({What.KNOWN, What.KNOWN_FRAUDS, What.GOOD_AT, What.RUN_LENGTH, What.RUN_FROM})


@dataclass(frozen=True, slots=True)
class Aggregate:
    """
    One integer over the past of an entity, its own event left out.

    Events count when `T - seconds < event_at` and they come before the event; labels when
    `D - seconds < known_at <= D`, D being the instant of the decision. `same` names keys (or `base_minor`) that must
    equal the event's, `of` the key whose distinct values count, `below` an upper limit of the amount.
    """

    entity: Entity
    what: What
    seconds: int = HORIZON_S
    same: tuple[str, ...] = ()
    of: str = ""
    below: int | None = None

    @property
    def name(self) -> str:
        """The column's name in both paths."""
        parts = [self.entity, self.what, str(self.seconds), *self.same, self.of]
        return "_".join(part for part in (*parts, "" if self.below is None else f"below{self.below}") if part)

    @property
    def of_labels(self) -> bool:
        """Whether labels are asked instead of events."""
        return self.what in LABEL_WHATS


@dataclass(frozen=True, slots=True)
class Numbers:
    """
    The integers of n events: `columns` by aggregate name, each of shape (n,) or (n, 25) for the latest amounts.

    Latest amounts come newest first, padded with -1; an instant that does not exist is MISSING.
    """

    event_us: Integers
    decided_us: Integers
    base_minor: Integers
    log_e4: Integers
    has: Mapping[str, npt.NDArray[np.bool_]]
    facts: Mapping[str, Integers]
    columns: Mapping[str, Integers]

    def of(self, aggregate: Aggregate) -> Integers:
        """Return the integers of one aggregate."""
        return self.columns[aggregate.name]


@dataclass(frozen=True, slots=True)
class Feature:
    """
    One number of the vector: what it needs, how it is made, how people call it.

    `make` returns float64 of shape (n,), NaN where it cannot be told. `family` groups reasons; `coarse` is what a
    partner may be told.
    """

    family: str
    title: str
    needs: tuple[Aggregate, ...]
    make: Callable[[Numbers], Floats]
    coarse: str = "unusual_amount"
    version: int = 1


FEATURES: Registry[Feature] = Registry("fraud.features")


def aggregates_of(codes: Sequence[str]) -> list[Aggregate]:
    """Return each integer the features need, once, in a fixed order."""
    wanted = {need.name: need for code in codes for need in FEATURES.get(code).needs}
    return [wanted[name] for name in sorted(wanted)]


def digest_of(codes: Sequence[str]) -> str:
    """Return the SHA-256 that binds a vector to its features, their order and their versions."""
    lines = "\n".join(f"{code}:{FEATURES.get(code).version}" for code in codes)
    return hashlib.sha256(lines.encode()).hexdigest()
