"""What the demo does, as plain values: customers, wallets and acts in order of time. No database, no wall clock."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class CustomerPlan:
    """A customer to be taken on; `reference` is the partner's own id of him."""

    reference: str
    kind: str
    country: str
    at: datetime
    given: str = ""
    family: str = ""
    legal: str = ""
    birth_date: date | None = None
    email: str = ""
    phone: str = ""
    tier: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class WalletPlan:
    """A wallet to be opened, with a bank account to fill it from."""

    key: str
    customer: str
    currency: str
    name: str
    iban: str
    bank_minor: int
    at: datetime
    purpose: str = "MAIN"


@dataclass(frozen=True, slots=True)
class Act:
    """
    One thing that happens: PAY, DEPOSIT, WITHDRAW (as the partner), or a verb of the house's staff.

    `wallet` and `other` are keys of wallets; `minor` is in minor units of the wallet's currency.
    """

    at: datetime
    verb: str
    wallet: str
    other: str = ""
    minor: int = 0
    text: str = ""


@dataclass(slots=True)
class PartnerPlan:
    """All of one partner; acts are sorted by time."""

    slug: str
    name: str
    country: str
    customers: list[CustomerPlan] = field(default_factory=list)
    wallets: list[WalletPlan] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
