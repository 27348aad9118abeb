"""Features of who else takes part: recipient, device, country."""

from functools import partial

import numpy as np

from fraud.features.definitions import DAY_S, FEATURES, Aggregate, Entity, Feature, Floats, Numbers, What
from fraud.features.derive import floats, where_known

_SMALL_MINOR = 300
_TEN_MINUTES = 600


def _count(key: str, aggregate: Aggregate, numbers: Numbers) -> Floats:
    return where_known(numbers, key, floats(numbers.of(aggregate)))


def _is_new(key: str, aggregate: Aggregate, numbers: Numbers) -> Floats:
    return where_known(numbers, key, (numbers.of(aggregate) == 0).astype(np.float64))


for _key, _title, _coarse in (
    ("counterparty", "New recipient", "new_recipient"),
    ("device", "New device", "recent_account_change"),
    ("country", "New country", "unusual_place"),
):
    _before = Aggregate(Entity.CUSTOMER, What.COUNT, same=(_key,))
    FEATURES.register(f"new_{_key}")(
        Feature("Newness", _title, (_before,), partial(_is_new, _key, _before), coarse=_coarse)
    )


def _register(code: str, title: str, key: str, aggregate: Aggregate, coarse: str) -> None:
    family = "Known fraud" if aggregate.of_labels else "Pace"
    FEATURES.register(code)(
        Feature(family, title, (aggregate,), partial(_count, key, aggregate), coarse=coarse)
    )


_register(
    "counterparty_payers_1d",
    "Different payers of this recipient in a day",
    "counterparty",
    Aggregate(Entity.COUNTERPARTY, What.DISTINCT, DAY_S, of="customer"),
    "new_recipient",
)
_register(
    "counterparty_frauds_60d",
    "Frauds of this recipient known in 60 days",
    "counterparty",
    Aggregate(Entity.COUNTERPARTY, What.KNOWN_FRAUDS, 60 * DAY_S),
    "new_recipient",
)
_register(
    "customer_counterparties_1d",
    "Different recipients in a day",
    "customer",
    Aggregate(Entity.CUSTOMER, What.DISTINCT, DAY_S, of="counterparty"),
    "too_many_attempts",
)
_register(
    "device_customers_1d",
    "Different customers on this device in a day",
    "device",
    Aggregate(Entity.DEVICE, What.DISTINCT, DAY_S, of="customer"),
    "too_many_attempts",
)
_register(
    "customer_small_1h",
    "Small amounts in the latest hour",
    "customer",
    Aggregate(Entity.CUSTOMER, What.COUNT, 3600, below=_SMALL_MINOR),
    "too_many_attempts",
)
_register(
    "same_payment_10m",
    "The same amount to the same recipient in ten minutes",
    "counterparty",
    Aggregate(Entity.CUSTOMER, What.COUNT, _TEN_MINUTES, same=("counterparty", "base_minor")),
    "too_many_attempts",
)
