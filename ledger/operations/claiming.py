"""Lines that rooms above book by their words: asking those rooms, and the posting with its match in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.locks import lock
from ledger.choices_bank import BankLineStatus
from ledger.choices_matching import BreakReason, BreakState, MatchedBy
from ledger.models.matching import Break
from ledger.models.reconciliation import BankLine
from ledger.operations.settling import Group, Use, open_days, settle
from ledger.policies import Draft
from ledger.queries.matching import lines_for_passes, used_of_lines
from ledger.reconciliation.claims import LINE_CLAIMS, Refusal

# Reasons that a run may give and take back; what a person wrote on a break stays.
_GIVEN_BY_RUNS = (
    "",
    *(BreakReason.BAD_REFERENCE, BreakReason.AMBIGUOUS, BreakReason.RETIRED),
    *(BreakReason.CURRENCY, BreakReason.BLOCKED, BreakReason.LIMIT),
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What came of asking: keys of the lines that are settled, and why others are not."""

    settled: set[int] = field(default_factory=set)
    refused: dict[int, Refusal] = field(default_factory=dict)


def claim_lines(lines: Sequence[BankLine], *, now: datetime) -> Claims:
    """
    Let the rooms above book what they know by its words; breaks over what they refuse say why.

    Lines that name one of our own ids are about that object: they are not asked for.
    """
    claims = Claims()
    asked = _asked(lines)
    for claim in LINE_CLAIMS.values():
        answers = claim(lines=asked, now=now) if asked else {}
        claims.settled.update(key for key, refusal in answers.items() if refusal is None)
        claims.refused.update({key: refusal for key, refusal in answers.items() if refusal is not None})
        asked = [line for line in asked if line.pk not in answers]
    _tell(claims.refused)
    return claims


def _asked(lines: Sequence[BankLine]) -> list[BankLine]:
    incoming = [
        line
        for line in lines
        if line.amount_minor > 0 and not line.reversal and line.bank_account.client_money
    ]
    used = used_of_lines([line.pk for line in incoming])
    return [
        line
        for line, asked in zip(incoming, lines_for_passes(incoming, used), strict=True)
        if line.pk not in used and not asked.names_ours
    ]


@transaction.atomic
def _tell(refused: Mapping[int, Refusal]) -> None:
    """Let breaks that are there already say why; one that nobody has touched."""
    waiting = Break.objects.filter(
        line_id__in=list(refused), state=BreakState.OPEN, reason__in=_GIVEN_BY_RUNS
    )
    for found in lock(waiting):
        why = refused[found.line_id or 0]
        if (found.reason, found.note) == (why.reason, why.note):
            continue
        trail.record(
            action="break.reason",
            object_type="break",
            object_id=found.public_id,
            changes={"reason": [found.reason or None, str(why.reason)]},
        )
        found.reason, found.note = why.reason, why.note
        found.save(update_fields=["reason", "note"])


def lock_claimed(line_id: int) -> BankLine | None:
    """Return a line of an accepted statement, locked, if nothing of it is matched yet."""
    rows = BankLine.objects.filter(pk=line_id, statement__accepted_at__isnull=False)
    line = lock(rows).select_related("bank_account").first()
    if line is None or line.status == BankLineStatus.MATCHED or used_of_lines([line.pk]):
        return None
    return line


def claim_day(line: BankLine, *, now: datetime) -> date:
    """Return the day to book a line with: the bank's if it is booked from the bank, today's if its money waited."""
    day = line.booking_date if line.status == BankLineStatus.OPEN else max(line.booking_date, now.date())
    return open_days()(day)


def settle_claim(*, line: BankLine, cause: Draft, clearing_id: int, now: datetime) -> int:
    """
    Post what a locked line brings in, with the match that settles the line, in one call; return the cause's transaction.

    `cause` debits the clearing account `clearing_id` with the line's whole amount.

    :raises AppError: as `ledger.operations.posting.post` does, for the cause
    """
    group = Group(
        uses=(Use(line.amount_minor, line),),
        matched_by=MatchedBy.REFERENCE,
        score=100,
        reasons=("reference", "amount"),
        day=cause.effective_date,
        target=clearing_id,
        cause=cause,
    )
    (match,) = settle([group], now=now)
    return match.legs.values_list("posting__transaction_id", flat=True).get() or 0
