"""
How much may still move: which rules bind a customer, and what is used of them. Reads and pure choices, no writes.

The first rules stand in `seeds` and are put in place by each migration run; rows that exist are not touched.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import AppConfig
from django.db.models import Q, Sum

from flowlet.core.currencies import EXPONENTS, exponent
from flowlet.core.money import Money
from flowlet.identity.choices import Tier
from flowlet.identity.models import Customer, Partner
from wallets.choices import LimitInterval, LimitKind
from wallets.models import LimitRule, LimitUse, Wallet

COUNTED = (LimitInterval.DAY, LimitInterval.MONTH)
_KINDS = {LimitKind.IN: "money in", LimitKind.OUT: "money out", LimitKind.CARD: "card payments"}
_SPANS = {
    LimitInterval.PER_TRANSACTION: "at once",
    LimitInterval.DAY: "a day",
    LimitInterval.MONTH: "a month",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a customer in one currency, what is used of it and what is left."""

    kind: str
    interval: str
    limit: Money
    used: Money

    @property
    def left(self) -> Money:
        """How much more may move, never below zero."""
        return Money(max(0, self.limit.minor - self.used.minor), self.limit.currency)

    @property
    def what(self) -> str:
        """The limit in words, to follow "the limit for"."""
        if self.interval == LimitInterval.BALANCE:
            return "all that the customer's wallets hold"
        return f"{_KINDS[LimitKind(self.kind)]} {_SPANS[LimitInterval(self.interval)]}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """What uses of limits are counted by, for one customer."""

    customer_id: int
    kind: str
    interval: str
    start: date
    currency: str


def bucket_start(interval: str, at: datetime, zone: str) -> date:
    """Return the day that an instant counts for in a time zone (IANA name), or the first day of its month."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return day.replace(day=1) if interval == LimitInterval.MONTH else day


def zones_of(customers: Collection[Customer]) -> dict[int, str]:
    """Return for each customer the time zone that his partner's programme counts by; one query."""
    rows = Partner.objects.filter(pk__in={customer.partner_id for customer in customers})
    zones = dict(rows.values_list("pk", "time_zone"))
    return {customer.pk: zones[customer.partner_id] for customer in customers}


def binding(rules: Sequence[LimitRule], *, currency: str) -> dict[tuple[str, str], Money]:
    """Choose one rule for each kind and interval: a partner's before the general, the currency's before the rest's."""
    chosen: dict[tuple[str, str], Money] = {}
    ranked = sorted(rules, key=lambda rule: (rule.partner_id is not None, rule.currency != ""))
    for rule in ranked:
        if rule.currency in ("", currency):
            minor = rule.amount_minor
            if rule.currency == "":
                minor = minor * 10 ** exponent(currency) // 100
            chosen[rule.kind, rule.interval] = Money(minor, currency)
    return chosen


def rules_for(
    customers: Collection[Customer], currencies: Collection[str], kinds: Collection[str]
) -> list[LimitRule]:
    """Return every rule of these kinds that may bind one of the customers in one of the currencies; one query."""
    rows = LimitRule.objects.filter(
        Q(partner_id__isnull=True) | Q(partner_id__in={customer.partner_id for customer in customers}),
        tier__in={customer.tier for customer in customers},
        currency__in={"", *currencies},
        kind__in=kinds,
    )
    return list(rows.order_by("id"))


def rules_of(customer: Customer, rules: Sequence[LimitRule]) -> list[LimitRule]:
    """Pick the rules of one customer's tier and partner."""
    return [
        rule
        for rule in rules
        if rule.tier == customer.tier and rule.partner_id in (None, customer.partner_id)
    ]


def balances_of(customer_ids: Collection[int], currencies: Collection[str]) -> dict[tuple[int, str], int]:
    """Return what each customer's wallets hold in each currency, minor units; one query."""
    rows = Wallet.objects.filter(customer_id__in=customer_ids, currency__in=currencies)
    sums = rows.values_list("customer_id", "currency").annotate(held=Sum("account__balance__posted"))
    return {
        (customer_id, currency): held or 0 for customer_id, currency, held in sums.order_by("customer_id")
    }


def limits_of(customer: Customer, *, currencies: Collection[str], now: datetime) -> list[Limit]:
    """Return all limits of a customer in these currencies with what is used now, sorted by currency, kind, interval."""
    rules = rules_of(customer, rules_for([customer], currencies, LimitKind.values))
    held = balances_of([customer.pk], currencies)
    zone = zones_of([customer])[customer.pk]
    starts = {bucket_start(interval, now, zone) for interval in COUNTED}
    uses = LimitUse.objects.filter(customer=customer, bucket_date__in=starts, currency__in=currencies)
    used = {(row.kind, row.interval, row.bucket_date, row.currency): row.amount_minor for row in uses}
    found = []
    for currency in sorted(currencies):
        for (kind, interval), limit in sorted(binding(rules, currency=currency).items(), key=_order):
            minor = used.get((kind, interval, bucket_start(interval, now, zone), currency), 0)
            if interval == LimitInterval.BALANCE:
                minor = held.get((customer.pk, currency), 0)
            found.append(Limit(kind, interval, limit, Money(minor, currency)))
    return found


def _order(item: tuple[tuple[str, str], Money]) -> tuple[int, int]:
    kind, interval = item[0]
    return LimitKind.values.index(kind), LimitInterval.values.index(interval)


# --- the first rules ------------------------------------------------------------------------------------------------

# Whole euros. What a customer of whom only a name is known may do is small; the figures are ours, not a law's.
_EUROS: dict[str, dict[tuple[str, str], int]] = {
    Tier.BASIC: {
        ("IN", "PER_TRANSACTION"): 1_000,
        ("IN", "DAY"): 1_500,
        ("IN", "MONTH"): 5_000,
        ("IN", "BALANCE"): 5_000,
        ("OUT", "PER_TRANSACTION"): 1_000,
        ("OUT", "DAY"): 1_500,
        ("OUT", "MONTH"): 3_000,
        ("CARD", "PER_TRANSACTION"): 150,
        ("CARD", "DAY"): 300,
        ("CARD", "MONTH"): 1_000,
    },
    Tier.STANDARD: {
        ("IN", "PER_TRANSACTION"): 50_000,
        ("IN", "DAY"): 100_000,
        ("IN", "MONTH"): 250_000,
        ("IN", "BALANCE"): 250_000,
        ("OUT", "PER_TRANSACTION"): 25_000,
        ("OUT", "DAY"): 50_000,
        ("OUT", "MONTH"): 150_000,
        ("CARD", "PER_TRANSACTION"): 5_000,
        ("CARD", "DAY"): 10_000,
        ("CARD", "MONTH"): 30_000,
    },
    Tier.PLUS: {
        ("IN", "PER_TRANSACTION"): 5_000_000,
        ("IN", "DAY"): 10_000_000,
        ("IN", "MONTH"): 50_000_000,
        ("OUT", "PER_TRANSACTION"): 5_000_000,
        ("OUT", "DAY"): 10_000_000,
        ("OUT", "MONTH"): 50_000_000,
        ("CARD", "PER_TRANSACTION"): 25_000,
        ("CARD", "DAY"): 50_000,
        ("CARD", "MONTH"): 200_000,
    },
}
# Round figures near the value of a euro in whole units, so that limits are alike; not a rate, nothing is converted.
# All other currencies take the euro's figure one to one, which is never more than it is worth.
_UNITS = {
    1: "EUR USD GBP CHF BHD KWD OMR JOD KYD GIP FKP SHP",
    2: "CAD AUD NZD SGD BND",
    4: "PLN RON ILS AED SAR QAR BGN BRL MYR PEN",
    10: "NOK SEK DKK CNY HKD MAD MXN",
    20: "CZK ZAR UYU",
    50: "TRY INR THB PHP",
    100: "JPY ISK RSD ALL",
    400: "HUF",
    1000: "KRW CLP COP ARS",
    10_000: "IDR VND",
}


def _seeds() -> Iterator[LimitRule]:
    for tier, figures in _EUROS.items():
        for (kind, interval), euros in figures.items():
            yield LimitRule(tier=tier, kind=kind, interval=interval, amount_minor=euros * 100)
            for units, codes in _UNITS.items():
                for code in set(codes.split()) & EXPONENTS.keys():
                    minor = euros * units * 10 ** exponent(code)
                    yield LimitRule(
                        tier=tier, kind=kind, interval=interval, currency=code, amount_minor=minor
                    )


def install() -> None:
    """Put the first rules in place; what people changed since stays."""
    LimitRule.objects.bulk_create(list(_seeds()), ignore_conflicts=True)


def after_migrate(sender: AppConfig, **_: Any) -> None:  # noqa: ARG001 - the signal's signature
    """Put the first rules in place (receiver of `post_migrate`)."""
    install()
