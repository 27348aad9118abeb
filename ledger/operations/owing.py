"""
Money that an account owes: what was forced on it and it could not pay.

The wallet never goes below zero: the rest stands on a receivable of the customer's. While something is owed, nothing is
available, because every credit and every released hold repays first, in the same database transaction (`posting.repay`).
"""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from ledger.choices import AccountStatus
from ledger.errors import KeyReused
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Owing
from ledger.operations.accounts import open_account
from ledger.operations.posting import Draft, Leg, Posted, post
from ledger.policies import merged_legs
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
    # What an account pays is judged once, whatever the number of its legs.
    draft = replace(
        draft,
        legs=tuple(Leg(account_id, Money(minor, code)) for account_id, code, minor in merged_legs(draft)),
    )
    paying = {leg.account_id for leg in draft.legs if _pays(leg)}
    receivables = dict(Owing.objects.filter(pk__in=paying).values_list("pk", "receivable_id"))
    touched = {leg.account_id for leg in draft.legs} | set(receivables.values())
    balances = {row.pk: row for row in lock(Balance.objects.filter(pk__in=touched))}
    receivables = dict(Owing.objects.filter(pk__in=paying).values_list("pk", "receivable_id"))  # as it is now
    known = find_by_key(draft.source, draft.source_key)
    legs: list[Leg] = []
    for leg in draft.legs:
        short = _short(leg, balances[leg.account_id]) if leg.account_id in paying and known is None else 0
        if short and leg.account_id not in receivables:
            # Nobody opens another one meanwhile: whoever wants to holds the lock that we hold.
            receivables[leg.account_id] = _open_receivable(leg.account_id, now)
        legs += _split(leg, short, receivables.get(leg.account_id, 0))
    context = {**draft.context, "forced": 1}
    forced = replace(draft, legs=tuple(legs), context=context)
    if known is not None:
        # What was available then decided the legs; they are given again as they were.
        again = tuple(Leg(row.account_id, Money(row.amount, row.currency)) for row in known.postings.all())
        forced = replace(forced, legs=again)
        _check_same(draft, again, receivables)
    return post(draft=forced, now=now)


def _pays(leg: Leg) -> bool:
    """Tell whether the leg takes money from an account with a floor in which we owe a customer."""
    account = Account.objects.select_related("balance").filter(pk=leg.account_id).first()
    if account is None:
        raise NotFound
    ours = account.customer_id is not None and account.sign < 0 and account.balance.floor is not None
    return ours and leg.amount.minor > 0


def _open_receivable(account_id: int, now: datetime) -> int:
    """Open the receivable of an account that owes for the first time, and return its key."""
    account = Account.objects.get(pk=account_id)
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
