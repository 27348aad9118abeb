"""The trial balance: what every heading of the chart holds, debits against credits, per currency or in one currency."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from django.db import connection

from flowlet.core.errors import FieldError, InvalidInput
from ledger.choices import ChartKind, RateKind
from ledger.errors import RateMissing
from ledger.models.accounts import ChartAccount
from ledger.models.seals import Block
from ledger.queries.rates import base_currency, rate_at, to_base
from ledger.queries.totals import HeadingTotal, totals_at, totals_until
from ledger.rates import Rate

# Balances are kept with the postings in one transaction, so their sum is the postings' sum without reading them.
_SQL = """
SELECT b.currency, c.number, c.code, c.name, c.kind, sum(b.posted * b.sign)::bigint, count(*), sum(b.seq)::bigint
FROM ledger_balance b
JOIN ledger_account a ON a.id = b.account_id
JOIN ledger_chartaccount c ON c.id = a.chart_account_id
WHERE b.seq > 0
GROUP BY b.currency, c.number, c.code, c.name, c.kind
ORDER BY b.currency, c.number
"""


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """
    One heading in one currency: its net in minor units, on the debit or on the credit side.

    `accounts` and `postings` say how many there are; they are counted for the present balance only.
    """

    currency: str
    number: str
    code: str
    name: str
    kind: ChartKind
    net: int
    accounts: int = 0
    postings: int = 0

    @property
    def debit(self) -> int:
        """The net, if it is a debit."""
        return max(self.net, 0)

    @property
    def credit(self) -> int:
        """The net, if it is a credit, without its sign."""
        return max(-self.net, 0)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All headings of one currency; the ledger is right when debits equal credits."""

    currency: str
    lines: tuple[TrialBalanceLine, ...]

    @property
    def debit(self) -> int:
        """Sum of all debit nets, minor units."""
        return sum(line.debit for line in self.lines)

    @property
    def credit(self) -> int:
        """Sum of all credit nets, minor units, without sign."""
        return sum(line.credit for line in self.lines)

    @property
    def even(self) -> bool:
        """Tell whether debits equal credits."""
        return self.debit == self.credit


@dataclass(frozen=True, slots=True)
class Moment:
    """
    Which trial balance is meant; the present one if nothing is given.

    `as_of`: by value dates up to that day; with `known`, as the books stood at the end of that day (UTC), whatever was
    backdated since. `booked`: all that was booked up to that instant, whatever its value date.
    """

    as_of: date | None = None
    known: date | None = None
    booked: datetime | None = None

    @property
    def rate_day(self) -> date | None:
        """Return the day whose rates fit, or None for today's."""
        return self.as_of or (self.booked.date() if self.booked else None)


@dataclass(frozen=True, slots=True)
class BaseTrialBalance:
    """The trial balance of all currencies in one, with the rates that it was made with; it is even as they are."""

    balance: TrialBalance
    rates: tuple[Rate, ...]


def check_moment(moment: Moment, *, today: date) -> Moment:
    """
    Return the moment with what follows from it filled in: known without a value date means both on that day.

    :raises InvalidInput: if two ways of asking are mixed, or the day to be known at is not over
    """
    if moment.booked and (moment.as_of or moment.known):
        raise _invalid("/booked", "Choose either a booking time or a value date, not both.")
    if moment.known and moment.known >= today:
        raise _invalid("/known", "The day to be known at must be over: until then more becomes known.")
    return replace(moment, as_of=moment.as_of or moment.known)


def get_trial_balances(moment: Moment | None = None) -> list[TrialBalance]:
    """Return the trial balance of each currency at a moment, the present one by default, by currency and number."""
    moment = moment or Moment()
    if moment.booked is not None:
        return _named(totals_at(moment.booked))
    if moment.as_of is not None:
        return _named(totals_until(moment.as_of, known=moment.known))
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        rows = [
            TrialBalanceLine(currency, number, code, name, ChartKind(kind), net, accounts, postings)
            for currency, number, code, name, kind, net, accounts, postings in cursor.fetchall()
        ]
    return _by_currency(rows)


def block_known(known: date) -> Block | None:
    """Return the last block that was sealed by the end of a day (UTC): it stands over all that was known then."""
    return Block.objects.filter(sealed_at__lt=_end_of(known)).order_by("-n").first()


def in_base_currency(
    balances: Sequence[TrialBalance], *, day: date, known: date | None = None
) -> BaseTrialBalance:
    """
    Add all currencies up in the base currency, heading by heading, at the rates of a day; it stays even.

    Closing rates where there are any, else mid rates, not older than five days. With `known` no rate counts that was
    recorded after the end of that day.

    :raises RateMissing: if a currency has no rate then; names the pair
    """
    base = base_currency()
    rates = {balance.currency: _rate(balance.currency, base, day, _end_of(known)) for balance in balances}
    nets: dict[str, int] = defaultdict(int)
    headings: dict[str, TrialBalanceLine] = {}
    for balance in balances:
        converted = to_base([line.net for line in balance.lines], rates[balance.currency])
        for line, net in zip(balance.lines, converted, strict=True):
            nets[line.number] += net
            headings[line.number] = line
    lines = tuple(
        replace(headings[number], currency=base, net=nets[number], accounts=0, postings=0)
        for number in sorted(nets)
    )
    used = tuple(rates[balance.currency] for balance in balances if balance.currency != base)
    return BaseTrialBalance(TrialBalance(base, lines), used)


def _rate(currency: str, base: str, day: date, known_at: datetime | None) -> Rate:
    try:
        return rate_at(currency, base, day, RateKind.CLOSING, known_at=known_at)
    except RateMissing:
        return rate_at(currency, base, day, RateKind.MID, known_at=known_at)


def _end_of(known: date | None) -> datetime | None:
    return datetime.combine(known + timedelta(days=1), time(), UTC) if known else None


def _named(totals: Iterable[HeadingTotal]) -> list[TrialBalance]:
    chart = {row.pk: row for row in ChartAccount.objects.all()}
    lines = [
        TrialBalanceLine(
            total.currency, heading.number, heading.code, heading.name, ChartKind(heading.kind), total.net
        )
        for total in totals
        for heading in (chart[total.chart_account_id],)
    ]
    return _by_currency(sorted(lines, key=lambda line: (line.currency, line.number)))


def _by_currency(rows: Iterable[TrialBalanceLine]) -> list[TrialBalance]:
    return [TrialBalance(code, tuple(lines)) for code, lines in groupby(rows, key=lambda line: line.currency)]


def _invalid(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(pointer, "invalid", detail),))
