"""The entries of one account as a statement prints them, read from the database as they are needed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone

from flowlet.core.fields import EncryptedTextField
from ledger.models.transactions import Posting, TransactionText
from ledger.statements.facts import Entry

# How many rows come from the server at a time; the names of their other sides come in one query.
AT_ONCE = 2_000
Names = Callable[[Collection[int]], Mapping[int, str]]
_COLUMNS = (
    *("account_seq", "effective_date", "posted_at", "amount", "balance_after", "transaction_id"),
    *("transaction__public_id", "transaction__kind", "transaction__source_key", "transaction__reverses_id"),
    *("transaction__text__public_id", "transaction__text__text"),
)
_TEXT: EncryptedTextField = TransactionText._meta.get_field("text")  # noqa: SLF001 - Django's model API


class _Row(NamedTuple):
    seq: int
    effective_date: date
    posted_at: datetime
    amount: int
    balance_after: int
    transaction_id: int
    transaction: str
    kind: str
    cause: str
    reverses: int | None
    text_id: str | None
    text: bytes | None


@dataclass(frozen=True, slots=True)
class PostingEntries(Collection[Entry]):
    """
    Entries behind a queryset of one account's postings, ordered; each pass reads them anew by a server-side cursor.

    `opening` is the balance before the first, in natural sign. Where the order is that of booking (`booked`) the
    running balance is the one that the database wrote with each posting; else it is added up.
    """

    rows: QuerySet[Posting]
    count: int
    account_id: int
    sign: int
    opening: int
    names: Names
    booked: bool = False

    def __len__(self) -> int:
        return self.count

    def __contains__(self, entry: object) -> bool:
        return any(known == entry for known in self)

    def __iter__(self) -> Iterator[Entry]:
        running, zone = self.opening, get_default_timezone()
        found = iter(self.rows.values_list(*_COLUMNS).iterator(chunk_size=AT_ONCE))
        while chunk := [_Row(*row) for row in islice(found, AT_ONCE)]:
            others = _other_sides([row.transaction_id for row in chunk], self.account_id, self.names)
            for row in chunk:
                amount = self.sign * row.amount
                running += amount
                yield Entry(
                    seq=row.seq,
                    effective_date=row.effective_date,
                    transaction=row.transaction,
                    kind=row.kind,
                    text=_TEXT.open_of(row.text_id, row.text) if row.text_id and row.text else "",
                    counterparty=others.get(row.transaction_id, ""),
                    amount=amount,
                    balance=row.balance_after if self.booked else running,
                    booked=row.posted_at.astimezone(zone).date(),
                    cause=row.cause,
                    reversal=row.reverses is not None,
                )


def _other_sides(transactions: Sequence[int], account_id: int, names: Names) -> dict[int, str]:
    """Return for each transaction the name behind its other leg, where there is one that has a name."""
    legs: Any = Posting.objects.filter(transaction_id__in=transactions).exclude(account_id=account_id)
    pairs = list(legs.order_by("transaction_id", "leg").values_list("transaction_id", "account_id"))
    known = names({other for _, other in pairs})
    found: dict[int, str] = {}
    for transaction_id, other in pairs:
        if other in known:
            found.setdefault(transaction_id, known[other])
    return found
