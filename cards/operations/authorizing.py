"""Answering an authorisation: every check runs, the answer and its reasons are stored, the money is held."""

import hashlib
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from cards import policies, queries
from cards.choices import (
    APPROVED_CODE,
    DECLINE_RANK,
    NETWORK_CODES,
    PARTIAL_CODE,
    AuthorizationState,
    CardStatus,
    EventKind,
    LimitSpan,
    Outcome,
)
from cards.errors import ReferenceReused
from cards.models.authorizations import CardAuthorization, CardDecision, NetworkEvent
from cards.models.issuing import Card, CardFreeze
from cards.operations.following import follow, tell_authorization
from cards.operations.locking import lock_card
from cards.policies import Check
from flowlet.core import jsons
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from fraud.choices import Action, Product
from fraud.operations.deciding import decide
from fraud.values import ScoringRequest
from ledger.queries.balances import get_balance
from wallets.choices import LimitKind
from wallets.errors import LimitExceeded
from wallets.operations.limits import use_limit
from wallets.policies import WalletState
from wallets.queries import get_states


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    What the network asks, in the card's currency; amount 0 verifies the account.

    `merchant_amount` is what the merchant sees in its own currency. `network_time` is aware. `allow_partial`: the
    terminal can take less than it asked for.
    """

    network_reference: str
    amount: Money
    merchant_amount: Money
    merchant_name: str
    mcc: str
    country: str
    channel: str
    network_time: datetime
    merchant_id: str = ""
    allow_partial: bool = False

    def digest(self, card_id: int) -> str:
        """Return a digest of what is asked, to tell a repeat from a clash; a repeat may carry a later time."""
        fields = {name: str(value) for name, value in asdict(self).items() if name != "network_time"}
        content = {"card": card_id, **fields}
        return hashlib.sha256(jsons.dumps_canonical(content)).hexdigest()


@dataclass(slots=True)
class _Judged:
    """The checks of one authorisation as they come."""

    checks: list[Check] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    fraud_decision: str = ""
    approved: int = 0

    def add(self, check: Check, reason: str) -> None:
        self.checks.append(check)
        if not check.passed:
            self.failed.append(reason)


class _Declined(Exception):
    """Takes back what a declined authorisation has counted."""


@transaction.atomic
def authorize(*, card_id: int, asked: Asked, now: datetime, processor: str = "builtin") -> CardAuthorization:
    """
    Answer the network: approve, approve in part, or decline, with every check stored.

    A declined authorisation is a row too. The same reference with the same message gets its first answer.

    :raises ReferenceReused: if the reference came with another message (answer 94)
    :raises CurrencyMismatch: if the amount is not in the card's currency
    :raises InvalidAmount: if the amount is below zero
    """
    began = time.perf_counter()
    digest = asked.digest(card_id)
    if (known := _known(processor, asked.network_reference, digest)) is not None:
        return known
    card = lock_card(card_id)
    if (known := _known(processor, asked.network_reference, digest)) is not None:
        return known  # it was being decided while we waited
    if asked.amount.currency != card.programme.currency:
        raise CurrencyMismatch(expected=card.programme.currency, given=asked.amount.currency)
    if asked.amount.minor < 0:
        raise InvalidAmount(reason="An authorisation cannot be below zero.")
    authorization = _row(card, asked, processor, digest, now)
    judged = _judge(card, authorization, asked, now)
    _store(authorization, judged, began, now)
    if judged.approved or not judged.failed:
        _note_approved(authorization, judged.approved, now)
    follow(authorization, now=now)
    tell_authorization(authorization, decided=True, now=now)
    return authorization


def _known(processor: str, reference: str, digest: str) -> CardAuthorization | None:
    rows = CardAuthorization.objects.filter(processor=processor, network_reference=reference)
    known = rows.select_related("card__customer", "card__wallet", "decision").first()
    if known is not None and known.body_digest != digest:
        raise ReferenceReused(reference=reference)
    return known


def _row(card: Card, asked: Asked, processor: str, digest: str, now: datetime) -> CardAuthorization:
    return CardAuthorization(
        card=card,
        processor=processor,
        network_reference=asked.network_reference,
        body_digest=digest,
        state=AuthorizationState.DECLINED,
        requested_minor=asked.amount.minor,
        currency=asked.amount.currency,
        merchant_minor=asked.merchant_amount.minor,
        merchant_currency=asked.merchant_amount.currency,
        merchant_id=asked.merchant_id,
        merchant_name=asked.merchant_name,
        mcc=asked.mcc,
        country=asked.country,
        channel=asked.channel,
        network_time=asked.network_time,
        expires_at=asked.network_time + policies.expiry_of(mcc=asked.mcc, channel=asked.channel),
        created_at=now,
    )


def _judge(card: Card, authorization: CardAuthorization, asked: Asked, now: datetime) -> _Judged:
    judged = _Judged()
    state = get_states([card.wallet])[card.wallet_id]
    _check_card(judged, card, now)
    _check_wallet(judged, state)
    _check_controls(judged, card, asked)
    _check_fraud(judged, card, authorization, asked, now)
    judged.approved = _check_funds(judged, card, asked)
    _check_tier(judged, card, now)
    if judged.failed:
        judged.approved = 0
    return judged


def _check_card(judged: _Judged, card: Card, now: datetime) -> None:
    closed = {"LOST": "card_lost", "STOLEN": "card_stolen"}.get(card.close_reason, "card_closed")
    status = card.get_status_display()
    judged.add(
        Check("status", passed=card.status == CardStatus.ACTIVE, value=status),
        closed if card.status == CardStatus.CLOSED else "card_inactive",
    )
    valid = card.expires_on >= now.date()
    judged.add(Check("expiry", passed=valid, value=card.expires_on.isoformat()), "card_expired")
    live = CardFreeze.objects.filter(card=card, lifted_at__isnull=True).order_by("placed_at", "pk")
    sources = [freeze.get_source_display() for freeze in live]
    judged.add(Check("freezes", passed=not sources, value=", ".join(sources) or "none"), "card_frozen")


def _check_wallet(judged: _Judged, state: WalletState) -> None:
    judged.add(Check("wallet", passed=state.status == "ACTIVE", value=state.status), "wallet_not_open")
    stopping = state.restrictions & {"FROZEN", "NO_OUT"}
    reason = "not_permitted" if "FROZEN" in stopping else "under_review"
    judged.add(
        Check("restrictions", passed=not stopping, value=", ".join(sorted(stopping)) or "none"), reason
    )


def _check_controls(judged: _Judged, card: Card, asked: Asked) -> None:
    controls = queries.get_controls(card.pk)
    if controls is None:
        return
    used = queries.get_used(card, at=asked.network_time)
    amount = asked.amount.minor
    judged.add(
        policies.check_list(
            "merchant_category", value=asked.mcc, allow=controls.mcc_allow, block=controls.mcc_block
        ),
        "merchant_blocked",
    )
    judged.add(
        policies.check_list(
            "country", value=asked.country, allow=controls.country_allow, block=controls.country_block
        ),
        "country_blocked",
    )
    spans = (
        ("transaction_limit", controls.per_transaction_minor, 0),
        ("day_limit", controls.day_minor, used[LimitSpan.DAY]),
        ("month_limit", controls.month_minor, used[LimitSpan.MONTH]),
    )
    for name, limit, spent in spans:
        judged.add(policies.check_limit(name, asked=amount, limit=limit, used=spent), name)


def _check_fraud(
    judged: _Judged, card: Card, authorization: CardAuthorization, asked: Asked, now: datetime
) -> None:
    if not asked.amount.minor:
        return  # verifying an account moves nothing
    decision = decide(
        request=ScoringRequest(
            source_kind="card_authorization",
            source_id=authorization.public_id,
            kind="CARD",
            product=Product.CARD,
            event_at=now,
            amount=asked.amount,
            customer=card.customer.public_id,
            partner_id=card.partner_id,
            card=card.public_id,
            terminal=asked.merchant_id or asked.merchant_name,
            counterparty=asked.merchant_name,
            country=asked.country,
            customer_country=card.customer.country,
            customer_since=card.customer.created_at,
        ),
        now=now,
    )
    judged.fraud_decision = decision.public_id
    # A terminal waits for an answer: what a payment would be held for, a card is declined for.
    passed = decision.action in (Action.ALLOW, Action.STEP_UP)
    judged.add(Check("fraud", passed=passed, value=Action(decision.action).label), "suspected_fraud")


def _check_funds(judged: _Judged, card: Card, asked: Asked) -> int:
    """Return what could be approved: all, or what is there if the terminal takes less."""
    available = max(0, get_balance(card.wallet.account_id).available.minor)
    amount = asked.amount.minor
    enough = amount <= available
    partial = asked.allow_partial and available > 0
    check = Check("funds", passed=enough or partial, value=amount, limit=available, left=available)
    judged.add(check, "insufficient_funds")
    return amount if enough else available if partial else 0


def _check_tier(judged: _Judged, card: Card, now: datetime) -> None:
    """Count against the tier's limits; what a declined authorisation counted is taken back."""
    if not judged.approved:
        return
    amount = Money(judged.approved, card.programme.currency)
    check = Check("tier_limit", passed=True, value=amount.minor)
    try:
        with transaction.atomic():
            use_limit(wallet=card.wallet, kind=LimitKind.CARD, amount=amount, now=now)
            _undo_if(judged.failed)
    except LimitExceeded as refusal:
        fields = refusal.fields
        limit, left = fields.get("limit_minor"), fields.get("left_minor")
        check = Check(
            "tier_limit",
            passed=False,
            value=amount.minor,
            limit=limit if isinstance(limit, int) else None,
            left=left if isinstance(left, int) else None,
        )
    except _Declined:
        pass
    judged.add(check, "tier_limit")


def _undo_if(failed: list[str]) -> None:
    if failed:
        raise _Declined


def _store(authorization: CardAuthorization, judged: _Judged, began: float, now: datetime) -> None:
    requested = authorization.requested_minor
    if judged.failed:
        reason = policies.first_reason(judged.failed)
        outcome, code = Outcome.DECLINED, NETWORK_CODES[reason]
    else:
        reason = ""
        partial = judged.approved < requested
        outcome, code = (Outcome.PARTIAL, PARTIAL_CODE) if partial else (Outcome.APPROVED, APPROVED_CODE)
        authorization.state = AuthorizationState.OPEN
    try:
        with transaction.atomic():
            authorization.save(force_insert=True)
    except IntegrityError as error:
        if "authorization_once" not in str(error):
            raise
        # Another card of ours was asked under the same reference at the same moment.
        raise ReferenceReused(reference=authorization.network_reference) from error
    authorization.decision = CardDecision.objects.create(
        authorization=authorization,
        outcome=outcome,
        network_code=code,
        reason=reason,
        reasons=sorted(set(judged.failed), key=lambda name: DECLINE_RANK[name]),
        approved_minor=judged.approved,
        checks=[check.stored() for check in judged.checks],
        controls_version=_version(authorization),
        fraud_decision=judged.fraud_decision,
        latency_us=int((time.perf_counter() - began) * 1_000_000),
        decided_at=now,
    )


def _version(authorization: CardAuthorization) -> int | None:
    controls = queries.get_controls(authorization.card_id)
    return controls.version if controls else None


def _note_approved(authorization: CardAuthorization, approved: int, now: datetime) -> None:
    NetworkEvent.objects.create(
        card_id=authorization.card_id,
        processor=authorization.processor,
        kind=EventKind.AUTHORIZE,
        reference=authorization.network_reference,
        network_reference=authorization.network_reference,
        network_time=authorization.network_time,
        amount_minor=approved,
        merchant_name=authorization.merchant_name,
        mcc=authorization.mcc,
        country=authorization.country,
        digest=authorization.body_digest,
        recorded_at=now,
    )
