"""What the finance desks made of the banks' statements: matches, breaks of every state and age, proofs of client money."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle

from django.db.models import QuerySet

from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.models import Approval
from flowlet.backoffice.people import Person
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.demo.people import DESKS
from flowlet.identity.models import User
from ledger.choices_matching import BreakKind, BreakReason, BreakState, MatchedBy
from ledger.models.matching import Break, Match
from ledger.models.reconciliation import BankLine, ProcessorLine
from ledger.models.transactions import Posting
from ledger.operations.break_approvals import ask_to_set_rule, ask_to_write_off
from ledger.operations.breaks import age_breaks, explain_break, take_break, write_off
from ledger.operations.matching import WINDOW, confirm_match, match_lines, undo_match
from ledger.operations.processor_fees import book_processor_fees
from ledger.operations.safeguarding import prove_safeguarding
from ledger.queries.matching import lines_for_passes, list_open_items, with_facts
from ledger.reconciliation.suggesting import suggest

_PROVEN_DAYS = 10
_CAPS = {"EUR": (500, 2_500), "GBP": (500, 2_500), "USD": (500, 2_500)}
_EXPLAINED, _TAKEN, _CONFIRMED, _WRITTEN = 4, 3, 4, 3
_PER_PAYOUT = 6
_EXPLANATIONS = {
    BreakReason.TIMING: "The other side books it with the next statement",
    BreakReason.UNKNOWN_PAYER: "Asked the bank for the details of the payer",
}


def fill(*, now: datetime) -> int:
    """Do a fortnight's work of two finance desks; return how many breaks there are."""
    maker, checker = (_desk(role) for role in ("finance", "finance_lead"))
    with acting(Actor("SYSTEM", "job:ledger.match_lines")):
        _processor_lines(now)
        book_processor_fees(now=now)
        match_lines(now=now)
        age_breaks(now=now)
    with acting(maker.actor):
        _set_caps(maker, checker, now)
        _confirm_some(now)
        _undo_one(now)
        _work_on_breaks(maker, checker, now)
    with acting(Actor("SYSTEM", "job:ledger.prove_safeguarding")):
        for back in range(_PROVEN_DAYS, 0, -1):
            prove_safeguarding(day=(now - timedelta(days=back)).date(), now=now)
    return Break.objects.count()


def _desk(role: str) -> Person:
    return Person(User.objects.get(email=next(desk.email for desk in DESKS if desk.role == role)))


def _set_caps(maker: Person, checker: Person, now: datetime) -> None:
    for currency, (cap_break, cap_day) in _CAPS.items():
        asked = ask_to_set_rule(
            cap_break=Money(cap_break, currency),
            cap_day=Money(cap_day, currency),
            maker_id=maker.user.pk,
            reason_code="NEW_RULE",
            note="Charges of banks and rounding, as agreed with the auditor",
            now=now,
        )
        _agree(asked, checker, now)


def _agree(asked: Approval, checker: Person, now: datetime) -> None:
    with acting(checker.actor):
        approve(approval_id=asked.pk, checker_id=checker.user.pk, seen_hash=asked.content_hash, now=now)


def _confirm_some(now: datetime) -> None:
    """Match by hand what the passes left open and a person sees at once."""
    done = 0
    lines = (
        BankLine.objects.filter(status="BROKEN")
        .select_related("bank_account")
        .order_by("-booking_date", "pk")
    )
    for line in lines[:60]:
        (asked,) = lines_for_passes([line], {}, named=True)
        first, latest = WINDOW.days(asked)
        items = with_facts(list_open_items(line.currency, first=first, latest=latest, limit=200))
        found = suggest(asked, [item.item() for item in items], WINDOW, shown=1)
        if not found or "reference" not in found[0].reasons:
            continue
        try:
            confirm_match(
                line_ids=[line.public_id],
                posting_ids=found[0].items,
                score=found[0].score,
                reasons=found[0].reasons,
                now=now,
            )
        except AppError:
            continue
        done += 1
        if done == _CONFIRMED:
            return


def _undo_one(now: datetime) -> None:
    match = Match.objects.filter(matched_by=MatchedBy.AMOUNT, undone_at__isnull=True).order_by("-pk").first()
    if match is not None:
        undo_match(
            match_id=match.public_id, reason_code="WRONG", note="Another deposit of the customer", now=now
        )


def _work_on_breaks(maker: Person, checker: Person, now: datetime) -> None:
    # What matching could say itself needs no other explanation.
    live = Break.objects.filter(state=BreakState.OPEN, reason="").exclude(kind=BreakKind.SHORTFALL)
    for broken in _some(live.filter(amount_minor__range=(-300, -1), line__isnull=False), _WRITTEN):
        write_off(break_id=broken.public_id, reason=BreakReason.BANK_FEE, now=now)
    for broken, reason in zip(_some(live, _EXPLAINED), cycle(_EXPLANATIONS), strict=False):
        explain_break(
            break_id=broken.public_id,
            reason=reason,
            note=_EXPLANATIONS[reason],
            due_at=now + timedelta(days=3),
            now=now,
        )
    for broken in _some(live, _TAKEN):
        take_break(break_id=broken.public_id, owner_id=maker.user.pk, now=now)
    for number, broken in enumerate(_some(live.filter(kind=BreakKind.ITEM, owner=None), 2)):
        asked = ask_to_write_off(
            break_id=broken.public_id,
            maker_id=maker.user.pk,
            reason=BreakReason.OTHER,
            note="The bank cannot find it after ninety days",
            now=now,
        )
        if not number:
            _agree(asked, checker, now)


def _some(breaks: QuerySet[Break], number: int) -> Sequence[Break]:
    return list(breaks.order_by("since", "pk")[:number])


def _processor_lines(now: datetime) -> None:
    """Let the card processor tell of the top-ups there were, in payouts of some days each."""
    top_ups = Posting.objects.filter(
        account__chart_account__code="SETTLEMENT_CLEARING", transaction__kind="TOP_UP", amount__gt=0
    ).select_related("transaction")
    for number, posting in enumerate(top_ups.order_by("effective_date", "pk")):
        fee = posting.amount * 14 // 1_000 + 25
        at = now - timedelta(days=max((now.date() - posting.effective_date).days, 0))
        ProcessorLine.objects.create(
            processor="stripe",
            reference=f"txn_3Demo{number:06d}",
            kind="charge",
            amount_minor=posting.amount,
            fee_minor=fee,
            net_minor=posting.amount - fee,
            currency=posting.currency,
            source=f"ch_3Demo{number:06d}",
            payout=f"po_1Demo{posting.currency}{number // _PER_PAYOUT:04d}",
            created_at=at,
            available_at=at,
        )
