"""Booking exchanges against the house's currency positions, and what comes of it: the realised result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db import connection, transaction

from flowlet.core.money import Money
from ledger.choices import RateKind
from ledger.models.accounts import Account
from ledger.models.currencies import FxCost, FxDeal
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg, Posted, post, post_many
from ledger.queries.positions import Moved, last_cost, moves_after, position_accounts
from ledger.queries.rates import base_currency, rate_at
from ledger.rates import Holding, Terms

BATCH = 5_000
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@transaction.atomic
def book_deal(
    *,
    seller_account_id: int,
    buyer_account_id: int,
    terms: Terms,
    kind: str,
    source: str,
    source_key: str,
    quote: str = "",
    text: str = "",
    context: Mapping[str, str | int] | None = None,
    now: datetime,
) -> Posted:
    """
    Post an exchange: `terms.sell` off the seller's account, `terms.buy` onto the buyer's, against our positions.

    The spread is a leg of its own. A currency pair without the base currency is valued at the mid rate of the day.

    :raises RateMissing: if neither currency is the base currency and there is no rate to it
    :raises AppError: whatever `post` refuses
    """
    base_minor = _base_minor(terms, now)
    posted = post(
        draft=Draft(
            kind=kind,
            source=source,
            source_key=source_key,
            effective_date=now.date(),
            legs=_legs(terms, seller_account_id, buyer_account_id, now),
            text=text,
            context=context or {},
            quote=quote,
            fx_rate=terms.rate,
        ),
        now=now,
    )
    if not posted.replayed:
        FxDeal.objects.create(
            transaction_id=posted.transaction_id,
            sold_currency=terms.sell.currency,
            sold_minor=terms.into_position.minor,
            bought_currency=terms.buy.currency,
            bought_minor=terms.buy.minor,
            spread_minor=terms.spread.minor,
            mid=terms.mid,
            rate=terms.rate,
            base_currency=base_currency(),
            base_minor=base_minor,
            dealt_at=now,
        )
    return posted


def _legs(terms: Terms, seller_id: int, buyer_id: int, now: datetime) -> tuple[Leg, ...]:
    sold, bought = (
        house_account(chart_code="FX_POSITION", currency=money.currency, now=now)
        for money in (terms.sell, terms.buy)
    )
    legs = [Leg(seller_id, terms.sell), Leg(sold.pk, -terms.into_position)]
    if terms.spread:
        income = house_account(chart_code="FX_SPREAD_INCOME", currency=terms.sell.currency, now=now)
        legs.append(Leg(income.pk, -terms.spread))
    return (*legs, Leg(bought.pk, terms.buy), Leg(buyer_id, -terms.buy))


def _base_minor(terms: Terms, now: datetime) -> int:
    base = base_currency()
    for money in (terms.into_position, terms.buy):
        if money.currency == base:
            return money.minor
    rate = rate_at(terms.sell.currency, base, now.date(), RateKind.MID, days_max=None)
    return rate.convert(terms.into_position).minor


@dataclass(frozen=True, slots=True)
class Realised:
    """What one run found out about one currency: how many postings it read, and the result in base currency."""

    currency: str
    postings: int
    result: Money


def realise_results(*, now: datetime) -> list[Realised]:
    """
    Work out what deals since the last run earned or lost, by weighted average cost, and book it per day.

    Each currency is a database transaction of its own; a second run at the same time waits, and finds nothing to do.
    """
    found = []
    for account in position_accounts():
        while (done := _realise(account, now)) is not None:
            found.append(done)
            if done.postings < BATCH:
                break
    return found


@transaction.atomic
def _realise(account: Account, now: datetime) -> Realised | None:
    # Not the balance row: that would be locked before those which the posting takes in the order of accounts.
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"fx_cost:{account.pk}"])
    seq, holding = last_cost(account.pk)
    moves = moves_after(account.pk, seq, limit=BATCH)
    if not moves:
        return None
    costs = _replayed(account, holding, moves)
    booked = _book(account, costs, now)
    for cost in costs:
        if cost.result_minor:
            cost.booked_id = booked.get(cost.effective_date)
    FxCost.objects.bulk_create(costs)
    result = Money(sum(cost.result_minor for cost in costs), base_currency())
    return Realised(account.currency, len(costs), result)


def _replayed(account: Account, holding: Holding, moves: Sequence[Moved]) -> list[FxCost]:
    costs = []
    for move in moves:
        before = holding
        holding, result = before.moved(move.quantity, move.value)
        costs.append(
            FxCost(
                account=account,
                account_seq=move.seq,
                currency=account.currency,
                effective_date=move.effective_date,
                quantity_minor=move.quantity,
                value_minor=move.value,
                cost_minor=holding.cost - before.cost,
                result_minor=result,
                position_after_minor=holding.position,
                cost_after_minor=holding.cost,
            )
        )
    return costs


def _book(account: Account, costs: Sequence[FxCost], now: datetime) -> dict[date, int]:
    """Book the result of each day, and return the transactions by day."""
    base = base_currency()
    position = house_account(chart_code="FX_POSITION", currency=base, now=now)
    result = house_account(chart_code="FX_REALISED", currency=base, now=now)
    drafts = []
    by_day = sorted(costs, key=lambda cost: (cost.effective_date, cost.account_seq))
    for day, rows in groupby(by_day, key=lambda cost: cost.effective_date):
        group = list(rows)
        gain = Money(sum(cost.result_minor for cost in group), base)
        if not gain:
            continue
        drafts.append(
            Draft(
                kind="FX_REALISED",
                source="fx_realised",
                source_key=f"{account.public_id}:{group[0].account_seq}-{group[-1].account_seq}",
                effective_date=day,
                # The counter value of every deal stands on the position in base currency: the gain leaves it.
                legs=(Leg(position.pk, gain), Leg(result.pk, -gain)),
                text=f"Realised result of {account.currency}",
                context={"position": account.public_id},
            )
        )
    posted = post_many(drafts=drafts, now=now)
    return {draft.effective_date: made.transaction_id for draft, made in zip(drafts, posted, strict=True)}
