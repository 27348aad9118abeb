"""What the house holds and owes of each currency, what that cost, and what it is worth now."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet, Sum

from flowlet.core.money import Money
from ledger.choices import RateKind
from ledger.errors import RateMissing
from ledger.models.accounts import Account
from ledger.models.currencies import FxCost, FxDeal
from ledger.models.transactions import Posting
from ledger.queries.rates import base_currency, rate_at
from ledger.rates import Holding, Rate

# A deal's value follows its reversal too. What is no deal is worth what the transaction moved on the position in base
# currency: a cover that was booked by hand has such a leg, anything else came without a price.
_MOVES = """
SELECT p.account_seq, p.effective_date, p.amount,
       coalesce(sign(p.amount)::bigint * d.base_minor, -home.amount, 0)::bigint
FROM ledger_posting p
JOIN ledger_transaction t ON t.id = p.transaction_id
LEFT JOIN ledger_fxdeal d ON d.transaction_id = coalesce(t.reverses_id, t.id)
LEFT JOIN LATERAL (
    SELECT sum(h.amount)::bigint AS amount FROM ledger_posting h
    JOIN ledger_account a ON a.id = h.account_id
    JOIN ledger_chartaccount c ON c.id = a.chart_account_id
    WHERE h.transaction_id = p.transaction_id AND c.code = 'FX_POSITION' AND h.currency = %s
) home ON d.id IS NULL
WHERE p.account_id = %s AND p.account_seq > %s
ORDER BY p.account_seq LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """One posting of a position: its number, day, quantity (debit > 0), and value in base currency, signed alike."""

    seq: int
    effective_date: date
    quantity: int
    value: int


@dataclass(frozen=True, slots=True)
class Position:
    """
    A currency position as people read it: what we hold is positive, what we are short of negative.

    `cost` is what it was dealt at and `value` what it is worth at `rate`, both in base currency; no rate, no value.
    `waiting` counts the postings whose result no run has worked out yet; they are not in these figures.
    """

    currency: str
    amount: Money
    cost: Money
    rate: Rate | None
    value: Money | None
    waiting: int

    @property
    def unrealised(self) -> Money | None:
        """What would be gained by closing the position at the rate; below zero a loss."""
        return None if self.value is None else self.value - self.cost


def position_accounts() -> list[Account]:
    """Return the position accounts of all currencies but the base currency, in the order of currencies."""
    rows = Account.objects.filter(chart_account__code="FX_POSITION").exclude(currency=base_currency())
    return list(rows.select_related("balance").order_by("currency", "pk"))


def last_cost(account_id: int) -> tuple[int, Holding]:
    """Return the number of the last posting that was worked out, and the position after it."""
    row = FxCost.objects.filter(account_id=account_id).order_by("-account_seq").first()
    if row is None:
        return 0, Holding()
    return row.account_seq, Holding(row.position_after_minor, row.cost_after_minor)


def moves_after(account_id: int, seq: int, *, limit: int) -> list[Moved]:
    """Return the postings of a position after that number, in the order they were booked, with their values."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVES, [base_currency(), account_id, seq, limit])
        return [Moved(*row) for row in cursor.fetchall()]


def holdings_at(day: date) -> dict[str, Holding]:
    """Return what each currency's position was by value date, with its cost; `realise_results` comes first."""
    rows = FxCost.objects.filter(effective_date__lte=day).values_list("currency")
    sums = rows.annotate(position=Sum("quantity_minor"), cost=Sum("cost_minor")).order_by("currency")
    return {currency: Holding(position, cost) for currency, position, cost in sums}


def open_currencies(day: date) -> list[str]:
    """Return the currencies but the base currency in which something was open by value date."""
    rows = Posting.objects.filter(
        account__in=[account.pk for account in position_accounts()], effective_date__lte=day
    )
    sums = rows.values_list("currency").annotate(position=Sum("amount")).order_by("currency")
    return [currency for currency, position in sums if position]


def list_positions(*, now: datetime) -> list[Position]:
    """Return every currency in which something was ever dealt, valued at the latest mid rate."""
    found: dict[str, tuple[Holding, int]] = {}
    for account in position_accounts():
        seq, holding = last_cost(account.pk)
        known, waiting = found.get(account.currency, (Holding(), 0))
        total = Holding(known.position + holding.position, known.cost + holding.cost)
        found[account.currency] = (total, waiting + account.balance.seq - seq)
    return [
        _position(currency, holding, waiting, now) for currency, (holding, waiting) in sorted(found.items())
    ]


def _position(currency: str, holding: Holding, waiting: int, now: datetime) -> Position:
    base, amount = base_currency(), Money(-holding.position, currency)
    try:
        rate = rate_at(currency, base, now.date(), RateKind.MID, days_max=None)
    except RateMissing:
        rate = None
    return Position(
        currency=currency,
        amount=amount,
        cost=Money(-holding.cost, base),
        rate=rate,
        value=rate.convert(amount) if rate else None,
        waiting=waiting,
    )


def realised_by_currency() -> dict[str, int]:
    """Return the result that each currency's deals have brought so far, in minor units of base currency."""
    rows = FxCost.objects.values_list("currency").annotate(minor=Sum("result_minor"))
    return dict(rows.order_by("currency"))


def list_deals() -> QuerySet[FxDeal]:
    """Return all deals with their transactions, newest first."""
    return FxDeal.objects.select_related("transaction").order_by("-dealt_at", "-id")
