"""Cards, authorisations, decisions and clearings as their partner reads them: no number, nothing of the house's own work."""

from datetime import datetime
from typing import Any

from cards.choices import CARDHOLDER_WORDS, EventKind
from cards.models.authorizations import CardAuthorization, CardTransaction
from cards.models.issuing import Card, ControlSet
from cards.queries import LimitLeft, shown_status

# What partners are not told of a check: whose freeze it was, which restriction, what the fraud decision saw.
_INNER = frozenset({"freezes", "restrictions", "fraud"})


def render_card(card: Card, *, now: datetime) -> dict[str, Any]:
    """Return a card without its number; who froze it stays inside."""
    return {
        "id": card.public_id,
        "object": "card",
        "customer": card.customer.public_id,
        "wallet": card.wallet.public_id,
        "kind": card.kind.lower(),
        "status": shown_status(card, now=now),
        "close_reason": card.close_reason.lower() or None,
        "bin": card.bin,
        "last_four": card.last_four,
        "expires_on": card.expires_on,
        "currency": card.programme.currency,
        "token": card.token,
        "name_on_card": card.name_on_card,
        "created_at": card.created_at,
    }


def render_limits(card: Card, controls: ControlSet | None, limits: list[LimitLeft]) -> dict[str, Any]:
    """Return limits with what is left, and the lists."""
    return {
        "object": "card_limits",
        "card": card.public_id,
        "version": controls.version if controls else 0,
        "currency": card.programme.currency,
        "limits": [
            {"name": one.name, "limit": one.limit, "used": one.used, "left": one.left} for one in limits
        ],
        "allowed_mccs": controls.mcc_allow if controls else None,
        "blocked_mccs": controls.mcc_block if controls else [],
        "allowed_countries": controls.country_allow if controls else None,
        "blocked_countries": controls.country_block if controls else [],
    }


def render_authorization(row: CardAuthorization) -> dict[str, Any]:
    """Return an authorisation with its answer."""
    decision = row.decision
    declined = {
        "code": decision.reason,
        "reasons": decision.reasons,
        "cardholder_text": CARDHOLDER_WORDS.get(decision.reason, ""),
    }
    return {
        "id": row.public_id,
        "object": "card_authorization",
        "card": row.card.public_id,
        "network_reference": row.network_reference,
        "outcome": decision.outcome.lower(),
        "network_code": decision.network_code,
        "decline": declined if decision.reason else None,
        "state": row.state.lower(),
        "requested": row.requested_minor,
        "approved": decision.approved_minor,
        "authorized": row.authorized_minor,
        "cleared": row.cleared_minor,
        "refunded": row.refunded_minor,
        "currency": row.currency,
        "merchant": {"name": row.merchant_name, "mcc": row.mcc, "country": row.country},
        "channel": row.channel.lower(),
        "network_time": row.network_time,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
    }


def render_decision(row: CardAuthorization) -> dict[str, Any]:
    """Return every check behind an answer; what tells of the house's own work is left out."""
    decision = row.decision
    checks = [
        {**check, "value": "", "limit": None, "left": None} if check["name"] in _INNER else check
        for check in decision.checks
    ]
    return {
        "object": "card_decision",
        "authorization": row.public_id,
        "outcome": decision.outcome.lower(),
        "network_code": decision.network_code,
        "reason": decision.reason or None,
        "reasons": decision.reasons,
        "checks": checks,
        "limits_version": decision.controls_version,
        "latency_us": decision.latency_us,
        "decided_at": decision.decided_at,
    }


def render_transaction(row: CardTransaction) -> dict[str, Any]:
    """Return a clearing or refund."""
    authorization = row.authorization
    merchant = row.event.merchant_name or (authorization.merchant_name if authorization else "")
    return {
        "id": row.public_id,
        "object": "card_transaction",
        "card": row.card.public_id,
        "authorization": authorization.public_id if authorization else None,
        "kind": "clearing" if row.kind == EventKind.CLEAR else "refund",
        "reference": row.event.reference,
        "amount": row.amount_minor,
        "currency": row.currency,
        "merchant": merchant or None,
        "transaction": row.transaction.public_id,
        "booked_at": row.booked_at,
    }
