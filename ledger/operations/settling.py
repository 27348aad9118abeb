"""The one way to settle lines and items: a journal for each group, its match with legs, the breaks that end and begin."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flowlet.audit import trail
from flowlet.core.ids import new_id
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from ledger.choices_bank import BankLineStatus
from ledger.choices_matching import LIVE_STATES, BreakKind, BreakReason, BreakState, MatchedBy
from ledger.events import BREAK_OPENED
from ledger.models.accounts import Account
from ledger.models.matching import Break, Match, MatchLeg
from ledger.models.reconciliation import BankLine
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account, open_account
from ledger.operations.posting import Draft, Leg, post_many
from ledger.operations.refusals import refusals
from ledger.queries.matching import OpenItem, used_of_lines
from ledger.queries.periods import closed_until
from ledger.reconciliation.claims import Refusal

# Money in that nobody has claimed is owed to somebody: it has an account of its own. Money out that nobody explains
# never lessens it, nor the customers' money that waits in suspense for other reasons.
_UNEXPLAINED = "Unexplained bank debits"
_LINE_DUE, _ITEM_DUE = timedelta(days=2), timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a line and of an item one leg takes (minor units, signed); one of the two may be missing."""

    amount: int
    line: BankLine | None = None
    item: OpenItem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    What one match settles. `target` is the account that takes what has one side only.

    `kind` is the journal's, `source` `match` for two sides and `break` for one. A `cause` is posted in the same call:
    its leg on `target`, a clearing account, is the other side of the line.
    """

    uses: tuple[Use, ...]
    matched_by: MatchedBy
    score: int
    reasons: tuple[str, ...]
    day: date
    kind: str = "BANK_SETTLED"
    source: str = "match"
    target: int | None = None
    approval_id: int | None = None
    closes_as: BreakState = BreakState.RESOLVED
    reason: BreakReason = BreakReason.MATCHED
    note: str = ""
    cause: Draft | None = None


def waiting_account(currency: str, *, incoming: bool, now: datetime) -> Account:
    """Return the account where the money of unexplained lines waits: receipts apart from debits."""
    if incoming:
        return house_account(chart_code="UNALLOCATED_RECEIPTS", currency=currency, now=now)
    known = Account.objects.filter(
        chart_account__code="SUSPENSE", currency=currency, customer=None, partner=None, name=_UNEXPLAINED
    )
    found = known.order_by("pk").first()
    return found or open_account(
        chart_code="SUSPENSE", currency=currency, name=_UNEXPLAINED, floor_minor=None, now=now
    )


def park(
    lines: Sequence[BankLine],
    *,
    reason: BreakReason | str = "",
    why: Mapping[int, Refusal] | None = None,
    day: date | None = None,
    now: datetime,
) -> list[Break]:
    """
    Book locked lines that nothing explains: the bank's account against the account where they wait, with a break each.

    Each is booked on the bank's day, so that our account equals the bank's closing balance, or on the first open day
    where the books are closed for it; `day` is for what was booked there before and taken back today. `why` has the
    reasons of single lines, by key.
    """
    refused = why or {}
    used = used_of_lines([line.pk for line in lines])
    waiting = _waiting_accounts(lines, now)
    times = defaultdict(int, _times_booked(lines))
    open_day = open_days()
    drafts = [
        Draft(
            kind="BANK_UNALLOCATED",
            source="bank_line",
            source_key=f"{line.public_id}:{times[line.pk] + 1}",
            effective_date=open_day(day or line.booking_date),
            legs=_legs(
                {
                    line.bank_account.account_id: line.amount_minor - used.get(line.pk, 0),
                    waiting[line.currency, line.amount_minor > 0]: used.get(line.pk, 0) - line.amount_minor,
                },
                line.currency,
            ),
            context={"bank_line": line.public_id},
        )
        for line in lines
    ]
    posted = post_many(drafts=drafts, now=now)
    BankLine.objects.filter(pk__in=[line.pk for line in lines]).update(status=BankLineStatus.BROKEN)
    for line in lines:
        line.status = BankLineStatus.BROKEN
    return open_breaks(
        [
            Break(
                kind=BreakKind.LINE,
                line=line,
                booking_id=done.transaction_id,
                currency=line.currency,
                amount_minor=line.amount_minor - used.get(line.pk, 0),
                since=line.booking_date,
                reason=refused[line.pk].reason if line.pk in refused else reason,
                note=refused[line.pk].note[:500] if line.pk in refused else "",
                due_at=now + _LINE_DUE,
                opened_at=now,
            )
            for line, done in zip(lines, posted, strict=True)
        ],
        now=now,
    )


def wait_again(lines: Sequence[BankLine], *, reason: BreakReason | str, now: datetime) -> list[Break]:
    """Open a break for each locked line whose money is back where it waited before."""
    used = used_of_lines([line.pk for line in lines])
    earlier = Break.objects.filter(line__in=lines).order_by("pk").values_list("line_id", "booking_id")
    bookings = dict(earlier)
    BankLine.objects.filter(pk__in=[line.pk for line in lines]).update(status=BankLineStatus.BROKEN)
    return open_breaks(
        [
            Break(
                kind=BreakKind.LINE,
                line=line,
                booking_id=bookings[line.pk],
                currency=line.currency,
                amount_minor=line.amount_minor - used.get(line.pk, 0),
                since=line.booking_date,
                reason=reason,
                due_at=now + _LINE_DUE,
                opened_at=now,
            )
            for line in lines
        ],
        now=now,
    )


def open_days() -> Callable[[date], date]:
    """Return what gives the day to book with: the wanted one, or the first open one where it is closed."""
    closed = closed_until()
    return lambda wanted: wanted if closed is None or wanted > closed else closed + timedelta(days=1)


def _times_booked(lines: Sequence[BankLine]) -> Iterable[tuple[int, int]]:
    counts: dict[int, int] = defaultdict(int)
    known = Break.objects.filter(line__in=lines, kind=BreakKind.LINE).values_list("line_id", flat=True)
    for line_id in known:
        counts[line_id or 0] += 1
    return counts.items()


def _waiting_accounts(lines: Iterable[BankLine], now: datetime) -> dict[tuple[str, bool], int]:
    wanted = {(line.currency, line.amount_minor > 0) for line in lines}
    return {
        (currency, incoming): waiting_account(currency, incoming=incoming, now=now).pk
        for currency, incoming in wanted
    }


def settle(
    groups: Sequence[Group],
    *,
    before_closing: Callable[[Sequence[Match]], object] | None = None,
    now: datetime,
) -> list[Match]:
    """
    Settle groups of locked lines and items, all or none: journals, matches, legs, statuses, breaks.

    `before_closing` is called when the journals are there and the breaks still open.

    :raises ledger.errors_matching.LineUsed: if a line would be used beyond its amount
    :raises ledger.errors_matching.ItemUsed: if an item would be used beyond its amount
    """
    lines = {use.line.pk: use.line for group in groups for use in group.uses if use.line}
    items = {use.item.posting_id: use.item for group in groups for use in group.uses if use.item}
    live = list(lock(Break.objects.filter(state__in=LIVE_STATES, line_id__in=list(lines)))) + list(
        lock(Break.objects.filter(state__in=LIVE_STATES, posting_id__in=list(items)))
    )
    waiting = _waiting_accounts(lines.values(), now)
    names = [new_id("mtc") for _ in groups]
    open_day = open_days()
    causes = [group.cause for group in groups if group.cause is not None]
    journals = [
        _draft(group, name, waiting, open_day(group.day)) for group, name in zip(groups, names, strict=True)
    ]
    # One call takes the balances in one order, whoever else posts between the same accounts.
    answers = post_many(drafts=[*causes, *journals], now=now)
    posted = answers[len(causes) :]
    caused = _caused(groups, [answer.transaction_id for answer in answers[: len(causes)]])
    actor = trail.current_actor()
    matches = Match.objects.bulk_create(
        Match(
            public_id=name,
            matched_by=group.matched_by,
            score=group.score,
            reasons=list(group.reasons),
            currency=_currency(group),
            amount_minor=sum(use.amount for use in group.uses),
            transaction_id=done.transaction_id,
            made_by=actor.text[:100],
            made_at=now,
        )
        for group, name, done in zip(groups, names, posted, strict=True)
    )
    with refusals():
        MatchLeg.objects.bulk_create(
            MatchLeg(
                match=match,
                line=use.line,
                posting_id=use.item.posting_id if use.item else own,
                amount_minor=use.amount,
            )
            for match, group, own in zip(matches, groups, caused, strict=True)
            for use in group.uses
        )
    if before_closing is not None:
        before_closing(matches)
    _follow(groups, lines, items, live, now)
    return matches


def _caused(groups: Sequence[Group], transactions: Sequence[int]) -> list[int | None]:
    """Return the posting on its target that each group's cause made; None for groups without a cause."""
    made = iter(transactions)
    own = dict(
        Posting.objects.filter(
            transaction_id__in=transactions, account_id__in=[group.target or 0 for group in groups]
        ).values_list("transaction_id", "pk")
    )
    return [None if group.cause is None else own[next(made)] for group in groups]


def _draft(group: Group, name: str, waiting: Mapping[tuple[str, bool], int], day: date) -> Draft:
    sums: dict[int, int] = defaultdict(int)
    for use in group.uses:
        if use.line is not None:
            sums[_account_of(use.line, waiting)] += use.amount
        elif group.target is not None:
            sums[group.target] += use.amount
        if use.item is not None:
            sums[use.item.account_id] -= use.amount
        elif group.target is not None:
            sums[group.target] -= use.amount
    return Draft(
        kind=group.kind,
        source=group.source,
        source_key=name,
        effective_date=day,
        legs=_legs(sums, _currency(group)),
        context={"match": name},
        approval_id=group.approval_id,
    )


def _legs(sums: Mapping[int, int], currency: str) -> tuple[Leg, ...]:
    return tuple(Leg(account, Money(minor, currency)) for account, minor in sums.items() if minor)


def _account_of(line: BankLine, waiting: Mapping[tuple[str, bool], int]) -> int:
    """Return where the line's money comes from: the bank, if it was not booked before, else where it waits."""
    if line.status == BankLineStatus.OPEN:
        return line.bank_account.account_id
    return waiting[line.currency, line.amount_minor > 0]


def _currency(group: Group) -> str:
    use = group.uses[0]
    return use.line.currency if use.line else use.item.currency if use.item else ""


def _follow(
    groups: Sequence[Group],
    lines: Mapping[int, BankLine],
    items: Mapping[int, OpenItem],
    live: Sequence[Break],
    now: datetime,
) -> None:
    """Close the breaks of what was settled, and open new ones over what is left of it."""
    first = groups[0]
    close_breaks(live, state=first.closes_as, reason=first.reason, note=first.note, now=now)
    used = used_of_lines(lines)
    whole = [key for key, line in lines.items() if used.get(key, 0) == line.amount_minor]
    part = [line for key, line in lines.items() if used.get(key, 0) != line.amount_minor]
    BankLine.objects.filter(pk__in=whole).update(status=BankLineStatus.MATCHED)
    bookings = {one.line_id: one.booking_id for one in live if one.line_id}
    taken: dict[int, int] = defaultdict(int)
    for group in groups:
        for use in group.uses:
            if use.item is not None:
                taken[use.item.posting_id] += use.amount
    fresh = [
        Break(
            kind=BreakKind.DIFFERENCE,
            line=line,
            booking_id=bookings[line.pk],
            currency=line.currency,
            amount_minor=line.amount_minor - used.get(line.pk, 0),
            since=line.booking_date,
            due_at=now + _LINE_DUE,
            opened_at=now,
        )
        for line in part
    ]
    fresh += [
        item_break(item, item.rest - taken[key], now)
        for key, item in items.items()
        if item.rest != taken[key]
    ]
    open_breaks(fresh, now=now)


def item_break(item: OpenItem, rest: int, now: datetime) -> Break:
    """Return a new break over what is open of an item, not stored yet."""
    return Break(
        kind=BreakKind.ITEM if rest == item.amount else BreakKind.DIFFERENCE,
        posting_id=item.posting_id,
        currency=item.currency,
        amount_minor=rest,
        since=item.day,
        due_at=now + _ITEM_DUE,
        opened_at=now,
    )


def open_breaks(breaks: Sequence[Break], *, now: datetime) -> list[Break]:
    """Store new breaks and tell the house of each."""
    made = Break.objects.bulk_create(breaks)
    for one in made:
        outbox.publish(
            type=BREAK_OPENED,
            object_type="break",
            object_id=one.public_id,
            partner_id=None,
            data={
                "id": one.public_id,
                "kind": one.kind,
                "amount": one.amount_minor,
                "currency": one.currency,
                "since": one.since.isoformat(),
            },
            at=now,
        )
    return made


def close_breaks(
    breaks: Collection[Break], *, state: BreakState, reason: BreakReason | str, now: datetime, note: str = ""
) -> None:
    """Close locked breaks; each change is on the trail."""
    actor = trail.current_actor()
    changes: dict[str, object] = {"state": state, "reason": reason, "closed_at": now}
    if note:
        changes["note"] = note[:500]
    Break.objects.filter(pk__in=[one.pk for one in breaks]).update(**changes, closed_by=actor.text[:100])
    for one in breaks:
        trail.record(
            action="break.close",
            object_type="break",
            object_id=one.public_id,
            changes={"state": [one.state, str(state)]},
            reason_code=str(reason),
        )
