"""Asking fraud about a payment before its money moves. What cannot be judged is held, never passed in silence."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from compliance.rates import RATES
from flowlet.core.currencies import exponent
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from fraud import policies
from fraud.choices import Action, Product
from fraud.operations.deciding import decide
from fraud.values import BASE_CURRENCY, ScoringRequest
from ledger.queries.balances import get_balance
from payments.choices import PaymentKind
from payments.models import Payment

log = logging.getLogger(__name__)
_PER_UNIT = {rate.currency: rate.usd_millionths for rate in RATES}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may happen (`fraud.choices.Action`), and the decision that says why; '' when nothing could be stored."""

    action: str
    decision: str = ""


# Judges a payment within its transaction; `ask_fraud` is the only one that live paths use.
FraudCheck = Callable[[ScoringRequest, datetime], Verdict]


def ask_fraud(request: ScoringRequest, now: datetime) -> Verdict:
    """
    Return what fraud decides; when it cannot decide at all, what its policy says for that: hold.

    :raises BadScoringRequest: if a value cannot be scored
    """
    try:
        decision = decide(request=request, now=now)
    except (AppError, DatabaseError):
        raise  # the caller's fault, or a transaction that is lost: nothing moves either way
    except Exception:
        log.exception("fraud could not be asked", extra={"object_id": request.source_id})
        return Verdict(policies.blind(request.product))
    return Verdict(Action(decision.action), decision.public_id)


def request_for(payment: Payment, *, sandbox_risk: str = "") -> ScoringRequest:
    """Return what fraud has to know about a payment that waits; customers are read from its wallets."""
    payer = payment.own_wallet
    account, payee = payment.bank_account, payment.payee_wallet
    other = payee.customer.public_id if payee else account.public_id if account else ""
    country = account.country if account else payee.customer.country if payee else ""
    # Strangers pay a shop all day: to fraud it is a place where people pay, not somebody whom one sends money.
    is_shop = payment.kind == PaymentKind.C2B
    return ScoringRequest(
        source_kind="payment",
        source_id=payment.public_id,
        kind=payment.kind,
        product=Product.PAYMENT,
        event_at=payment.created_at,
        amount=payment.amount,
        base_minor=base_minor_of(payment.amount),
        customer=payer.customer.public_id,
        partner_id=payment.partner_id,
        terminal=other if is_shop else "",
        counterparty="" if is_shop else other,
        country=country,
        customer_country=payer.customer.country,
        customer_since=payer.customer.created_at,
        balance_minor=max(0, get_balance(payer.account_id).available.minor),
        sandbox_risk=sandbox_risk,
    )


def base_minor_of(amount: Money) -> int | None:
    """Return an amount in minor units of fraud's base currency, by planning rates; None for a currency without one."""
    if amount.currency == BASE_CURRENCY:
        return amount.minor
    rate, base = _PER_UNIT.get(amount.currency), _PER_UNIT[BASE_CURRENCY]
    if rate is None:
        return None
    scale = 10 ** exponent(BASE_CURRENCY) * rate
    return int(amount.minor * scale // (base * 10 ** exponent(amount.currency)))
