"""The books to take away: the journal of some days, and the ledger of one heading; read row by row, never whole."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from flowlet.core.currencies import exponent
from flowlet.core.errors import NotFound
from ledger.choices import ChartKind
from ledger.models.accounts import ChartAccount
from ledger.models.transactions import Posting
from ledger.queries.totals import totals_until

CHUNK = 2_000
Cell = str | int | Decimal | date | datetime | None

JOURNAL_HEADS = (
    *("Transaction", "Posted", "Value date", "Kind", "Cause", "By", "Leg", "Account", "Number", "Heading"),
    *("Debit", "Credit", "Currency"),
)
LEDGER_HEADS = (
    *(
        "Value date",
        "Posted",
        "Transaction",
        "Kind",
        "Cause",
        "Account",
        "Debit",
        "Credit",
        "Balance",
        "Currency",
    ),
)


def units(minor: int, currency: str) -> Decimal:
    """Return an amount in units of its currency, exact; a sum may be larger than Money carries."""
    return Decimal(minor).scaleb(-exponent(currency))


def get_heading(number: str) -> ChartAccount:
    """
    Return a place of the chart by its number.

    :raises NotFound: if there is none
    """
    found = ChartAccount.objects.filter(number=number).first()
    if found is None:
        raise NotFound
    return found


def count_postings(first: date, last: date, *, heading: str = "") -> int:
    """Return how many legs there are with value dates from `first` to `last`, under one heading if given."""
    postings = Posting.objects.filter(effective_date__gte=first, effective_date__lte=last)
    return (postings.filter(account__chart_account__number=heading) if heading else postings).count()


def journal_rows(first: date, last: date) -> Iterator[tuple[Cell, ...]]:
    """Yield every leg with a value date from `first` to `last`, transaction by transaction as they were booked."""
    postings = _postings(first, last).order_by("transaction_id", "leg")
    for leg in postings.iterator(chunk_size=CHUNK):
        header, account = leg.transaction, leg.account
        yield (
            *(header.public_id, leg.posted_at, leg.effective_date, header.kind),
            *(f"{header.source} {header.source_key}", header.actor, leg.leg),
            *(account.public_id, account.chart_account.number, account.chart_account.name),
            *_sides(leg.amount, leg.currency),
            leg.currency,
        )


def ledger_rows(number: str, first: date, last: date) -> Iterator[tuple[Cell, ...]]:
    """
    Yield the ledger of one heading: per currency an opening, every posting by value date with the balance after it.

    The balance is in the heading's natural sign; a closing row ends each currency.

    :raises NotFound: if there is no such heading
    """
    heading = get_heading(number)
    sign = 1 if heading.kind in (ChartKind.ASSET, ChartKind.EXPENSE) else -1
    openings = _openings(heading, first)
    postings = _postings(first, last).filter(account__chart_account=heading)
    legs = postings.order_by("currency", "effective_date", "id").iterator(chunk_size=CHUNK)
    latest, running = "", 0
    told: set[str] = set()
    for leg in legs:
        if leg.currency != latest:
            if latest:
                yield _balance_row("Closing", last, sign * running, latest)
            latest, running = leg.currency, openings.get(leg.currency, 0)
            told.add(latest)
            yield _balance_row("Opening", first, sign * running, latest)
        running += leg.amount
        yield (
            *(leg.effective_date, leg.posted_at, leg.transaction.public_id, leg.transaction.kind),
            *(f"{leg.transaction.source} {leg.transaction.source_key}", leg.account.public_id),
            *_sides(leg.amount, leg.currency),
            *(units(sign * running, leg.currency), leg.currency),
        )
    if latest:
        yield _balance_row("Closing", last, sign * running, latest)
    for currency in sorted(set(openings) - told):
        yield _balance_row("Opening", first, sign * openings[currency], currency)
        yield _balance_row("Closing", last, sign * openings[currency], currency)


def _postings(first: date, last: date) -> QuerySet[Posting]:
    within = Posting.objects.filter(effective_date__gte=first, effective_date__lte=last)
    return within.select_related("transaction", "account__chart_account")


def _openings(heading: ChartAccount, first: date) -> dict[str, int]:
    openings: dict[str, int] = defaultdict(int)
    for total in totals_until(first - timedelta(days=1)):
        if total.chart_account_id == heading.pk:
            openings[total.currency] = total.net
    return dict(openings)


def _balance_row(title: str, day: date, minor: int, currency: str) -> tuple[Cell, ...]:
    return (day, None, "", title, "", "", None, None, units(minor, currency), currency)


def _sides(amount: int, currency: str) -> tuple[Decimal | None, Decimal | None]:
    side = units(abs(amount), currency)
    return (side, None) if amount > 0 else (None, side)
