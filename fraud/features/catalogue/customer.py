"""Features of the customer's own past."""

from functools import partial

import numpy as np

from fraud.features.definitions import (
    DAY_S,
    FEATURES,
    SQUARE_MAX,
    Aggregate,
    Entity,
    Feature,
    Floats,
    Numbers,
    What,
)
from fraud.features.derive import (
    deviation,
    floats,
    log1p_ratio,
    log_deviation,
    median,
    ratio,
    seconds_between,
)

_AMOUNTS = Aggregate(Entity.CUSTOMER, What.LATEST_AMOUNTS)
_LATEST_AT = Aggregate(Entity.CUSTOMER, What.LATEST_AT)
_FRAUDS = Aggregate(Entity.CUSTOMER, What.KNOWN_FRAUDS, 30 * DAY_S)
_RECENT_N = 10
_LARGE = 2.5


def _over(what: What, days: int) -> Aggregate:
    return Aggregate(Entity.CUSTOMER, what, days * DAY_S)


def _count(aggregate: Aggregate, numbers: Numbers) -> Floats:
    return floats(numbers.of(aggregate))


def _log_sum(aggregate: Aggregate, numbers: Numbers) -> Floats:
    return log1p_ratio(numbers.of(aggregate))


def _to_mean(count: Aggregate, total: Aggregate, numbers: Numbers) -> Floats:
    mean = ratio(floats(numbers.of(total)), floats(numbers.of(count)))
    return ratio(floats(numbers.base_minor), mean)


def _log_z(count: Aggregate, total: Aggregate, squares: Aggregate, numbers: Numbers) -> Floats:
    return log_deviation(numbers, numbers.of(count), numbers.of(total), numbers.of(squares))


def _minor_z(count: Aggregate, total: Aggregate, squares: Aggregate, numbers: Numbers) -> Floats:
    capped = np.minimum(numbers.base_minor, SQUARE_MAX)
    return deviation(capped, numbers.of(count), numbers.of(total), numbers.of(squares), scale=1.0, sd_min=1.0)


def _to_median(numbers: Numbers) -> Floats:
    return ratio(floats(numbers.base_minor), median(numbers.of(_AMOUNTS)))


def _to_max(numbers: Numbers) -> Floats:
    return ratio(floats(numbers.base_minor), floats(numbers.of(_AMOUNTS).max(axis=1)))


def _large_recent(numbers: Numbers) -> Floats:
    amounts = numbers.of(_AMOUNTS)
    limit = _LARGE * median(amounts)
    large = (amounts[:, :_RECENT_N].astype(np.float64) > limit[:, None]).sum(axis=1).astype(np.float64)
    return np.where(np.isnan(limit), np.nan, large)


def _since_latest(numbers: Numbers) -> Floats:
    return np.log1p(seconds_between(numbers.event_us, numbers.of(_LATEST_AT)))


_HOUR = Aggregate(Entity.CUSTOMER, What.COUNT, 3600)
FEATURES.register("customer_count_1h")(
    Feature(
        "Pace", "Movements in the latest hour", (_HOUR,), partial(_count, _HOUR), coarse="too_many_attempts"
    )
)
for _days in (1, 7, 30, 90):
    _counted, _summed = _over(What.COUNT, _days), _over(What.SUM, _days)
    FEATURES.register(f"customer_count_{_days}d")(
        Feature(
            "Pace",
            f"Movements in {_days} days",
            (_counted,),
            partial(_count, _counted),
            coarse="too_many_attempts",
        )
    )
    FEATURES.register(f"customer_sum_ln_{_days}d")(
        Feature("Amount", f"Sum over {_days} days", (_summed,), partial(_log_sum, _summed))
    )
    FEATURES.register(f"customer_amount_to_mean_{_days}d")(
        Feature(
            "Amount against the usual",
            f"Amount against the mean of {_days} days",
            (_counted, _summed),
            partial(_to_mean, _counted, _summed),
        )
    )
for _days in (30, 90):
    _parts = (_over(What.COUNT, _days), _over(What.LOG_SUM, _days), _over(What.LOG_SQUARES, _days))
    FEATURES.register(f"customer_amount_ln_z_{_days}d")(
        Feature(
            "Amount against the usual",
            f"Deviation from the amounts of {_days} days",
            _parts,
            partial(_log_z, *_parts),
        )
    )
_MINOR_PARTS = (_over(What.COUNT, 90), _over(What.SUM, 90), _over(What.SQUARES, 90))
FEATURES.register("customer_amount_z_90d")(
    Feature(
        "Amount against the usual",
        "Deviation of the amount over 90 days",
        _MINOR_PARTS,
        partial(_minor_z, *_MINOR_PARTS),
    )
)
FEATURES.register("customer_since_latest_ln")(
    Feature(
        "Pace", "Time since the latest movement", (_LATEST_AT,), _since_latest, coarse="too_many_attempts"
    )
)
FEATURES.register("customer_amount_to_median")(
    Feature("Amount against the usual", "Amount against the median of the latest 25", (_AMOUNTS,), _to_median)
)
FEATURES.register("customer_amount_to_max")(
    Feature("Amount against the usual", "Amount against the largest of the latest 25", (_AMOUNTS,), _to_max)
)
FEATURES.register("customer_large_recent")(
    Feature("Amount against the usual", "Large amounts among the latest 10", (_AMOUNTS,), _large_recent)
)
FEATURES.register("customer_frauds_30d")(
    Feature(
        "Known fraud",
        "Frauds of this customer known in 30 days",
        (_FRAUDS,),
        partial(_count, _FRAUDS),
        coarse="listed",
    )
)
