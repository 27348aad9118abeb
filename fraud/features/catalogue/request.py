"""Features of the movement itself, without any history."""

import numpy as np

from fraud.features.definitions import FEATURES, Feature, Floats, Numbers
from fraud.features.derive import floats, ratio, seconds_between, where_known

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_DAY_S = 86_400.0
_SATURDAY = 5


def _weekend(numbers: Numbers) -> Floats:
    # 1970-01-01 was a Thursday, the third day counted from Monday as 0.
    weekday = (numbers.event_us // _DAY_US + 3) % 7
    return (weekday >= _SATURDAY).astype(np.float64)


FEATURES.register("amount_ln")(
    Feature("Amount", "Amount", (), lambda numbers: floats(numbers.log_e4) / 10_000)
)
FEATURES.register("hour")(
    Feature(
        "Time",
        "Hour of the day",
        (),
        lambda numbers: floats(numbers.event_us // _HOUR_US % 24),
        coarse="unusual_place",
    )
)
FEATURES.register("weekend")(Feature("Time", "Weekend", (), _weekend, coarse="unusual_place"))
FEATURES.register("account_age_days")(
    Feature(
        "Account",
        "Days since the account was opened",
        (),
        lambda numbers: seconds_between(numbers.event_us, numbers.facts["since_us"]) / _DAY_S,
        coarse="recent_account_change",
    )
)
FEATURES.register("details_age_days")(
    Feature(
        "Account",
        "Days since contact or log-in details changed",
        (),
        lambda numbers: seconds_between(numbers.event_us, numbers.facts["changed_us"]) / _DAY_S,
        coarse="recent_account_change",
    )
)
FEATURES.register("balance_share")(
    Feature(
        "Amount",
        "Share of the balance that leaves",
        (),
        lambda numbers: ratio(floats(numbers.base_minor), floats(numbers.facts["balance_minor"])),
    )
)
FEATURES.register("abroad")(
    Feature(
        "Place",
        "Goes to another country than the customer's",
        (),
        lambda numbers: where_known(numbers, "country", floats(numbers.facts["abroad"])),
        coarse="unusual_place",
    )
)
