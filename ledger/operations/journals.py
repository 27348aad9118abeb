"""Manual journals: written by one person, agreed to by another, then posted; and reversals asked for by hand."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.urls import reverse as url

from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import find_pending, request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.identity.models import User
from ledger import errors
from ledger.choices import JournalStatus
from ledger.errors import AlreadyReversed, JournalFinal, JournalNotYours, JournalWaiting, NotReversible
from ledger.journal_templates import is_accrual
from ledger.models.accounts import Account
from ledger.models.journals import JournalDraft, JournalLine
from ledger.models.transactions import LedgerTransaction
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg, Posted, post, reverse
from ledger.policies import check_draft
from ledger.queries.journals import (
    account_words,
    chart_account_to_post,
    check_day,
    find_by_words,
    get_journal,
    list_lines,
    split_number,
)
from ledger.queries.periods import accrual_day, last_day_of, value_date
from ledger.queries.transactions import get_transaction

POST = "ledger.post_journal"
REVERSE = "ledger.reverse_transaction"
KIND = "MANUAL"
_IN_CLOSING = "ledger.post_in_closing"


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """One line as it was written: an account's key, a signed amount in its currency (debit > 0), a few words."""

    account_id: int
    amount: Money
    text: str = ""


@transaction.atomic
def save_journal(
    *,
    journal_id: str | None,
    maker_id: int,
    title: str,
    text: str,
    effective_date: date,
    lines: Sequence[WrittenLine],
    template: str = "",
    corrects: str | None = None,
    now: datetime,
) -> JournalDraft:
    """
    Keep a manual journal as a draft; `journal_id` changes one that is there. It need not balance yet.

    `corrects` is the public id of a transaction that the journal replaces.

    :raises NotFound: if there is no such journal or transaction
    :raises JournalNotYours: if somebody else wrote it
    :raises JournalFinal: if it was posted or discarded
    :raises JournalWaiting: if a second person is asked already
    :raises AlreadyReversed, NotReversible: if what it corrects cannot be reversed
    """
    values = {"title": title, "text": text, "effective_date": effective_date, "changed_at": now}
    if journal_id is None:
        draft = JournalDraft.objects.create(
            **values,
            template=template,
            maker_id=maker_id,
            corrects=_correctable(corrects) if corrects else None,
            created_at=now,
        )
    else:
        draft = _own(journal_id, maker_id)
        for name, value in values.items():
            setattr(draft, name, value)
        draft.save(update_fields=list(values))
        draft.lines.all().delete()
    JournalLine.objects.bulk_create(
        JournalLine(
            draft=draft,
            position=at,
            account_id=line.account_id,
            amount_minor=line.amount.minor,
            text=line.text,
        )
        for at, line in enumerate(lines, 1)
    )
    _record("create" if journal_id is None else "change", draft, {"lines": [None, len(lines)]})
    return draft


@transaction.atomic
def discard_journal(*, journal_id: str, maker_id: int, now: datetime) -> None:
    """
    Put a draft away for good; nothing of it was posted.

    :raises NotFound, JournalNotYours, JournalFinal, JournalWaiting: as `save_journal`
    """
    draft = _own(journal_id, maker_id)
    draft.status, draft.changed_at = JournalStatus.DISCARDED, now
    draft.save(update_fields=["status", "changed_at"])
    _record("discard", draft, {"status": [JournalStatus.DRAFT, JournalStatus.DISCARDED]})


@transaction.atomic
def ask_to_post(*, journal_id: str, maker_id: int, reason_code: str, note: str, now: datetime) -> Approval:
    """
    Ask a second person to agree to a journal, which is then posted at once.

    :raises NotFound, JournalNotYours, JournalFinal: as `save_journal`
    :raises JournalWaiting: if somebody was asked already
    :raises UnbalancedTransaction, ZeroLeg: if its lines do not make a transaction
    :raises NotLastDay: if it is an accrual for another day than the last of a period
    :raises PeriodClosed: if its day takes no journals, or none of this person's
    """
    draft = _own(journal_id, maker_id)
    _check_accrual(draft)
    check_draft(_posting(draft, approval_id=0))
    check_day(draft.effective_date, in_closing=User.objects.get(pk=maker_id).has_perm(_IN_CLOSING))
    return request_approval(
        action=POST,
        object_type="ledger_journal",
        object_id=draft.public_id,
        payload={"posts": draft.title, "corrects": draft.corrects.public_id if draft.corrects else ""},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


@transaction.atomic
def draft_correction(*, transaction_public_id: str, maker_id: int, now: datetime) -> JournalDraft:
    """
    Draft a journal that replaces a transaction: it begins with the same legs, and posting it reverses the old one.

    :raises NotFound: if there is no such transaction
    :raises AlreadyReversed, NotReversible: if it cannot be reversed
    """
    original = get_transaction(transaction_public_id)
    lines = [WrittenLine(leg.account_id, Money(leg.amount, leg.currency)) for leg in original.postings.all()]
    return save_journal(
        journal_id=None,
        maker_id=maker_id,
        title=f"Correction of {original.public_id}",
        text="",
        effective_date=value_date(original.effective_date),
        lines=lines,
        corrects=original.public_id,
        now=now,
    )


@transaction.atomic
def copy_journal(*, journal_id: str, maker_id: int, now: datetime) -> JournalDraft:
    """
    Draft the same journal again, for today (an accrual: for its period's last day), as one of the person's own.

    :raises NotFound: if there is no such journal
    """
    draft = get_journal(journal_id)
    lines = [WrittenLine(line.account_id, _amount(line), line.text) for line in list_lines(draft)]
    return save_journal(
        journal_id=None,
        maker_id=maker_id,
        title=draft.title,
        text=draft.text,
        effective_date=accrual_day(now.date()) if is_accrual(draft.template) else value_date(now.date()),
        lines=lines,
        template=draft.template,
        now=now,
    )


@transaction.atomic
def ask_to_reverse(
    *, transaction_public_id: str, maker_id: int, reason_code: str, note: str, now: datetime
) -> Approval:
    """
    Ask a second person to agree that a transaction is undone by its mirror, dated on the first open day.

    :raises NotFound: if there is no such transaction
    :raises AlreadyReversed, NotReversible: if it cannot be reversed
    :raises ApprovalPending: if somebody asked before
    """
    original = _correctable(transaction_public_id)
    return request_approval(
        action=REVERSE,
        object_type="ledger_transaction",
        object_id=original.public_id,
        payload={"reverses": original.kind},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


def _post_journal(approval: Approval, now: datetime) -> Posted:
    """Post the journal, first undo what it corrects, then post an accrual's mirror; all of it names the approval."""
    draft = lock(JournalDraft.objects.filter(public_id=approval.object_id)).select_related("corrects").get()
    if draft.status != JournalStatus.DRAFT:
        raise JournalFinal
    if draft.corrects is not None:
        reverse(
            transaction_public_id=draft.corrects.public_id,
            source="journal",
            source_key=f"{draft.public_id}:reversal",
            effective_date=draft.effective_date,
            text=draft.text,
            approval_id=approval.pk,
            now=now,
        )
    posted = post(draft=_posting(draft, approval_id=approval.pk), now=now)
    if is_accrual(draft.template):
        _check_accrual(draft)
        reverse(
            transaction_public_id=posted.public_id,
            source="journal",
            source_key=f"{draft.public_id}:next_day",
            effective_date=draft.effective_date + timedelta(days=1),
            text=f"{draft.title}, undone in the next period",
            approval_id=approval.pk,
            now=now,
        )
    draft.status, draft.approval, draft.changed_at = JournalStatus.POSTED, approval, now
    draft.transaction_id = posted.transaction_id
    draft.save(update_fields=["status", "approval", "transaction", "changed_at"])
    _record("post", draft, {"transaction": [None, posted.public_id]})
    return posted


def _check_accrual(draft: JournalDraft) -> None:
    latest = last_day_of(draft.effective_date)
    if is_accrual(draft.template) and draft.effective_date != latest:
        raise errors.NotLastDay(latest=latest.isoformat())


def _reverse(approval: Approval, now: datetime) -> Posted:
    original = _correctable(approval.object_id)
    return reverse(
        transaction_public_id=original.public_id,
        source="reversal",
        source_key=original.public_id,
        effective_date=value_date(max(original.effective_date, now.date())),
        approval_id=approval.pk,
        now=now,
    )


def _posting(draft: JournalDraft, *, approval_id: int) -> Draft:
    context: dict[str, str | int] = {"journal": draft.public_id}
    if draft.corrects is not None:
        context["corrects"] = draft.corrects.public_id
    return Draft(
        kind=KIND,
        source="journal",
        source_key=draft.public_id,
        effective_date=draft.effective_date,
        legs=tuple(Leg(line.account_id, _amount(line)) for line in list_lines(draft)),
        text=f"{draft.title}. {draft.text}".strip() if draft.text else draft.title,
        context=context,
        approval_id=approval_id,
    )


def _amount(line: JournalLine) -> Money:
    return Money(line.amount_minor, line.account.currency)


def _own(journal_id: str, maker_id: int) -> JournalDraft:
    """Return the person's own draft, locked, that waits for nobody."""
    try:
        draft = lock(JournalDraft.objects.filter(public_id=journal_id)).select_related("corrects").get()
    except JournalDraft.DoesNotExist:
        raise NotFound from None
    if draft.maker_id != maker_id:
        raise JournalNotYours
    if draft.status != JournalStatus.DRAFT:
        raise JournalFinal
    if find_pending(action=POST, object_id=draft.public_id) is not None:
        raise JournalWaiting
    return draft


def _correctable(public_id: str) -> LedgerTransaction:
    original = get_transaction(public_id)
    if original.reverses is not None:
        raise NotReversible
    if original.reversals.exists():
        raise AlreadyReversed
    return original


def _record(verb: str, draft: JournalDraft, changes: Mapping[str, Sequence[object]]) -> None:
    trail.record(
        action=f"ledger_journal.{verb}",
        object_type="ledger_journal",
        object_id=draft.public_id,
        changes={name: list(pair) for name, pair in changes.items()},
    )


def _journal_evidence(object_id: str) -> Mapping[str, object]:
    draft = get_journal(object_id)
    undone_on = (draft.effective_date + timedelta(days=1)).isoformat()
    return {
        "title": draft.title,
        "value_date": draft.effective_date.isoformat(),
        **({"undone_on": undone_on} if is_accrual(draft.template) else {}),
        "lines": [
            f"{'Debit' if line.amount_minor > 0 else 'Credit'} {account_words(line.account)}: "
            f"{Money(abs(line.amount_minor), line.account.currency)}"
            for line in list_lines(draft)
        ],
        "corrects": draft.corrects.public_id if draft.corrects else "",
        "text_digest": hashlib.sha256(draft.text.encode()).hexdigest()[:16],
        "written_at": draft.changed_at.isoformat(),
    }


def _transaction_evidence(object_id: str) -> Mapping[str, object]:
    original = get_transaction(object_id)
    return {
        "kind": original.kind,
        "cause": f"{original.source} {original.source_key}",
        "value_date": original.effective_date.isoformat(),
        "legs": [
            f"{'Debit' if leg.amount > 0 else 'Credit'} {account_words(leg.account)}: "
            f"{Money(abs(leg.amount), leg.currency)}"
            for leg in original.postings.all()
        ],
        "reversed": original.reversals.exists(),
    }


def _makers(object_id: str) -> Collection[int]:
    return JournalDraft.objects.filter(public_id=object_id).values_list("maker_id", flat=True)


APPROVALS.register(POST)(
    ApprovalKind(
        title="Post a manual journal",
        permission="ledger.approve_journal",
        maker_permission="ledger.make_journal",
        evidence=_journal_evidence,
        execute=_post_journal,
        object_href=lambda object_id: url("admin:ledger_journaldraft_change", args=[object_id]),
        excluded=_makers,
        hours=72,
    )
)
APPROVALS.register(REVERSE)(
    ApprovalKind(
        title="Reverse a transaction",
        permission="ledger.approve_journal",
        maker_permission="ledger.reverse_ledgertransaction",
        evidence=_transaction_evidence,
        execute=_reverse,
        object_href=lambda object_id: url("admin:ledger_ledgertransaction_change", args=[object_id]),
        hours=72,
    )
)


def find_account(words: str, *, now: datetime) -> Account:
    """
    Return the account that a person means: its id, `1010 EUR` for the house's own, or a name only one account has.

    The house's account under a heading is opened on first use.

    :raises UnknownAccountName: if no account or several answer to it; says which
    :raises UnknownCurrency: if a number stands before something that is no currency
    """
    found = find_by_words(words)
    if found is not None:
        return found
    number, currency = split_number(words) or ("", "")
    chart_account = chart_account_to_post(number)
    return house_account(chart_code=chart_account.code, currency=currency, now=now)
