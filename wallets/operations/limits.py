"""Using up limits, and giving back what was not used after all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from flowlet.core.money import Money
from flowlet.identity.models import Customer
from wallets import limits
from wallets.choices import LimitInterval, LimitKind
from wallets.errors import LimitExceeded
from wallets.limits import Bucket, Limit
from wallets.models import LimitUse, Wallet

_ADD = """
INSERT INTO wallets_limituse (customer_id, kind, "interval", bucket_date, currency, amount_minor)
VALUES {rows}
ON CONFLICT (customer_id, bucket_date, kind, "interval", currency)
DO UPDATE SET amount_minor = wallets_limituse.amount_minor + EXCLUDED.amount_minor
"""


@dataclass(frozen=True, slots=True)
class Use:
    """One movement that limits count: `wallet` comes with its customer; `kind` is IN, OUT or CARD."""

    wallet: Wallet
    kind: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Days:
    """An instant, and the time zone by customer in which it is a day."""

    at: datetime
    zones: dict[int, str]

    def start(self, interval: str, customer_id: int) -> date:
        """Return the day or the first of the month that the instant counts for."""
        return limits.bucket_start(interval, self.at, self.zones[customer_id])

    def buckets(self, use: Use) -> list[Bucket]:
        """Return what a use is counted by."""
        owner, currency = use.wallet.customer_id, use.amount.currency
        return [
            Bucket(owner, use.kind, interval, self.start(interval, owner), currency)
            for interval in limits.COUNTED
        ]


def use_limit(*, wallet: Wallet, kind: str, amount: Money, now: datetime) -> None:
    """
    Count a movement against the limits of the wallet's customer; money in also against what he may hold.

    Call it while the customer is locked (or the row of the customer cannot be reached by anybody else), inside the
    transaction that moves the money: what it wrote goes with it when that is rolled back.

    :raises LimitExceeded: if a limit of the tier would be passed; nothing is counted
    """
    use_limits(uses=(Use(wallet, kind, amount),), now=now)


def use_limits(*, uses: Sequence[Use], now: datetime) -> None:
    """
    Count several movements of different customers or kinds at once, in five queries; conditions as for `use_limit`.

    :raises LimitExceeded: for the first that would pass a limit; nothing is counted
    """
    customers = [use.wallet.customer for use in uses]
    currencies = {use.amount.currency for use in uses}
    rules = limits.rules_for(customers, currencies, {use.kind for use in uses})
    bound = [
        limits.binding(limits.rules_of(use.wallet.customer, rules), currency=use.amount.currency)
        for use in uses
    ]
    asks_balance = any((LimitKind.IN, LimitInterval.BALANCE) in chosen for chosen in bound)
    held = limits.balances_of({c.pk for c in customers}, currencies) if asks_balance else {}
    days = Days(now, limits.zones_of(customers))
    used = _used(customers, days)
    for use, chosen in zip(uses, bound, strict=True):
        _check(use, chosen, held, used, days)
    _add([(bucket, use.amount.minor) for use in uses for bucket in days.buckets(use)])


def give_back_limit(*, wallet: Wallet, kind: str, amount: Money, used_at: datetime) -> None:
    """
    Take a movement out of the count again, because it did not happen after all.

    `used_at` is the instant that `use_limit` was given. Never below zero: what began before limits were counted may
    end after it.
    """
    for bucket in Days(used_at, limits.zones_of([wallet.customer])).buckets(Use(wallet, kind, amount)):
        LimitUse.objects.filter(
            customer_id=bucket.customer_id,
            kind=bucket.kind,
            interval=bucket.interval,
            bucket_date=bucket.start,
            currency=bucket.currency,
        ).update(amount_minor=Greatest(F("amount_minor") - amount.minor, 0))


def _check(
    use: Use,
    chosen: dict[tuple[str, str], Money],
    held: dict[tuple[int, str], int],
    used: dict[Bucket, int],
    days: "Days",
) -> None:
    customer, currency = use.wallet.customer, use.amount.currency
    for (kind, interval), limit in chosen.items():
        if kind != use.kind:
            continue
        if interval == LimitInterval.BALANCE:
            minor = held.get((customer.pk, currency), 0)
        else:
            start = days.start(interval, customer.pk)
            minor = used.get(Bucket(customer.pk, kind, interval, start, currency), 0)
        found = Limit(kind, interval, limit, Money(minor, currency))
        if use.amount > found.left:
            raise LimitExceeded(
                wallet=use.wallet.public_id,
                what=found.what,
                interval=interval,
                limit=limit,
                used=found.used,
                left=found.left,
            )


def _used(customers: Sequence[Customer], days: "Days") -> dict[Bucket, int]:
    starts = {days.start(interval, customer.pk) for interval in limits.COUNTED for customer in customers}
    rows = LimitUse.objects.filter(customer__in=customers, bucket_date__in=starts)
    return {
        Bucket(row.customer_id, row.kind, row.interval, row.bucket_date, row.currency): row.amount_minor
        for row in rows
    }


def _add(amounts: Sequence[tuple[Bucket, int]]) -> None:
    """Add to the counts in one statement; a sum, not a value, so that even a caller without the lock loses nothing."""
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(amounts))
    values: list[int | str | date] = []
    for bucket, minor in amounts:
        values += [bucket.customer_id, bucket.kind, bucket.interval, bucket.start, bucket.currency, minor]
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(rows=rows), values)
