"""Matching: the passes over what is open, a person's own choice, and undoing a match."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TypeVar

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError, NotFound
from flowlet.core.locks import lock
from ledger.choices_bank import BankLineStatus
from ledger.choices_matching import LIVE_STATES, BreakReason, BreakState, MatchedBy
from ledger.errors_matching import AlreadyUndone, ItemUsed, LineUsed, NotOpposite
from ledger.models.matching import Break, Match, MatchLeg
from ledger.models.reconciliation import BankLine
from ledger.models.transactions import Posting
from ledger.operations.claiming import claim_lines
from ledger.operations.posting import reverse
from ledger.operations.settling import (
    Group,
    Use,
    close_breaks,
    item_break,
    open_breaks,
    park,
    settle,
    wait_again,
)
from ledger.queries.matching import (
    OpenItem,
    lines_for_passes,
    list_open_items,
    list_unmatched_lines,
    settled_lines,
    used_of_lines,
    with_facts,
)
from ledger.queries.periods import value_date
from ledger.reconciliation.claims import Refusal
from ledger.reconciliation.passes.base import Found, Window, load, run

AT_ONCE = 200
WINDOW = Window()
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class MatchRun:
    """What a run did: matches made, lines they settled, lines that became breaks."""

    matches: int
    lines: int
    parked: int


def match_lines(*, currency: str | None = None, now: datetime) -> MatchRun:
    """
    Match what is open of accepted statements, and book what nothing explains to where it waits, with a break each.

    Before the passes, the rooms above book what they know by its words.

    Afterwards every accepted line is booked once, so that our account of a bank equals its closing balance. Safe to
    run twice, and beside people: it works in portions, each in a transaction of its own, and leaves out what somebody
    has settled meanwhile.
    """
    load()
    lines = list(list_unmatched_lines(currency))
    claims = claim_lines(lines, now=now)
    matches = settled = len(claims.settled)
    parked = 0
    lines = [line for line in lines if line.pk not in claims.settled]
    # A line that names something of ours is about that, and must not be taken for anything alike.
    named = {key for key, refusal in claims.refused.items() if not refusal.names_nothing}
    passed = [line for line in lines if line.pk not in named]
    for code in sorted({line.currency for line in passed}):
        mine = [line for line in passed if line.currency == code]
        found, items = _run(mine, code)
        for some in _portions(found):
            made, done = _settle_found(some, items, now)
            matches, settled = matches + made, settled + done
    waiting = [line.pk for line in lines if line.status == BankLineStatus.OPEN]
    for some_ids in _portions(waiting):
        parked += _park_open(some_ids, claims.refused, now)
    if matches or parked:
        trail.record(
            action="match.run",
            object_type="match",
            object_id=currency or "all",
            changes={"matches": [None, matches], "lines": [None, settled], "breaks": [None, parked]},
        )
    return MatchRun(matches, settled, parked)


def _run(lines: Sequence[BankLine], currency: str) -> tuple[list[Found], Mapping[int, OpenItem]]:
    """Run the first pass on what the ledger knows itself, the others on what the rooms above know as well."""
    days = [line.booking_date for line in lines]
    first, latest = min(days) - timedelta(days=WINDOW.before), max(days) + timedelta(days=WINDOW.after)
    items = {item.posting_id: item for item in list_open_items(currency, first=first, latest=latest)}
    asked = lines_for_passes(lines, used_of_lines([line.pk for line in lines]))
    begun = run(asked, [item.item() for item in items.values()], WINDOW, matchers=["reference"])
    left = with_facts([items[item.id] for item in begun.items]) if begun.lines else []
    matched = {key for found in begun.found for key in found.lines}
    settled = [line for line in asked if line.id in matched]
    settled += settled_lines(currency, first=first, latest=latest) if begun.lines else []
    ended = run(begun.lines, [item.item() for item in left], WINDOW, settled=settled)
    return [*begun.found, *ended.found], items


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _settle_found(found: Sequence[Found], items: Mapping[int, OpenItem], now: datetime) -> tuple[int, int]:
    """Settle a portion; if somebody was quicker with one of them, settle the others one by one."""
    try:
        return _settle_all(found, items, now)
    except AppError:
        if len(found) == 1:
            return 0, 0
    done = [_settle_found([one], items, now) for one in found]
    return sum(made for made, _ in done), sum(lines for _, lines in done)


@transaction.atomic
def _settle_all(found: Sequence[Found], items: Mapping[int, OpenItem], now: datetime) -> tuple[int, int]:
    locked = _locked_lines([key for one in found for key in one.lines])
    used = used_of_lines(locked)
    open_ones = [
        one for one in found if all(locked[key].status != BankLineStatus.MATCHED for key in one.lines)
    ]
    groups = []
    for one in open_ones:
        lines = [locked[key] for key in one.lines]
        direct = {(line.status, line.booking_date) for line in lines}
        if len(direct) > 1:
            # Lines of several days cannot be booked in one journal: each first waits on its own day.
            park([line for line in lines if line.status == BankLineStatus.OPEN], now=now)
        groups.append(
            Group(
                uses=_uses(lines, [items[key] for key in one.items], used),
                matched_by=MatchedBy(one.matcher.upper()),
                score=one.score,
                reasons=one.reasons,
                day=_day_of(lines, now),
            )
        )
    return len(settle(groups, now=now)) if groups else 0, sum(len(one.lines) for one in open_ones)


def _locked_lines(keys: Iterable[int]) -> dict[int, BankLine]:
    rows = lock(BankLine.objects.filter(pk__in=list(keys))).select_related("bank_account", "statement")
    return {row.pk: row for row in rows}


def _day_of(lines: Sequence[BankLine], now: datetime) -> date:
    """Return the bank's day for lines that were not booked yet, today for money that waits already."""
    latest = max(line.booking_date for line in lines)
    return latest if lines[0].status == BankLineStatus.OPEN else max(latest, now.date())


@transaction.atomic
def _park_open(line_ids: Sequence[int], why: Mapping[int, Refusal], now: datetime) -> int:
    rows = [line for line in _locked_lines(line_ids).values() if line.status == BankLineStatus.OPEN]
    return len(park(rows, why=why, now=now)) if rows else 0


def _uses(lines: Sequence[BankLine], items: Sequence[OpenItem], used: Mapping[int, int]) -> tuple[Use, ...]:
    """
    Share lines and items out among each other, in their order; what is more on one side stays open.

    :raises NotOpposite: if the directions differ and the two sides are not equal
    """
    lines = sorted(lines, key=lambda line: (line.booking_date, line.pk))
    items = sorted(items, key=lambda item: (item.day, item.posting_id))
    rest_lines = [line.amount_minor - used.get(line.pk, 0) for line in lines]
    rest_items = [item.rest for item in items]
    signs = {amount > 0 for amount in (*rest_lines, *rest_items)}
    if len(signs) > 1:
        if sum(rest_lines) != sum(rest_items) or min(len(lines), len(items)) > 1:
            raise NotOpposite(reason="Money in and money out are mixed, and the two sides are not equal.")
        return tuple(
            Use(rest_items[at] if len(lines) == 1 else rest_lines[at], line, item)
            for at, (line, item) in enumerate((line, item) for line in lines for item in items)
        )
    return tuple(_allocate(lines, rest_lines, items, rest_items))


def _allocate(
    lines: Sequence[BankLine], rest_lines: list[int], items: Sequence[OpenItem], rest_items: list[int]
) -> Iterator[Use]:
    at_line = at_item = 0
    while at_line < len(lines) and at_item < len(items):
        amount = min(rest_lines[at_line], rest_items[at_item], key=abs)
        if amount:
            yield Use(amount, lines[at_line], items[at_item])
        rest_lines[at_line] -= amount
        rest_items[at_item] -= amount
        at_line += not rest_lines[at_line]
        at_item += at_item < len(items) and not rest_items[at_item]


@transaction.atomic
def confirm_match(
    *,
    line_ids: Sequence[str],
    posting_ids: Sequence[int],
    score: int = 100,
    reasons: Sequence[str] = (),
    now: datetime,
) -> Match:
    """
    Match lines and postings that a person has chosen; public ids of lines, keys of postings.

    If one side is more, the rest stays open with a break of its own.

    :raises NotFound: if there is no such line or posting that waits
    :raises NotOpposite: if currencies or directions differ, or nothing is chosen
    :raises LineUsed: if a line is matched already
    :raises ItemUsed: if a posting is matched already
    """
    if not line_ids or not posting_ids:
        raise NotOpposite(reason="Choose at least one bank line and one posting.")
    keys = dict(BankLine.objects.filter(public_id__in=line_ids).values_list("public_id", "pk"))
    locked = _locked_lines(keys.values())
    if len(locked) != len(set(line_ids)) or any(
        line.statement is None or line.statement.accepted_at is None for line in locked.values()
    ):
        raise NotFound
    lines = list(locked.values())
    if len({line.currency for line in lines}) > 1:
        raise NotOpposite(reason="The lines are in different currencies.")
    _refuse_used(lines)
    items = list_open_items(lines[0].currency, posting_ids=posting_ids)
    if len(items) != len(set(posting_ids)):
        _say_why(posting_ids, lines[0].currency)
    fresh = [line for line in lines if line.status == BankLineStatus.OPEN]
    if fresh:
        park(fresh, now=now)
    uses = _uses(lines, items, used_of_lines(locked))
    group = Group(
        uses=uses,
        matched_by=MatchedBy.PERSON,
        score=score,
        reasons=(*reasons, "person"),
        day=max(now.date(), *(line.booking_date for line in lines)),
    )
    match = settle([group], now=now)[0]
    trail.record(
        action="match.confirm",
        object_type="match",
        object_id=match.public_id,
        changes={"lines": [None, len(lines)], "postings": [None, len(items)]},
    )
    return match


def _refuse_used(lines: Iterable[BankLine]) -> None:
    if any(line.status == BankLineStatus.MATCHED for line in lines):
        raise LineUsed


def _say_why(posting_ids: Sequence[int], currency: str) -> None:
    legs = MatchLeg.objects.filter(posting_id__in=posting_ids, match__undone_at__isnull=True)
    if legs.exists():
        raise ItemUsed
    if Posting.objects.filter(pk__in=posting_ids).exclude(currency=currency).exists():
        raise NotOpposite(reason="Line and posting are in different currencies.")
    raise NotFound


@transaction.atomic
def undo_match(*, match_id: str, reason_code: str, note: str = "", now: datetime) -> Match:
    """
    Undo a match: its journal is reversed, its lines wait again, with breaks; what it had settled is open again.

    :raises NotFound: if there is no such match
    :raises AlreadyUndone: if it was undone before
    """
    known = Match.objects.filter(public_id=match_id).first()
    if known is None:
        raise NotFound
    legs = list(known.legs.all())
    lines = _locked_lines({leg.line_id for leg in legs if leg.line_id})
    match = lock(Match.objects.filter(pk=known.pk)).select_related("transaction").get()
    if match.undone_at is not None or match.matched_by == MatchedBy.WRITTEN_OFF:
        raise AlreadyUndone
    postings = {leg.posting_id for leg in legs if leg.posting_id}
    live = list(lock(Break.objects.filter(state__in=LIVE_STATES, line_id__in=list(lines)))) + list(
        lock(Break.objects.filter(state__in=LIVE_STATES, posting_id__in=postings))
    )
    posted = reverse(
        transaction_public_id=match.transaction.public_id,
        source="match_undo",
        source_key=match.public_id,
        effective_date=value_date(max(now.date(), match.transaction.effective_date)),
        now=now,
    )
    actor = trail.current_actor()
    Match.objects.filter(pk=match.pk).update(
        reversal_id=posted.transaction_id, undone_at=now, undone_by=actor.text[:100]
    )
    close_breaks(live, state=BreakState.RESOLVED, reason=BreakReason.MATCH_UNDONE, now=now)
    _wait_again(match, lines, now)
    reopened = list_open_items(match.currency, posting_ids=postings) if postings else []
    open_breaks([item_break(item, item.rest, now) for item in reopened if item.rest != item.amount], now=now)
    trail.record(
        action="match.undo",
        object_type="match",
        object_id=match.public_id,
        changes={"undone_at": [None, now.isoformat()]},
        reason_code=reason_code,
        note=note,
    )
    match.refresh_from_db()
    return match


def _wait_again(match: Match, lines: Mapping[int, BankLine], now: datetime) -> None:
    """Let the money of the lines wait: booked anew if the match came straight from the bank, else where it was."""
    came_from = set(match.transaction.postings.values_list("account_id", flat=True))
    direct = [line for line in lines.values() if line.bank_account.account_id in came_from]
    day = max(now.date(), match.transaction.effective_date)
    if direct:
        park(direct, reason=BreakReason.MATCH_UNDONE, day=day, now=now)
    others = [line for line in lines.values() if line.bank_account.account_id not in came_from]
    if others:
        wait_again(others, reason=BreakReason.MATCH_UNDONE, now=now)
