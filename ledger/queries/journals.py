"""Reading manual journals, and finding the accounts that people mean."""

import re
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from flowlet.core.errors import NotFound
from flowlet.core.ids import is_id
from ledger.choices import PeriodStatus
from ledger.errors import PeriodClosed, UnknownAccountName
from ledger.models.accounts import Account, ChartAccount
from ledger.models.journals import JournalDraft, JournalLine
from ledger.models.periods import Period
from ledger.queries.periods import closed_until

FOUND_MAX = 5
OFFERED_MAX = 200
_NUMBERED = re.compile(r"^(\d{1,10})\b.*?\b([A-Z]{3})$")


def get_journal(public_id: str) -> JournalDraft:
    """
    Return one journal with its maker and what it corrects.

    :raises NotFound: if there is none of that id
    """
    try:
        return JournalDraft.objects.select_related("maker", "corrects", "transaction").get(
            public_id=public_id
        )
    except JournalDraft.DoesNotExist:
        raise NotFound from None


def list_lines(draft: JournalDraft) -> QuerySet[JournalLine]:
    """Return a journal's lines in order, with their accounts."""
    lines = JournalLine.objects.filter(draft=draft)
    return lines.select_related("account__chart_account", "account__customer").order_by("position")


def check_day(day: date, *, in_closing: bool) -> None:
    """
    Refuse a day that takes no journals; `in_closing` lets those through that lie in a period being closed.

    :raises PeriodClosed: if the day is closed
    """
    closed = closed_until()
    if closed is None or day > closed:
        return
    period = Period.objects.filter(last_date__gte=day).order_by("last_date").first()
    if in_closing and period is not None and period.status == PeriodStatus.CLOSING:
        return
    raise PeriodClosed(effective_date=day.isoformat(), first_open=(closed + timedelta(days=1)).isoformat())


def is_house(account: Account) -> bool:
    """Tell whether it is the house's own unnamed account under its heading."""
    return account.customer_id is None and account.partner_id is None and not account.name


def account_words(account: Account) -> str:
    """Return how people name an account: `1010 Own money at banks EUR`, or its own name and id."""
    if is_house(account):
        return f"{account.chart_account} {account.currency}"
    owner = account.customer.name if account.customer else ""
    return f"{account.name or owner or account.chart_account} {account.public_id} {account.currency}"


def offered_accounts() -> list[Account]:
    """Return the house's own accounts, by number and currency, to choose from."""
    own = Account.objects.filter(customer=None).select_related("chart_account", "customer")
    return list(own.order_by("chart_account__number", "currency", "pk")[:OFFERED_MAX])


def split_number(words: str) -> tuple[str, str] | None:
    """Return (number, currency) of words such as `1010 Own money at banks EUR`, or None."""
    found = _NUMBERED.match(words.strip())
    return (found[1], found[2]) if found else None


def find_by_words(words: str) -> Account | None:
    """
    Return the account of that id, of that number and currency, or of that name; None where a number has none yet.

    :raises UnknownAccountName: if nothing, or more than one, answers to it
    """
    words = " ".join(words.replace("\0", "").split())
    accounts = Account.objects.select_related("chart_account", "customer")
    for word in words.split():
        if is_id(word, "acc"):
            found = accounts.filter(public_id=word).first()
            if found is None:
                raise UnknownAccountName(reason=f"There is no account {word}.")
            return found
    numbered = split_number(words)
    if numbered:
        return accounts.filter(
            chart_account__number=numbered[0], currency=numbered[1], customer=None, partner=None, name=""
        ).first()
    return _only_one(words, accounts)


def _only_one(words: str, accounts: QuerySet[Account]) -> Account:
    named = accounts.filter(
        Q(name__icontains=words)
        | Q(customer__name__icontains=words)
        | Q(chart_account__name__icontains=words, customer=None)
    )
    several = list(named.order_by("pk")[: FOUND_MAX + 1]) if words else []
    if len(several) == 1:
        return several[0]
    if not several:
        raise UnknownAccountName(
            reason="No account answers to this. Give a number and currency, or an acc_ id."
        )
    shown = "; ".join(account_words(account) for account in several[:FOUND_MAX])
    more = " and more" if len(several) > FOUND_MAX else ""
    raise UnknownAccountName(reason=f"Several accounts answer to this: {shown}{more}.")


def chart_account_to_post(number: str) -> ChartAccount:
    """
    Return the place in the chart that takes postings.

    :raises UnknownAccountName: if there is none of that number, or it only groups others
    """
    found = ChartAccount.objects.filter(number=number).first()
    if found is None:
        raise UnknownAccountName(reason=f"There is no {number} in the chart of accounts.")
    if found.children.exists():
        raise UnknownAccountName(reason=f"{found} groups others and takes no postings.")
    return found
