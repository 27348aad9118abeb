"""The books in the demo: months made ahead, the older ones closed, a journal posted and one that waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flowlet.audit.trail import acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.people import Person
from flowlet.core.money import Money
from flowlet.demo.people import DESKS
from flowlet.identity.models import User
from ledger.choices import PeriodStatus
from ledger.models.journals import JournalDraft
from ledger.models.periods import Period
from ledger.operations import periods
from ledger.operations.journals import WrittenLine, ask_to_post, find_account, save_journal
from ledger.operations.sealing import seal

_KEPT_OPEN = timedelta(days=40)  # the month before the present one is still being worked on
_CHARGE, _ACCRUED = 4_250, 118_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there afterwards: months that are closed, and those whose close waits for something."""

    closed: int
    closing: int


def fill(*, now: datetime) -> Filled:
    """Close what is old enough, step by step as staff would; needs the postings and the staff of the demo."""
    people = {desk.role: User.objects.get(email=desk.email) for desk in DESKS}
    maker, checker = people["finance"], people["finance_lead"]
    with acting(Person(maker).actor):
        _post(
            _journal(maker, "Charge of our own bank", ("5100 EUR", "1010 EUR"), _CHARGE, now),
            maker,
            checker,
            now,
        )
        waiting = _journal(
            maker, "Fees of partners not invoiced yet", ("5000 EUR", "2100 EUR"), _ACCRUED, now
        )
        ask_to_post(
            journal_id=waiting.public_id,
            maker_id=maker.pk,
            reason_code="MONTH_END",
            note="Invoice comes on the 3rd",
            now=now,
        )
        _journal(maker, "Capital paid in", ("1010 EUR", "3000 EUR"), 5_000_000, now)
    seal()
    with acting(Person(checker).actor):
        return _close(now)


def _journal(maker: User, title: str, accounts: Sequence[str], minor: int, now: datetime) -> JournalDraft:
    """Keep a journal from the first account's debit to the second one's credit."""
    lines = [
        WrittenLine(find_account(words, now=now).pk, Money(sign * minor, "EUR"))
        for words, sign in zip(accounts, (1, -1), strict=True)
    ]
    return save_journal(
        journal_id=None,
        maker_id=maker.pk,
        title=title,
        text="",
        effective_date=now.date(),
        lines=lines,
        now=now,
    )


def _post(draft: JournalDraft, maker: User, checker: User, now: datetime) -> None:
    approval = ask_to_post(
        journal_id=draft.public_id,
        maker_id=maker.pk,
        reason_code="BANK",
        note="As the statement shows",
        now=now,
    )
    with acting(Person(checker).actor):
        approve(approval_id=approval.pk, checker_id=checker.pk, seen_hash=approval.content_hash, now=now)


def _close(now: datetime) -> Filled:
    periods.make_periods(now=now)
    old = Period.objects.filter(status=PeriodStatus.OPEN, last_date__lt=(now - _KEPT_OPEN).date())
    for period in old.order_by("first_date"):
        periods.begin_close(period_id=period.pk, now=now)
        if periods.continue_close(period_id=period.pk, now=now):
            break  # it stays as it is: the checklist says what it waits for
    return Filled(
        closed=Period.objects.filter(status=PeriodStatus.CLOSED).count(),
        closing=Period.objects.filter(status=PeriodStatus.CLOSING).count(),
    )
