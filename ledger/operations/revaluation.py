"""Valuing the currency positions at the end of a period: the unrealised result, taken back on the next first day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Sum

from flowlet.core.money import Money
from ledger.closing import CLOSING_STEPS, ClosingStep
from ledger.errors import RateMissing
from ledger.models.accounts import Account
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account, open_account
from ledger.operations.deals import realise_results
from ledger.operations.posting import Draft, Leg, post, reverse
from ledger.queries.positions import holdings_at, open_currencies
from ledger.queries.rates import base_currency, rate_at
from ledger.rates import Holding, Rate

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_SOURCE = "fx_revaluation"


@dataclass(frozen=True, slots=True)
class Revalued:
    """
    One currency at a period's end: what the position cost, what it is worth, and the result of that (a gain > 0).

    Amounts in base currency, as people read them: what we hold is positive, what we are short of negative.
    `transaction` is what was booked now, '' where the books said so before.
    """

    currency: str
    cost: Money
    value: Money
    result: Money
    rate: Rate
    transaction: str


@transaction.atomic
def revalue(*, first: date, last: date, now: datetime) -> list[Revalued]:
    """
    Book the unrealised result of every open position at the closing rate of `last`, and its reversal on the day after.

    May be repeated: what is booked for that day already counts, only a difference is booked (a new closing rate, a
    deal since). Deals are worked out first, so that realised and unrealised are told apart.

    :raises RateMissing: if a currency that is open has no closing rate; nothing is booked
    :raises AppError: whatever `post` refuses, such as a day in a closed period
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [_SOURCE])
    realise_results(now=now)
    held = {code: holding for code, holding in holdings_at(last).items() if _counts(code, holding, last)}
    # All rates before the first posting: with one missing, nothing is to be booked.
    rates = {code: rate_at(code, base_currency(), last) for code in held}
    return [
        _revalue(code, holding, rates[code], first=first, last=last, now=now)
        for code, holding in held.items()
    ]


def _counts(currency: str, holding: Holding, last: date) -> bool:
    """Tell whether there is anything to value, or something booked before that no longer holds."""
    return bool(holding.position or holding.cost or _booked(currency, last))


def _revalue(
    currency: str, holding: Holding, rate: Rate, *, first: date, last: date, now: datetime
) -> Revalued:
    base = base_currency()
    # Debits are positive: a position that is worth more than its cost on the debit side is a greater debt, a loss.
    worth = rate.convert_minor(holding.position)
    loss = worth - holding.cost
    change = loss - _booked(currency, last)
    booked = _book(currency, Money(change, base), rate, first=first, last=last, now=now) if change else ""
    return Revalued(
        currency=currency,
        cost=Money(-holding.cost, base),
        value=Money(-worth, base),
        result=Money(-loss, base),
        rate=rate,
        transaction=booked,
    )


def _booked(currency: str, last: date) -> int:
    """Return the loss that is booked for that day so far."""
    rows = Posting.objects.filter(
        transaction__source=_SOURCE,
        transaction__source_key__startswith=f"{last}:{currency}:",
        account__chart_account__code="FX_UNREALISED",
    )
    return rows.aggregate(minor=Sum("amount"))["minor"] or 0


def _book(currency: str, loss: Money, rate: Rate, *, first: date, last: date, now: datetime) -> str:
    unrealised = house_account(chart_code="FX_UNREALISED", currency=loss.currency, now=now)
    prefix = f"{last}:{currency}:"
    version = LedgerTransaction.objects.filter(source=_SOURCE, source_key__startswith=prefix).count() + 1
    posted = post(
        draft=Draft(
            kind="FX_REVALUATION",
            source=_SOURCE,
            source_key=f"{prefix}{version}",
            effective_date=last,
            legs=(Leg(unrealised.pk, loss), Leg(_revaluation_account(currency, now).pk, -loss)),
            text=f"{currency} at the closing rate of {rate.valid_at:%-d %B %Y}",
            context={"currency": currency, "first": str(first), "last": str(last)},
            fx_rate=rate.decimal,
        ),
        now=now,
    )
    reverse(
        transaction_public_id=posted.public_id,
        source=f"{_SOURCE}_end",
        source_key=f"{prefix}{version}",
        effective_date=last + timedelta(days=1),
        now=now,
    )
    return posted.public_id


def _revaluation_account(currency: str, now: datetime) -> Account:
    """Return the account that carries the revaluation of one currency, in base currency; our lock makes it one."""
    base = base_currency()
    rows = Account.objects.filter(
        chart_account__code="FX_REVALUATION", currency=base, name=currency, partner=None, customer=None
    )
    return rows.first() or open_account(
        chart_code="FX_REVALUATION", currency=base, name=currency, floor_minor=None, now=now
    )


def missing_rates(first: date, last: date, now: datetime) -> Sequence[str]:
    """Return a sentence for each currency that is open on `last` and has no closing rate."""
    del first, now
    missing = []
    for currency in open_currencies(last):
        try:
            rate_at(currency, base_currency(), last)
        except RateMissing as fault:
            missing.append(f"{fault.detail} Record it under Exchange rates.")
    return missing


def _run(first: date, last: date, now: datetime) -> str:
    done = revalue(first=first, last=last, now=now)
    if not done:
        return "No currency position is open."
    return "; ".join(f"{row.currency} {row.result.format()}" for row in done)


CLOSING_STEPS.register("revaluation")(
    ClosingStep(order=40, title="Currency positions valued at closing rates", check=missing_rates, run=_run)
)
