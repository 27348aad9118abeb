"""Features of the place of acceptance: how busy it is, and what turned out about earlier payments there."""

from functools import partial

from fraud.features.definitions import DAY_S, FEATURES, Aggregate, Entity, Feature, Floats, Numbers, What
from fraud.features.derive import floats, seconds_between, where_known

# Part of the set version: the base rate towards which few labels are drawn.
_PRIOR = 0.01
_DAY = float(DAY_S)


def _count(aggregate: Aggregate, numbers: Numbers) -> Floats:
    return where_known(numbers, "terminal", floats(numbers.of(aggregate)))


def _rate(known: Aggregate, frauds: Aggregate, numbers: Numbers) -> Floats:
    share = (floats(numbers.of(frauds)) + 0.5 * _PRIOR) / (floats(numbers.of(known)) + 0.5)
    return where_known(numbers, "terminal", share)


def _days_since(aggregate: Aggregate, numbers: Numbers) -> Floats:
    return seconds_between(numbers.decided_us, numbers.of(aggregate)) / _DAY


def _labels(what: What, days: int) -> Aggregate:
    return Aggregate(Entity.TERMINAL, what, days * DAY_S)


for _days in (1, 7, 30):
    _events = Aggregate(Entity.TERMINAL, What.COUNT, _days * DAY_S)
    FEATURES.register(f"terminal_count_{_days}d")(
        Feature(
            "Place",
            f"Movements at this place in {_days} days",
            (_events,),
            partial(_count, _events),
            coarse="unusual_place",
        )
    )
for _days in (1, 3, 7, 14, 21, 28, 60):
    _known, _frauds = _labels(What.KNOWN, _days), _labels(What.KNOWN_FRAUDS, _days)
    FEATURES.register(f"terminal_known_{_days}d")(
        Feature(
            "Known fraud at this place",
            f"Outcomes known in {_days} days",
            (_known,),
            partial(_count, _known),
            coarse="unusual_place",
        )
    )
    FEATURES.register(f"terminal_frauds_{_days}d")(
        Feature(
            "Known fraud at this place",
            f"Frauds known in {_days} days",
            (_frauds,),
            partial(_count, _frauds),
            coarse="unusual_place",
        )
    )
    FEATURES.register(f"terminal_fraud_rate_{_days}d")(
        Feature(
            "Known fraud at this place",
            f"Share of frauds known in {_days} days",
            (_known, _frauds),
            partial(_rate, _known, _frauds),
            coarse="unusual_place",
        )
    )
_GOOD = Aggregate(Entity.TERMINAL, What.GOOD_AT)
_RUN = Aggregate(Entity.TERMINAL, What.RUN_LENGTH)
_RUN_FROM = Aggregate(Entity.TERMINAL, What.RUN_FROM)
FEATURES.register("terminal_good_age_days")(
    Feature(
        "Known fraud at this place",
        "Days since the latest good movement",
        (_GOOD,),
        partial(_days_since, _GOOD),
        coarse="unusual_place",
    )
)
FEATURES.register("terminal_run_length")(
    Feature(
        "Known fraud at this place",
        "Frauds in a row",
        (_RUN,),
        partial(_count, _RUN),
        coarse="unusual_place",
    )
)
FEATURES.register("terminal_run_age_days")(
    Feature(
        "Known fraud at this place",
        "Days since the frauds began",
        (_RUN_FROM,),
        partial(_days_since, _RUN_FROM),
        coarse="unusual_place",
    )
)
