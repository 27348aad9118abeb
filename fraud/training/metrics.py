"""How good scores are: ranking, the day's list that people can work, honest probabilities."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fraud.features.definitions import Floats, Integers

_DAY_US = 86_400_000_000
_BINS = 10


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows in falling order of score, ends of ties marked: average precision for any weights without sorting again."""

    order: Integers
    ends: Integers
    frauds: Floats

    @classmethod
    def of(cls, scores: Floats, frauds: Integers) -> "Ranking":
        """Sort once."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        return cls(order, ends, frauds[order].astype(np.float64))

    def average_precision(self, weights: Floats | None = None) -> float:
        """Return the mean precision over the frauds; 0 without any. Source: Manning et al., IR, 8.4."""
        weight = np.ones(len(self.order)) if weights is None else weights[self.order]
        found = np.cumsum(weight * self.frauds)[self.ends]
        seen = np.cumsum(weight)[self.ends]
        if not len(found) or found[-1] <= 0:
            return 0.0
        steps = np.diff(np.concatenate(([0.0], found)))
        return float((steps * found / np.maximum(seen, 1e-12)).sum() / found[-1])


def average_precision(scores: Floats, frauds: Integers) -> float:
    """Return the average precision."""
    return Ranking.of(scores, frauds).average_precision()


def area_under_curve(scores: Floats, frauds: Integers) -> float:
    """Return the share of pairs (fraud, genuine) in the right order, ties half; 0.5 without both classes."""
    good, bad = np.sort(scores[frauds == 0]), scores[frauds == 1]
    if not len(good) or not len(bad):
        return 0.5
    below = np.searchsorted(good, bad, side="left")
    level = np.searchsorted(good, bad, side="right")
    return float((below + level).sum() / (2 * len(good) * len(bad)))


def precision_at(scores: Floats, frauds: Integers, k: int = 100) -> float:
    """Return the share of frauds among the k rows with the highest scores."""
    top = np.argsort(-scores, kind="stable")[:k]
    return float(frauds[top].mean()) if len(top) else 0.0


def card_precision_at(
    scores: Floats, frauds: Integers, customers: Integers, event_us: Integers, k: int = 100
) -> float:
    """
    Return the mean over days of the share of frauds among the k customers with the day's highest scores.

    A customer counts by his highest score; one who was found leaves the later days.
    """
    day = event_us // _DAY_US
    found: set[int] = set()
    shares: list[float] = []
    for today in np.unique(day):
        rows = np.flatnonzero((day == today) & ~np.isin(customers, list(found)))
        people, place = np.unique(customers[rows], return_inverse=True)
        best = np.full(len(people), -np.inf)
        np.maximum.at(best, place, scores[rows])
        bad = np.zeros(len(people), dtype=bool)
        np.logical_or.at(bad, place, frauds[rows] == 1)
        top = np.argsort(-best, kind="stable")[:k]
        shares.append(float(bad[top].sum()) / k)
        found |= set(people[top][bad[top]].tolist())
    return float(np.mean(shares)) if shares else 0.0


def calibration_table(probabilities: Floats, frauds: Integers) -> list[dict[str, float]]:
    """Return ten bins of equal size: mean probability, share of frauds, rows."""
    order = np.argsort(probabilities, kind="stable")
    return [
        {
            "expected": float(probabilities[part].mean()),
            "observed": float(frauds[part].mean()),
            "rows": len(part),
        }
        for part in np.array_split(order, _BINS)
        if len(part)
    ]


def calibration_error(probabilities: Floats, frauds: Integers) -> float:
    """Return the mean distance of probability and share of frauds over ten bins of equal size (ECE)."""
    table = calibration_table(probabilities, frauds)
    total = sum(row["rows"] for row in table)
    return sum(abs(row["expected"] - row["observed"]) * row["rows"] for row in table) / max(total, 1)


def calibration_noise(probabilities: Floats, *, seed: int, draws: int = 200) -> float:
    """Return the error that 95 of 100 perfectly calibrated models would stay within on this many rows."""
    generator = np.random.default_rng(seed)
    errors = [
        calibration_error(
            probabilities, (generator.random(len(probabilities)) < probabilities).astype(np.int64)
        )
        for _ in range(draws)
    ]
    return float(np.quantile(errors, 0.95))


def brier(probabilities: Floats, frauds: Integers) -> float:
    """Return the mean squared distance of probability and outcome."""
    return float(((probabilities - frauds) ** 2).mean())


def bootstrap_difference(
    candidate: Floats, champion: Floats, frauds: Integers, customers: Integers, *, resamples: int, seed: int
) -> tuple[float, float]:
    """Return mean and lower 5 % bound of the difference in average precision, customers drawn with replacement."""
    people, place = np.unique(customers, return_inverse=True)
    generator = np.random.default_rng(seed)
    ours, theirs = Ranking.of(candidate, frauds), Ranking.of(champion, frauds)
    differences: npt.NDArray[np.float64] = np.empty(resamples)
    for number in range(resamples):
        drawn = np.bincount(generator.integers(len(people), size=len(people)), minlength=len(people))
        weights = drawn[place].astype(np.float64)
        differences[number] = ours.average_precision(weights) - theirs.average_precision(weights)
    return float(differences.mean()), float(np.quantile(differences, 0.05))
