"""Posting: transactions by one round trip through the database's own function, once for each key."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.ids import new_id
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from ledger import policies
from ledger.choices import AccountStatus
from ledger.events import TRANSACTION_POSTED
from ledger.models.accounts import Balance
from ledger.models.holds import Owing
from ledger.operations.refusals import refusals
from ledger.operations.shards import shard_of
from ledger.policies import Draft, Leg
from ledger.queries.balances import BalanceAfter
from ledger.queries.transactions import get_transaction

__all__ = ["Draft", "Leg", "Posted", "post", "post_many", "repay", "reverse"]

_TEXT_PLACE = "ledger_transactiontext.text"


@dataclass(frozen=True, slots=True)
class Posted:
    """
    The answer to a draft: ids, and the balances after it by account.

    `replayed`: the key came before with the same content, and this is the answer that was given then.
    """

    transaction_id: int
    public_id: str
    replayed: bool
    balances: dict[int, BalanceAfter]


def post(*, draft: Draft, now: datetime, public_id: str = "") -> Posted:
    """
    Post one transaction, or answer what was posted under its key before; `public_id` where its id was given before.

    Call it as late in a database transaction as you can, once: the balance rows stay locked until commit. A refusal
    rolls the whole transaction back; wrap the call in `transaction.atomic()` to catch it and go on.

    :raises UnbalancedTransaction: if the legs do not sum to zero per currency
    :raises ZeroLeg: if a leg moves nothing
    :raises KeyReused: if the key came before with other content
    :raises InsufficientFunds: if an account would fall below its floor; with available and requested
    :raises AccountNotOpen: if an account's status does not allow the direction
    :raises PeriodClosed: if its value date lies in a closed period
    :raises CurrencyMismatch: if a leg is in another currency than its account
    :raises NotFound: if there is no such account
    :raises BalanceOutOfRange: if a balance would grow beyond what can be stored
    """
    return _post_all([draft], [_payload(draft, public_id)], now)[0]


def post_many(*, drafts: Sequence[Draft], now: datetime) -> list[Posted]:
    """
    Post many transactions, all or none, and return the answers in their order; errors as for `post`.

    A hundred in one call cost the database about a third of a hundred single calls.
    """
    touched = {leg.account_id for draft in drafts for leg in draft.legs}
    if Owing.objects.filter(pk__in=touched).exists():
        # One by one: what an account owes is repaid from the first credit, before a later draft can spend it.
        with transaction.atomic(savepoint=False):
            return [post(draft=draft, now=now) for draft in drafts]
    return _post_all(drafts, [_payload(draft) for draft in drafts], now) if drafts else []


def _post_all(drafts: Sequence[Draft], payloads: list[dict[str, Any]], now: datetime) -> list[Posted]:
    with refusals(), transaction.atomic(savepoint=False):
        answers = _call(payloads)
        for draft, answer in zip(drafts, answers, strict=True):
            if not answer["replayed"]:
                _publish(draft, answer, now)
                if answer["owing"]:
                    repay(account_ids=[leg[0] for leg in answer["legs"]], cause=answer["public_id"], now=now)
    return [_posted(answer) for answer in answers]


@transaction.atomic
def repay(*, account_ids: Iterable[int], cause: str, now: datetime) -> None:
    """
    Pay what these accounts owe from what is available on them; `cause` is the id of what made it available, once.

    Called in the transaction that brought the money; the answers of `post` show the balances before it.
    """
    pairs = dict(Owing.objects.filter(pk__in=list(account_ids)).values_list("pk", "receivable_id"))
    if not pairs:
        return
    balances = {row.pk: row for row in lock(Balance.objects.filter(pk__in={*pairs, *pairs.values()}))}
    for account_id, receivable_id in sorted(pairs.items()):
        own, owed = balances[account_id], balances[receivable_id].posted
        minor = owed if own.floor is None else min(owed, own.posted - own.held - own.floor)
        if minor <= 0 or own.status not in (AccountStatus.OPEN, AccountStatus.NO_IN):
            continue
        amount = Money(minor, own.currency)
        post(
            draft=Draft(
                kind="REPAYMENT",
                source="owing",
                source_key=f"{cause}:{account_id}",
                effective_date=now.date(),
                legs=(Leg(account_id, amount), Leg(receivable_id, -amount)),
            ),
            now=now,
        )


@transaction.atomic(savepoint=False)
def reverse(
    *,
    transaction_public_id: str,
    source: str,
    source_key: str,
    effective_date: date,
    now: datetime,
    text: str = "",
    approval_id: int | None = None,
) -> Posted:
    """
    Undo a transaction by its exact mirror, once; the original stays as it is.

    `approval_id` is what two people agreed on, where it took two.

    :raises NotFound: if there is no such transaction
    :raises AlreadyReversed: if it was reversed under another key
    :raises NotReversible: if it is a reversal itself
    :raises InsufficientFunds: and the other errors of `post`
    """
    original = get_transaction(transaction_public_id)
    # Mirrored leg by leg, so that the accounts of both agree whatever their number.
    draft = Draft(
        kind="REVERSAL",
        source=source,
        source_key=source_key,
        effective_date=effective_date,
        legs=tuple(Leg(leg.account_id, -Money(leg.amount, leg.currency)) for leg in original.postings.all()),
        text=text,
        context=original.context,
        reverses=original.public_id,
        approval_id=approval_id,
    )
    posted = post(draft=draft, now=now)
    if not posted.replayed:
        trail.record(
            action="ledger_transaction.reverse",
            object_type="ledger_transaction",
            object_id=original.public_id,
            changes={"reversed_by": [None, posted.public_id]},
        )
    return posted


def _call(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Use the door that fits: the two share their code, but show apart in the database's statistics."""
    with connection.cursor() as cursor:
        if len(payloads) == 1:
            cursor.execute("SELECT ledger_post(%s)", [json.dumps(payloads[0])])
            return [json.loads(cursor.fetchone()[0])]
        cursor.execute("SELECT ledger_post_many(%s)", [json.dumps(payloads)])
        answers: list[dict[str, Any]] = json.loads(cursor.fetchone()[0])
        return answers


def _payload(draft: Draft, public_id: str = "") -> dict[str, Any]:
    policies.check_draft(draft)
    actor = trail.current_actor()
    return {
        "public_id": public_id or new_id("txn"),
        "kind": draft.kind,
        "source": draft.source,
        "source_key": draft.source_key,
        "fingerprint": policies.fingerprint(draft).hex(),
        "effective_date": draft.effective_date.isoformat(),
        "reverses": draft.reverses,
        "approval": draft.approval_id,
        "quote": draft.quote,
        "fx_rate": None if draft.fx_rate is None else str(draft.fx_rate),
        "actor": actor.text,
        "context": dict(draft.context),
        "text": _sealed_text(draft.text) if draft.text else None,
        "legs": _places(draft),
    }


def _places(draft: Draft) -> list[tuple[int, str, int]]:
    """Return the merged legs with the shards that take them; the fingerprint knows the accounts as they were named."""
    legs = policies.merged_legs(draft)
    return sorted((shard_of(account, draft.source_key), currency, minor) for account, currency, minor in legs)


def _sealed_text(text: str) -> dict[str, str]:
    public_id = new_id("ttx")
    blob = crypto.seal(text.encode(), place=f"{_TEXT_PLACE}.{public_id}", keys=crypto.ring("FIELD_KEYS"))
    salt = os.urandom(16)
    return {
        "public_id": public_id,
        "salt": salt.hex(),
        "text": blob.hex(),
        "digest": policies.text_digest(salt, text).hex(),
    }


def _publish(draft: Draft, answer: dict[str, Any], now: datetime) -> None:
    outbox.publish(
        type=TRANSACTION_POSTED,
        object_type="ledger_transaction",
        object_id=answer["public_id"],
        partner_id=None,
        data={
            "id": answer["public_id"],
            "kind": draft.kind,
            "effective_date": draft.effective_date.isoformat(),
            "context": dict(draft.context),
            "legs": [
                {
                    "account": account,
                    "currency": currency,
                    "amount": amount,
                    "balance_after": after,
                    "seq": seq,
                }
                for account, currency, amount, after, _held, seq, _at in answer["legs"]
            ],
        },
        at=now,
    )


def _posted(answer: dict[str, Any]) -> Posted:
    return Posted(
        transaction_id=answer["id"],
        public_id=answer["public_id"],
        replayed=answer["replayed"],
        balances={
            account: BalanceAfter.of(
                currency=currency,
                posted=after,
                held=held,
                seq=seq,
                at=datetime.fromisoformat(posted_at),
            )
            for account, currency, _amount, after, held, seq, posted_at in answer["legs"]
        },
    )
