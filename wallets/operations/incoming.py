"""References for incoming transfers, and crediting the lines of banks that carry one."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError
from flowlet.events import outbox
from ledger.choices_matching import BreakReason
from ledger.models.reconciliation import BankLine
from ledger.operations.claiming import claim_day, lock_claimed, settle_claim
from ledger.policies import Draft
from ledger.reconciliation.claims import Refusal
from wallets import events, references
from wallets.choices import MoneySource, MovementStatus, ReferenceKind, ReferenceState, WalletStatus
from wallets.errors import InvalidIban, LimitExceeded, ReferenceRetired, ReferenceTaken, WalletClosed
from wallets.models import Deposit
from wallets.models_incoming import IncomingReference, IncomingTransfer
from wallets.operations.bank import check_allowed, draft_of, kind_of, lock_sides, tell
from wallets.operations.limits import use_limit
from wallets.operations.wallets import lock_wallet
from wallets.policies import check_amount
from wallets.queries_incoming import client_money_account, credited_lines, references_named

# Of a million million codes; that even two tries hit one that is given needs more wallets than there are people.
_TRIES = 8
_SENDER_SHOWN = 140


@transaction.atomic
def give_reference(*, wallet_id: int, now: datetime) -> IncomingReference:
    """
    Return the active code of a wallet; one that has none gets it.

    :raises WalletClosed: if it is closed
    :raises NoClientMoneyAccount: if we have no account for customers' money in its currency
    """
    wallet = lock_wallet(wallet_id)
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)
    client_money_account(wallet.currency)
    known = wallet.references.filter(kind=ReferenceKind.CODE, state=ReferenceState.ACTIVE).first()
    if known is not None:
        return known
    codes = [references.code_of(secrets.randbelow(references.BASES)) for _ in range(_TRIES)]
    taken = references_named(codes)
    made = IncomingReference(
        wallet=wallet, reference=next(code for code in codes if code not in taken), created_at=now
    )
    return _give(made)


@transaction.atomic
def assign_iban(*, wallet_id: int, iban: str, now: datetime) -> IncomingReference:
    """
    Let transfers to an IBAN that a bank keeps for one wallet alone be credited to it; the same again changes nothing.

    :raises InvalidIban: if the check digits are wrong
    :raises WalletClosed: if the wallet is closed
    :raises ReferenceTaken: if the IBAN is in use, or the wallet has another one
    """
    plain = references.plain(iban)
    if not references.is_iban(plain) or plain.startswith("RF"):
        raise InvalidIban
    wallet = lock_wallet(wallet_id)
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)
    known = IncomingReference.objects.filter(reference=plain).first()
    if known is not None and (known.wallet_id, known.state) == (wallet.pk, ReferenceState.ACTIVE):
        return known
    made = IncomingReference(wallet=wallet, kind=ReferenceKind.IBAN, reference=plain, created_at=now)
    try:
        with transaction.atomic():
            return _give(made)
    except IntegrityError as error:
        raise ReferenceTaken from error


def _give(made: IncomingReference) -> IncomingReference:
    actor = trail.current_actor()
    made.created_by = actor.text[:100]
    made.save()
    _tell(made, "give", events.REFERENCE_GIVEN, [None, made.state], at=made.created_at)
    return made


@transaction.atomic
def retire_reference(
    *, reference_id: int, reason_code: str, now: datetime, note: str = ""
) -> IncomingReference:
    """
    Credit nothing by a reference any more; transfers that still carry it wait with a break. It is never given again.

    :raises ReferenceRetired: if it was retired before
    """
    wallet_id = IncomingReference.objects.values_list("wallet_id", flat=True).get(pk=reference_id)
    lock_wallet(wallet_id)
    found = IncomingReference.objects.select_related("wallet__customer").get(pk=reference_id)
    if found.state == ReferenceState.RETIRED:
        raise ReferenceRetired(reference=references.printed(found.reference))
    actor = trail.current_actor()
    found.state, found.retired_at, found.retired_by = ReferenceState.RETIRED, now, actor.text[:100]
    found.save(update_fields=["state", "retired_at", "retired_by"])
    change = [ReferenceState.ACTIVE, found.state]
    _tell(found, "retire", events.REFERENCE_RETIRED, change, at=now, reason_code=reason_code, note=note)
    return found


def _tell(
    row: IncomingReference,
    verb: str,
    event: str,
    change: Sequence[object],
    *,
    at: datetime,
    reason_code: str = "",
    note: str = "",
) -> None:
    wallet = row.wallet
    trail.record(
        action=f"wallet.{verb}_reference",
        object_type="wallet",
        object_id=wallet.public_id,
        changes={row.public_id: change},
        reason_code=reason_code,
        note=note,
        partner_id=wallet.partner_id,
        customer=wallet.customer.public_id,
    )
    outbox.publish(
        type=event,
        object_type="wallet",
        object_id=wallet.public_id,
        partner_id=wallet.partner_id,
        data={"id": wallet.public_id, "reference": row.public_id, "status": row.state.lower()},
        at=at,
    )


def claim_lines(*, lines: Sequence[BankLine], now: datetime) -> Mapping[int, Refusal | None]:
    """
    Credit the lines that name one wallet, each in a transaction of its own; return them by key with None.

    Lines that name references and are not credited come with the reason; lines that name none are left out, and so
    are those that were credited before. Safe to repeat.
    """
    named = {line.pk: found for line in lines if (found := _mentions(line)).codes or found.mistyped}
    if not named:
        return {}
    credited = credited_lines(named)
    known = references_named({code for found in named.values() for code in found.codes})
    answers: dict[int, Refusal | None] = {}
    for line in lines:
        if line.pk not in named or line.pk in credited:
            continue
        found = named[line.pk]
        ours = [known[code] for code in sorted(found.codes) if code in known]
        if ours:
            answers[line.pk] = _why_not(line, ours) or _credit(line, ours[0], now)
        elif strange := sorted(found.mistyped | {code for code in found.codes if code.startswith("RF")}):
            said = f"{_listed(strange)}: mistyped, or never given to a wallet."
            answers[line.pk] = Refusal(BreakReason.BAD_REFERENCE, said)
    return answers


def _mentions(line: BankLine) -> references.Mentions:
    parts = [part.get(name) or "" for part in line.details for name in ("end_to_end_id", "reference")]
    return references.mentions([line.text or "", line.end_to_end_id, line.batch_id, *parts])


def _why_not(line: BankLine, ours: Sequence[IncomingReference]) -> Refusal | None:
    """Judge what a line names, before anything is locked."""
    wallets = sorted({row.wallet.public_id for row in ours})
    if len(wallets) > 1:
        said = f"{_listed(row.reference for row in ours)} name {len(wallets)} wallets: {', '.join(wallets)}."
        return Refusal(BreakReason.AMBIGUOUS, said)
    first = ours[0]
    if all(row.state == ReferenceState.RETIRED for row in ours):
        return _retired(first)
    if first.wallet.currency != line.currency:
        said = f"{_listed([first.reference])} names wallet {wallets[0]} in {first.wallet.currency}."
        return Refusal(BreakReason.CURRENCY, said)
    return None


def _retired(row: IncomingReference) -> Refusal:
    said = f"{_listed([row.reference])} of wallet {row.wallet.public_id} was retired on {row.retired_at:%-d %b %Y}."
    return Refusal(BreakReason.RETIRED, said)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(references.printed(code) for code in codes)


def _credit(line: BankLine, reference: IncomingReference, now: datetime) -> Refusal | None:
    """Credit a line, or say what stands against it; None also if somebody was quicker."""
    try:
        credit_line(line_id=line.pk, reference_id=reference.pk, now=now)
    except AppError as refusal:
        if isinstance(refusal, ReferenceRetired):
            return _retired(IncomingReference.objects.select_related("wallet").get(pk=reference.pk))
        reason = BreakReason.LIMIT if isinstance(refusal, LimitExceeded) else BreakReason.BLOCKED
        return Refusal(reason, f"{_listed([reference.reference])}: {refusal.detail}")
    return None


@transaction.atomic
def credit_line(*, line_id: int, reference_id: int, now: datetime) -> Deposit | None:
    """
    Credit a line of a bank to the wallet of an active reference, and settle the line with it; None if it is settled.

    Wallet, customer and limits are asked as for every deposit; who sent the money stays with the line.

    :raises ReferenceRetired: if the reference was retired
    :raises AppError: if the wallet or its customer may not receive it now, or a limit would be passed
    """
    reference = IncomingReference.objects.get(pk=reference_id)
    row = Deposit(
        wallet_id=reference.wallet_id,
        source=MoneySource.TRANSFER,
        status=MovementStatus.COMPLETED,
        created_at=now,
    )
    lock_sides(row)
    # Whoever retires it holds the wallet: from here on it stays as it is.
    reference.refresh_from_db(fields=["state"])
    if reference.state == ReferenceState.RETIRED:
        raise ReferenceRetired(reference=references.printed(reference.reference))
    if (line := lock_claimed(line_id)) is None:
        return None
    row.amount_minor, row.currency, row.ended_at = line.amount_minor, line.currency, now
    check_amount(row.amount, currencies=(row.wallet.currency,))
    check_allowed(row)
    use_limit(wallet=row.wallet, kind=kind_of(row), amount=row.amount, now=now)
    draft = _draft(row, line, now)
    clearing = draft.legs[0].account_id
    row.transaction_id = settle_claim(line=line, cause=draft, clearing_id=clearing, now=now)
    row.save()
    IncomingTransfer.objects.create(deposit=row, reference=reference, line=line, created_at=now)
    tell(row, at=now)
    return row


def _draft(row: Deposit, line: BankLine, now: datetime) -> Draft:
    sender = line.counterparty_name or ""
    context = {"deposit": row.public_id, "bank_line": line.public_id}
    if line.counterparty_index:
        # Monitoring tells senders apart by this; the number itself stays with the line.
        context["counterparty"] = bytes(line.counterparty_index).hex()
        context["country"] = (line.counterparty_iban or "")[:2]
    return replace(
        draft_of(row, now),
        effective_date=claim_day(line, now=now),
        text=f"Bank transfer from {sender[:_SENDER_SHOWN]}" if sender else "Bank transfer",
        context=context,
    )
