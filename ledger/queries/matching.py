"""What is open on both sides: lines of banks, and postings that wait for a bank or a processor."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from ledger.choices_bank import BankLineStatus
from ledger.models.matching import Match, MatchLeg
from ledger.models.reconciliation import BankLine, ProcessorLine
from ledger.reconciliation.facts import ITEM_FACTS, ItemFacts
from ledger.reconciliation.passes.base import Item, Line, Part, plain, references

CLEARING = ("BANK_CLEARING", "SETTLEMENT_CLEARING")
# Sources of our own journals: what they book on a clearing account settles items and is none.
OWN_SOURCES = ("match", "match_undo", "bank_line", "break")
PROCESSOR_SOURCE = "processor_line"
# Kinds of a processor's lines by which a payment comes in; its intent is what our rooms know it by.
CHARGES = ("charge", "payment")


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A posting that waits: `rest` is what is open of it, in minor units, money expected in above zero."""

    posting_id: int
    account_id: int
    amount: int
    rest: int
    currency: str
    day: date
    kind: str
    source: str
    source_key: str
    transaction: str
    facts: ItemFacts | None = None
    batch: str = ""

    def item(self) -> Item:
        """Return it as the passes take it."""
        facts = self.facts or ItemFacts()
        return Item(
            id=self.posting_id,
            amount=self.rest,
            day=self.day,
            references=references(self.source_key, self.transaction, *facts.references),
            batch=self.batch,
            iban=facts.iban,
            name=facts.name,
        )


_OPEN_ITEMS = """
SELECT p.id, p.account_id, p.amount, p.amount - coalesce(u.used, 0), p.currency, p.effective_date,
       t.kind, t.source, t.source_key, t.public_id
FROM ledger_posting p
JOIN ledger_transaction t ON t.id = p.transaction_id
LEFT JOIN LATERAL (
    SELECT sum(l.amount_minor)::bigint AS used
    FROM ledger_matchleg l JOIN ledger_match m ON m.id = l.match_id
    WHERE l.posting_id = p.id AND m.undone_at IS NULL
) AS u ON true
WHERE p.account_id IN (
        SELECT a.id FROM ledger_account a JOIN ledger_chartaccount c ON c.id = a.chart_account_id
        WHERE c.code = ANY(%(codes)s) AND a.currency = %(currency)s)
  AND t.source <> ALL(%(own)s)
  AND (%(first)s::date IS NULL OR p.effective_date >= %(first)s)
  AND (%(latest)s::date IS NULL OR p.effective_date <= %(latest)s)
  AND (%(ids)s::bigint[] IS NULL OR p.id = ANY(%(ids)s))
  AND p.amount <> coalesce(u.used, 0)
  -- What was reversed before a bank saw it never went anywhere.
  AND (u.used IS NOT NULL OR NOT EXISTS (SELECT FROM ledger_transaction r WHERE r.reverses_id = t.id))
  AND (t.reverses_id IS NULL OR EXISTS (
        SELECT FROM ledger_posting o JOIN ledger_matchleg l ON l.posting_id = o.id
        JOIN ledger_match m ON m.id = l.match_id
        WHERE o.transaction_id = t.reverses_id AND o.account_id = p.account_id AND m.undone_at IS NULL))
ORDER BY p.effective_date, p.id
LIMIT %(limit)s
"""


def list_open_items(
    currency: str,
    *,
    first: date | None = None,
    latest: date | None = None,
    posting_ids: Collection[int] | None = None,
    limit: int | None = None,
    codes: Sequence[str] = CLEARING,
) -> list[OpenItem]:
    """Return the open items of a currency by value date (both days included), without facts; `codes` of the chart."""
    values: dict[str, Any] = {
        "codes": list(codes),
        "currency": currency,
        "own": list(OWN_SOURCES),
        "first": first,
        "latest": latest,
        "ids": None if posting_ids is None else list(posting_ids),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_ITEMS, values)
        return [OpenItem(*row) for row in cursor.fetchall()]


def with_facts(items: Sequence[OpenItem]) -> list[OpenItem]:
    """Return the items with what the rooms above know of them, and the payout each belongs to."""
    keys: dict[str, list[str]] = defaultdict(list)
    for item in items:
        keys[item.source].append(item.source_key)
    facts = {
        source: ITEM_FACTS.get(source)(wanted) for source, wanted in keys.items() if source in ITEM_FACTS
    }
    known = [replace(item, facts=facts.get(item.source, {}).get(item.source_key)) for item in items]
    payouts = _payouts(known)
    return [
        replace(item, batch=plain(batch)) if (batch := payouts.get(item.posting_id, "")) else item
        for item in known
    ]


def _payouts(items: Iterable[OpenItem]) -> Mapping[int, str]:
    """
    Return the processor's payout by posting: by the processor's own line, or by the name it gave to the cause.

    A charge is known to us by the payment it collects; refunds and disputes of that payment are causes of their own.
    """
    names: dict[str, list[int]] = defaultdict(list)
    own: dict[str, list[int]] = defaultdict(list)
    for item in items:
        if item.source == PROCESSOR_SOURCE:
            # What a line moved besides its fee is booked under a word more.
            own[item.source_key.partition(":")[0]].append(item.posting_id)
        for name in item.facts.references if item.facts else ():
            names[name].append(item.posting_id)
    if not names and not own:
        return {}
    charges = Q(kind__in=CHARGES, intent__in=list(names))
    lines = ProcessorLine.objects.filter(charges | Q(source__in=list(names)) | Q(public_id__in=list(own)))
    found: dict[int, str] = {}
    for line in lines.exclude(payout=""):
        causes = (line.source, line.intent) if line.kind in CHARGES else (line.source,)
        postings = [*own.get(line.public_id, ()), *(one for name in causes for one in names.get(name, ()))]
        found.update(dict.fromkeys(postings, line.payout))
    return found


def list_unmatched_lines(currency: str | None = None) -> QuerySet[BankLine]:
    """Return the lines of accepted statements that wait, oldest first, with their bank accounts."""
    lines = BankLine.objects.filter(
        status__in=(BankLineStatus.OPEN, BankLineStatus.BROKEN), statement__accepted_at__isnull=False
    )
    if currency is not None:
        lines = lines.filter(currency=currency)
    return lines.select_related("bank_account").order_by("booking_date", "pk")


def settled_lines(currency: str, *, first: date, latest: date) -> list[Line]:
    """Return the lines of these days that were matched before, with amount, day and counterparty only."""
    rows = BankLine.objects.filter(
        status=BankLineStatus.MATCHED,
        currency=currency,
        booking_date__range=(first, latest),
        counterparty_index__isnull=False,
    ).values_list("pk", "amount_minor", "booking_date", "counterparty_index")
    return [
        Line(id=pk, amount=minor, day=day, iban=bytes(index).hex()) for pk, minor, day, index in rows if index
    ]


def used_of_lines(line_ids: Collection[int]) -> dict[int, int]:
    """Return what is matched of each line, minor units; lines of which nothing is are left out."""
    legs = MatchLeg.objects.filter(line_id__in=list(line_ids), match__undone_at__isnull=True)
    return {
        line_id: used
        for line_id, used in legs.values_list("line_id").annotate(used=Sum("amount_minor")).order_by()
        if line_id is not None
    }


def lines_for_passes(
    lines: Iterable[BankLine], used: Mapping[int, int], *, named: bool = False
) -> list[Line]:
    """Return the lines as the passes take them; with `named` their counterparties' names too (to be decrypted)."""
    return [_line(line, used.get(line.pk, 0), named=named) for line in lines]


def _line(line: BankLine, used: int, *, named: bool) -> Line:
    index = line.counterparty_index
    return Line(
        id=line.pk,
        amount=line.amount_minor - used,
        day=line.booking_date,
        references=references(line.end_to_end_id, line.bank_reference, line.batch_id, text=line.text or ""),
        batch=plain(line.batch_id),
        iban=bytes(index).hex() if index else "",
        name=(line.counterparty_name or "") if named else "",
        parts=() if used else _parts(line),
        value_day=line.value_date,
    )


def _parts(line: BankLine) -> tuple[Part, ...]:
    """Return what the bank says the line consists of, if it says it with amounts."""
    told = [
        (part.get("end_to_end_id") or part.get("reference") or "", part.get("amount_minor"))
        for part in line.details
    ]
    if any(minor is None for _, minor in told):
        return ()
    return tuple(Part(plain(name), int(minor)) for name, minor in told)


def legs_of(match: Match) -> QuerySet[MatchLeg]:
    """Return the legs of a match with lines and postings."""
    return match.legs.select_related(
        "line__bank_account", "posting__transaction", "posting__account"
    ).order_by("pk")
