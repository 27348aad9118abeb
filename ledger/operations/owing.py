"""
Money that an account owes: what was forced on it and it could not pay.

The wallet never goes below zero: the rest stands on a receivable of the customer's. While something is owed, nothing is
available, because every credit and every released hold repays first, in the same database transaction (`posting.repay`).
"""

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.core.locks import lock
from flowlet.core.money import Money
from ledger.choices import AccountStatus
from ledger.errors import KeyReused
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Owing
from ledger.operations.accounts import open_account
from ledger.operations.posting import Draft, Leg, Posted, post
from ledger.queries.transactions import find_by_key

RECEIVABLES = "RECEIVABLES"


@transaction.atomic
def post_forced(*, draft: Draft, now: datetime) -> Posted:
    """
    Post what may not be refused: a card clearing, a returned top-up, a chargeback.

    What a customer's account cannot pay from its available balance (nothing at all while it is frozen) is booked to
    the customer's receivable instead. The draft's key makes it happen once, whatever was available at a repeat.

    :raises UnbalancedTransaction, ZeroLeg, CurrencyMismatch, NotFound: as for `post`
    :raises KeyReused: if the key came before with other content
    """
    touched = {leg.account_id for leg in draft.legs}
    receivables = {
        account_id: _receivable(account_id, now) for account_id in touched if _pays(account_id, draft)
    }
    balances = {row.pk: row for row in lock(Balance.objects.filter(pk__in={*touched, *receivables.values()}))}
    known = find_by_key(draft.source, draft.source_key)
    legs: list[Leg] = []
    for leg in draft.legs:
        short = _short(leg, balances[leg.account_id]) if leg.account_id in receivables else 0
        legs += _split(leg, short, receivables.get(leg.account_id, 0))
    context = {**draft.context, "forced": 1}
    forced = replace(draft, legs=tuple(legs), context=context)
    if known is not None:
        # What was available then decided the legs; they are given again as they were.
        again = tuple(Leg(row.account_id, Money(row.amount, row.currency)) for row in known.postings.all())
        forced = replace(forced, legs=again)
        _check_same(draft, again, receivables)
    return post(draft=forced, now=now)


def owed_by(account_id: int) -> Money | None:
    """Return what an account owes, or None if it never owed anything."""
    row = Owing.objects.filter(pk=account_id).select_related("receivable__balance").first()
    return None if row is None else Money(row.receivable.balance.posted, row.receivable.currency)


def _pays(account_id: int, draft: Draft) -> bool:
    """Tell whether this is a customer's account with a floor that the draft takes money from."""
    account = Account.objects.select_related("balance").get(pk=account_id)
    total = sum(leg.amount.minor for leg in draft.legs if leg.account_id == account_id)
    return account.customer_id is not None and account.balance.floor is not None and account.sign * total < 0


def _receivable(account_id: int, now: datetime) -> int:
    """Return the receivable of an account, opened on first use."""
    known = Owing.objects.filter(pk=account_id).values_list("receivable_id", flat=True).first()
    if known is not None:
        return known
    account = Account.objects.get(pk=account_id)
    try:
        with transaction.atomic():
            opened = open_account(
                chart_code=RECEIVABLES,
                currency=account.currency,
                partner_id=account.partner_id,
                customer_id=account.customer_id,
                name=f"Owed by {account.public_id}",
                floor_minor=0,
                now=now,
            )
            Owing.objects.create(account=account, receivable=opened)
    except IntegrityError:
        return Owing.objects.values_list("receivable_id", flat=True).get(pk=account_id)
    return opened.pk


def _short(leg: Leg, balance: Balance) -> int:
    """Return how much of a leg the account cannot pay, in minor units."""
    wanted = abs(leg.amount.minor)
    if balance.status not in (AccountStatus.OPEN, AccountStatus.NO_IN):
        return wanted
    available = balance.posted - balance.held - (balance.floor or 0)
    return max(0, wanted - max(0, available))


def _split(leg: Leg, short: int, receivable_id: int) -> list[Leg]:
    if not short:
        return [leg]
    currency = leg.amount.currency
    rest = leg.amount.minor - short  # a customer's account is paid from by debits
    parts = [Leg(receivable_id, Money(short, currency))]
    return [*([Leg(leg.account_id, Money(rest, currency))] if rest else []), *parts]


def _check_same(draft: Draft, booked: tuple[Leg, ...], receivables: dict[int, int]) -> None:
    """Let `post` refuse another content: receivable and account together must be what is asked for now."""
    owner = {receivable: account for account, receivable in receivables.items()}
    sums: dict[tuple[int, str], int] = {}
    for leg in booked:
        key = (owner.get(leg.account_id, leg.account_id), leg.amount.currency)
        sums[key] = sums.get(key, 0) + leg.amount.minor
    for leg in draft.legs:
        key = (leg.account_id, leg.amount.currency)
        sums[key] = sums.get(key, 0) - leg.amount.minor
    if any(sums.values()):
        raise KeyReused(source_key=draft.source_key)
