"""Named lists of features. A set is never edited: a changed list is a new name."""

from types import MappingProxyType

from fraud.errors import UnknownFeatureSet
from fraud.features import loading
from fraud.features.definitions import digest_of

loading.load()

_WINDOWS = (1, 7, 30, 90)
_LABEL_WINDOWS = (1, 3, 7, 14, 21, 28, 60)
_CARD = (
    *("amount_ln", "hour", "weekend", "customer_count_1h"),
    *(f"customer_count_{days}d" for days in _WINDOWS),
    *(f"customer_sum_ln_{days}d" for days in _WINDOWS),
    *(f"customer_amount_to_mean_{days}d" for days in _WINDOWS),
    *("customer_amount_ln_z_30d", "customer_amount_ln_z_90d", "customer_since_latest_ln"),
    *("customer_amount_to_median", "customer_amount_to_max", "customer_large_recent", "customer_frauds_30d"),
    *(f"terminal_count_{days}d" for days in (1, 7, 30)),
    *(f"terminal_known_{days}d" for days in _LABEL_WINDOWS),
    *(f"terminal_frauds_{days}d" for days in _LABEL_WINDOWS),
    *(f"terminal_fraud_rate_{days}d" for days in _LABEL_WINDOWS),
    *("terminal_good_age_days", "terminal_run_length", "terminal_run_age_days"),
)
_LIVE = (
    *_CARD,
    *("account_age_days", "details_age_days", "balance_share", "abroad"),
    *("new_counterparty", "new_device", "new_country"),
    *("counterparty_payers_1d", "counterparty_frauds_60d", "customer_counterparties_1d"),
    *("device_customers_1d", "customer_small_1h", "same_payment_10m"),
    "customer_amount_z_90d",
)
_ANOMALY = (
    *("customer_amount_to_mean_30d", "customer_amount_to_median", "customer_amount_to_max"),
    *("customer_amount_z_90d", "customer_large_recent"),
)
SETS = MappingProxyType({"card_v1": _CARD, "live_v1": _LIVE, "anomaly_v1": _ANOMALY})
# What a decision on each stream computes; every model's own set is a part of it.
ONLINE_SET = "live_v1"
_REQUEST_ONLY = frozenset(code for code in _LIVE if not loading.FEATURES.get(code).needs)


def features_of(code: str) -> tuple[str, ...]:
    """
    Return the ordered features of a set.

    :raises UnknownFeatureSet: if there is none of that name
    """
    if code not in SETS:
        raise UnknownFeatureSet(kind="feature set", name=code)
    return SETS[code]


def set_digest(code: str) -> str:
    """Return the digest of a set's list."""
    return digest_of(features_of(code))


def needs_history(feature: str) -> bool:
    """Tell whether a feature reads history; the others survive when it cannot be read."""
    return feature not in _REQUEST_ONLY
