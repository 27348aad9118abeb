"""Payments from wallet to wallet."""

from datetime import datetime

from django.db import transaction

from flowlet.core.errors import FieldError, InvalidInput, NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from payments.errors import UnknownRail
from payments.judging import FraudCheck, ask_fraud
from payments.models import Payment
from payments.moving import begin, find_known
from payments.policies import kind_between
from payments.rails.registry import RAILS
from wallets import policies
from wallets.models import Wallet


@transaction.atomic
def create_payment(
    *,
    partner_id: int,
    payer_wallet_id: str,
    payee_wallet_id: str,
    amount: Money,
    now: datetime,
    kind: str | None = None,
    description: str = "",
    idempotency_key: str | None = None,
    rail: str = "internal",
    fraud_check: FraudCheck | None = ask_fraud,
    sandbox_risk: str = "",
) -> Payment:
    """
    Pay from one wallet of a partner to another, at once if nothing stands against it.

    Wallets are named by public id; `amount` is in minor units of the currency of both. Customers' kinds make the kind
    of the payment; `kind` checks it. The same key again returns the first payment. A well-formed payment that may not
    happen (funds, freeze, restriction, limit, fraud) is kept as REFUSED with `refusal_code`; no money moves, and a new
    try needs a new key. HELD waits for staff with its money on hold, REQUIRES_ACTION for `confirm_payment`.

    `fraud_check` None loads history without a judge, which live mode refuses; `sandbox_risk` asks for a verdict.

    :raises UnknownRail: if no rail has that name
    :raises NotFound: if a wallet is absent or another partner's
    :raises InvalidInput: if payer and payee are one wallet
    :raises TypeDoesNotFit: if `kind` is not what the two customers make
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if a wallet has another currency
    :raises BadScoringRequest: if fraud cannot score a value
    :raises KeyUsedBefore: if the key stands for another payment
    """
    if rail not in RAILS:
        raise UnknownRail(rail=rail)
    payer, payee = _lock_wallets(partner_id, payer_wallet_id, payee_wallet_id)
    payment = Payment(
        partner_id=partner_id,
        kind=kind_between(payer=payer.customer.kind, payee=payee.customer.kind, asked=kind),
        rail=rail,
        payer_wallet=payer,
        payee_wallet=payee,
        amount_minor=amount.minor,
        currency=amount.currency,
        description=description,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    if (known := find_known(payment, _content)) is not None:
        return known
    policies.check_amount(amount, currencies=(payer.currency, payee.currency))
    begin(payment, fraud_check=fraud_check, sandbox_risk=sandbox_risk)
    return payment


def _lock_wallets(partner_id: int, payer_wallet_id: str, payee_wallet_id: str) -> tuple[Wallet, Wallet]:
    """Lock both customers, then both wallets, each in one statement and by key: no two payments can wait in a ring."""
    if payer_wallet_id == payee_wallet_id:
        fault = FieldError("/payee_wallet", "same_wallet", "Payer and payee must be two wallets.")
        raise InvalidInput(errors=(fault,))
    wanted = Wallet.objects.filter(partner_id=partner_id, public_id__in=(payer_wallet_id, payee_wallet_id))
    owners = dict(wanted.values_list("pk", "customer_id"))
    list(lock(Customer.objects.filter(pk__in=set(owners.values()))).values_list("pk"))
    # Which wallets exist and whose they are never changes; status does, so it is read under the lock.
    rows = lock(Wallet.objects.filter(pk__in=owners)).select_related("customer")
    found = {wallet.public_id: wallet for wallet in rows}
    missing = [
        FieldError(f"/{side}_wallet", "not_found", "There is no such wallet.")
        for side, public_id in (("payer", payer_wallet_id), ("payee", payee_wallet_id))
        if public_id not in found
    ]
    if missing:
        raise NotFound(errors=tuple(missing))
    return found[payer_wallet_id], found[payee_wallet_id]


def _content(payment: Payment) -> tuple[object, ...]:
    return (
        payment.kind,
        payment.rail,
        payment.payer_wallet_id,
        payment.payee_wallet_id,
        payment.amount_minor,
        payment.currency,
        payment.description,
    )
