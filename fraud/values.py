"""What goes into a decision and what comes out: plain values, no ORM. Callers build a `ScoringRequest`."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from flowlet.core.money import Money

LIVE = "live"
BASE_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringRequest:
    """
    A movement to be judged while it waits, in the caller's own words.

    `source_kind` and `source_id` name it once for ever (`payment`, `pay_…`). Ids are public ids; a key the caller
    lacks stays empty. `base_minor` is the amount in minor units of the base currency (euro cents); without it the
    amount counts as it stands, so pass it for any other currency. Instants are aware. `balance_minor` is what the
    payer had before, in the payment's currency. `country` is where the money goes, ISO 3166 alpha-2.
    """

    source_kind: str
    source_id: str
    kind: str
    product: str
    event_at: datetime
    amount: Money
    customer: str
    stream: str = LIVE
    base_minor: int | None = None
    partner_id: int | None = None
    card: str = ""
    device: str = ""
    ip: str = ""
    terminal: str = ""
    counterparty: str = ""
    country: str = ""
    customer_country: str = ""
    customer_since: datetime | None = None
    details_changed_at: datetime | None = None
    balance_minor: int | None = None
    sandbox_risk: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """Digests of who and what takes part; 0 stands for nothing."""

    customer: int = 0
    card: int = 0
    device: int = 0
    ip: int = 0
    terminal: int = 0
    counterparty: int = 0
    country: int = 0


KEY_NAMES = tuple(item.name for item in fields(Keys))


@dataclass(frozen=True, slots=True)
class Facts:
    """Integers about the customer at the instant of the event; None where nobody knows. Instants are microseconds."""

    since_us: int | None = None
    changed_us: int | None = None
    balance_minor: int | None = None
    abroad: int | None = None


FACT_NAMES = tuple(item.name for item in fields(Facts))


@dataclass(frozen=True, slots=True)
class Subject:
    """The event as fraud keeps it: what both compilers of features read."""

    event_us: int
    base_minor: int
    log_e4: int
    keys: Keys
    facts: Facts


@dataclass(frozen=True, slots=True)
class Reason:
    """
    One share of the score, in calibrated log-odds: positive speaks for fraud. `usual` is the customer's own value.

    The shares of a decision and its bias add up to the log-odds of its probability.
    """

    family: str
    text: str
    share: float
    value: float | None = None
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that hit: the least action it asks for, a coarse reason for partners, the values it saw."""

    code: str
    version_id: int
    live: bool
    action: str
    reason: str
    values: dict[str, float | str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FraudDecision:
    """
    What the caller acts on. `coarse_reasons` may be told to partners, the rest stays in the house.

    `probability` is None when no model scored; `degraded` says which rungs of the ladder it stood on. `replayed` tells
    that this source was decided before and this is that decision.
    """

    public_id: str
    action: str
    probability: float | None
    reasons: tuple[Reason, ...]
    hits: tuple[Hit, ...]
    coarse_reasons: tuple[str, ...]
    degraded: tuple[str, ...]
    replayed: bool = False
