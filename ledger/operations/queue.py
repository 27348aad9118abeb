"""Queued postings: fees and other things that nobody waits for, posted a hundred in one call."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError, Conflict
from flowlet.core.locks import lock
from flowlet.core.money import Money
from ledger import policies
from ledger.choices import QueueState
from ledger.models.queue import QueuedPosting
from ledger.operations.posting import Draft, Leg, Posted, post, post_many
from ledger.queries.periods import value_date

AT_ONCE = 100


class NotFailed(Conflict):
    """Only a posting that failed is tried again."""

    code = "posting_not_failed"
    title = "Not failed"
    message = "This posting has not failed: there is nothing to try again."


def enqueue(*, drafts: Sequence[Draft], now: datetime) -> int:
    """
    Let drafts wait to be posted, in the caller's transaction; return how many were not waiting before.

    :raises UnbalancedTransaction, ZeroLeg: as `post` would
    """
    for draft in drafts:
        policies.check_draft(draft)
    # The conflict does not say which: one count before and one after would race, the rows themselves do not.
    keys = [(draft.source, draft.source_key) for draft in drafts]
    sources = {source for source, _ in keys}
    known = set(
        QueuedPosting.objects.filter(source__in=sources, source_key__in=[key for _, key in keys]).values_list(
            "source", "source_key"
        )
    )
    fresh = [draft for draft in drafts if (draft.source, draft.source_key) not in known]
    QueuedPosting.objects.bulk_create(
        (
            QueuedPosting(
                source=draft.source,
                source_key=draft.source_key,
                kind=draft.kind,
                draft=_dump(draft),
                queued_at=now,
            )
            for draft in fresh
        ),
        ignore_conflicts=True,
    )
    return len(fresh)


@transaction.atomic
def post_queued(*, now: datetime, limit: int = AT_ONCE) -> int:
    """
    Post what waits, oldest first, and return how many rows were ended, posted or failed.

    All in one call; when one of them cannot be posted, each by itself, and that one fails alone. Rows that another
    process has in hand are left to it.
    """
    waiting = QueuedPosting.objects.filter(state=QueueState.QUEUED).order_by("pk")[:limit]
    rows = list(lock(QueuedPosting.objects.filter(pk__in=waiting.values("pk")), skip_locked=True))
    rows = [row for row in rows if row.state == QueueState.QUEUED]
    if not rows:
        return 0
    drafts = [_open(_load(row.draft)) for row in rows]
    try:
        with transaction.atomic():
            answers: list[Posted | AppError] = [*post_many(drafts=drafts, now=now)]
    except AppError:
        answers = [_alone(draft, now) for draft in drafts]
    for row, answer in zip(rows, answers, strict=True):
        row.attempts += 1
        row.ended_at = now
        if isinstance(answer, AppError):
            row.state, row.error_code, row.error_detail = QueueState.FAILED, answer.code, answer.detail[:300]
        else:
            row.state, row.transaction = QueueState.POSTED, answer.public_id
    columns = ["state", "attempts", "error_code", "error_detail", "transaction", "ended_at"]
    QueuedPosting.objects.bulk_update(rows, columns)
    return len(rows)


@transaction.atomic
def retry(*, queued_id: int) -> None:
    """
    Let a posting that failed wait again.

    :raises NotFailed: if it did not
    """
    row = lock(QueuedPosting.objects.filter(pk=queued_id)).get()
    if row.state != QueueState.FAILED:
        raise NotFailed
    row.state, row.error_code, row.error_detail, row.ended_at = QueueState.QUEUED, "", "", None
    row.save(update_fields=["state", "error_code", "error_detail", "ended_at"])
    trail.record(
        action="queued_posting.retry",
        object_type="queued_posting",
        object_id=row.public_id,
        changes={"state": ["FAILED", "QUEUED"]},
    )


def _alone(draft: Draft, now: datetime) -> Posted | AppError:
    try:
        with transaction.atomic():
            return post(draft=draft, now=now)
    except AppError as refusal:
        return refusal


def _open(draft: Draft) -> Draft:
    """Return the draft with a day that can be posted to: its month may have closed while it waited."""
    return replace(draft, effective_date=value_date(draft.effective_date))


def _dump(draft: Draft) -> str:
    return json.dumps(
        {
            "kind": draft.kind,
            "source": draft.source,
            "source_key": draft.source_key,
            "effective_date": draft.effective_date.isoformat(),
            "legs": policies.merged_legs(draft),
            "text": draft.text,
            "context": dict(draft.context),
            "reverses": draft.reverses,
            "approval_id": draft.approval_id,
            "quote": draft.quote,
            "fx_rate": None if draft.fx_rate is None else str(draft.fx_rate),
        }
    )


def _load(text: str) -> Draft:
    values: dict[str, Any] = json.loads(text)
    rate = values.pop("fx_rate")
    legs = tuple(Leg(account, Money(minor, currency)) for account, currency, minor in values.pop("legs"))
    day = date.fromisoformat(values.pop("effective_date"))
    return Draft(**values, legs=legs, effective_date=day, fx_rate=None if rate is None else Decimal(rate))
