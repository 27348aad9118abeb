"""Every float of fraud is made here, from integers, by both paths: so parity needs no tolerance."""

import math
from collections.abc import Sequence

import numpy as np

from fraud.features.definitions import FEATURES, MISSING, Floats, Integers, Numbers, Vectors

_LN_SCALE = 10_000
_MICRO = 1_000_000
_SD_MIN = 0.05


def vectors(codes: Sequence[str], numbers: Numbers) -> Vectors:
    """Return float32 of shape (n, features): the matrix a model reads, NaN where a value is missing."""
    matrix = np.empty((len(numbers.event_us), len(codes)), dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for column, code in enumerate(codes):
            matrix[:, column] = FEATURES.get(code).make(numbers)
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix


def log_e4(minor: int) -> int:
    """Return ln(1 + minor units) times 10,000 as an integer: stored with the event, never computed again."""
    return round(math.log1p(minor) * _LN_SCALE)


def floats(values: Integers) -> Floats:
    """Return the integers as float64, MISSING as NaN."""
    return np.where(values == MISSING, np.nan, values.astype(np.float64))


def where_known(numbers: Numbers, key: str, values: Floats) -> Floats:
    """Return the values, NaN where the event lacks that key."""
    return np.where(numbers.has[key], values, np.nan)


def ratio(upper: Floats, lower: Floats) -> Floats:
    """Return upper / lower, NaN where lower is not above zero."""
    return np.where(lower > 0, upper / np.where(lower > 0, lower, 1.0), np.nan)


def log1p_ratio(values: Integers) -> Floats:
    """Return ln(1 + values)."""
    return np.log1p(floats(values))


def seconds_between(later_us: Integers, earlier_us: Integers) -> Floats:
    """Return seconds from one instant to the other, NaN where one is missing, never below zero."""
    return np.maximum((floats(later_us) - floats(earlier_us)) / _MICRO, 0.0)


def deviation(
    value: Integers, count: Integers, total: Integers, squares: Integers, *, scale: float, sd_min: float
) -> Floats:
    """
    Return how many standard deviations a value lies from the mean of a window.

    NaN below three values or when they hardly differ (`sd_min`, in units after division by `scale`).
    """
    number = floats(count)
    mean = floats(total) / number
    variance = np.maximum(floats(squares) - floats(total) * mean, 0.0) / (number - 1)
    sd = np.sqrt(variance) / scale
    enough = (count >= 3) & (sd >= sd_min)  # noqa: PLR2004 - two values have no spread worth a name
    return np.where(enough, (floats(value) - mean) / scale / np.where(enough, sd, 1.0), np.nan)


def log_deviation(numbers: Numbers, count: Integers, total: Integers, squares: Integers) -> Floats:
    """Return the deviation of the amount's logarithm from the window's."""
    return deviation(numbers.log_e4, count, total, squares, scale=_LN_SCALE, sd_min=_SD_MIN)


def median(amounts: Integers) -> Floats:
    """Return the median of each row of latest amounts, NaN where there is none."""
    count = (amounts >= 0).sum(axis=1)
    ordered = np.sort(np.where(amounts >= 0, amounts, np.iinfo(np.int64).max), axis=1)
    rows = np.arange(len(amounts))
    upper = ordered[rows, np.maximum(count // 2, 0).clip(max=amounts.shape[1] - 1)].astype(np.float64)
    lower = ordered[rows, np.maximum((count - 1) // 2, 0)].astype(np.float64)
    return np.where(count > 0, (lower + upper) / 2, np.nan)
