"""Writes of payments."""

from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError, FieldError, InvalidInput, NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from flowlet.identity.models import Customer
from payments import events
from payments.choices import PaymentKind, PaymentStatus
from payments.errors import UnknownRail
from payments.models import Payment
from payments.rails.registry import RAILS, RailOrder
from wallets import policies
from wallets.errors import KeyUsedBefore
from wallets.models import Wallet
from wallets.operations.limits import Use, use_limits
from wallets.queries import get_states


@transaction.atomic
def create_payment(
    *,
    partner_id: int,
    payer_wallet_id: str,
    payee_wallet_id: str,
    amount: Money,
    now: datetime,
    description: str = "",
    idempotency_key: str | None = None,
    rail: str = "internal",
) -> Payment:
    """
    Pay from one wallet of a partner to another, at once.

    Wallets are named by public id; `amount` is in minor units of the currency of both. The same key again returns the
    first payment. A well-formed payment that may not happen (funds, freeze, restriction) is kept as REFUSED with
    `refusal_code`; no money moves, and a new try needs a new key.

    :raises UnknownRail: if no rail has that name
    :raises NotFound: if a wallet is absent or another partner's
    :raises InvalidInput: if payer and payee are one wallet
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if a wallet has another currency
    :raises KeyUsedBefore: if the key stands for another payment
    """
    if rail not in RAILS:
        raise UnknownRail(rail=rail)
    payer, payee = _lock_wallets(partner_id, payer_wallet_id, payee_wallet_id)
    payment = Payment(
        partner_id=partner_id,
        kind=PaymentKind.P2P,
        rail=rail,
        payer_wallet=payer,
        payee_wallet=payee,
        amount_minor=amount.minor,
        currency=amount.currency,
        description=description,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    if (known := _known(payment)) is not None:
        return known
    policies.check_amount(amount, currencies=(payer.currency, payee.currency))
    try:
        with transaction.atomic():
            _carry_out(payment, payer, payee)
    except AppError as refusal:
        payment.status, payment.transaction_id, payment.completed_at = PaymentStatus.REFUSED, None, None
        payment.refusal_code, payment.refusal_detail = refusal.code, refusal.detail
        _save_refused(payment)
    except IntegrityError as error:
        _check_key_clash(error)
        raise
    _tell(payment, payer)
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


def _carry_out(payment: Payment, payer: Wallet, payee: Wallet) -> None:
    states = get_states((payer, payee))
    policies.check_money_out(states[payer.pk])
    policies.check_money_in(states[payee.pk])
    uses = (Use(payer, "OUT", payment.amount), Use(payee, "IN", payment.amount))
    use_limits(uses=uses if payer.customer_id != payee.customer_id else uses[:1], now=payment.created_at)
    answer = RAILS.get(payment.rail).send(
        RailOrder(
            payment=payment.public_id,
            kind=payment.kind,
            payer_account_id=payer.account_id,
            payee_account_id=payee.account_id,
            amount=payment.amount,
            text=payment.description or "Payment",
        ),
        now=payment.created_at,
    )
    payment.status, payment.transaction_id = PaymentStatus.COMPLETED, answer.transaction_id
    payment.completed_at = payment.created_at
    payment.save()


def _save_refused(payment: Payment) -> None:
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError as error:
        _check_key_clash(error)
        raise


def _check_key_clash(error: IntegrityError) -> None:
    """
    Name a clash of keys between payments of other wallets, which no lock of ours can see beforehand.

    :raises KeyUsedBefore: if that is what the database refused
    """
    if "payment_key_once" in str(error):
        raise KeyUsedBefore from error


def _known(payment: Payment) -> Payment | None:
    """Return the payment this key made before, if its content is the same."""
    if payment.idempotency_key is None:
        return None
    rows = Payment.objects.filter(partner_id=payment.partner_id, idempotency_key=payment.idempotency_key)
    for known in rows.select_related("payer_wallet", "payee_wallet", "transaction"):  # one at most
        if _content(known) != _content(payment):
            raise KeyUsedBefore
        return known
    return None


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


def _tell(payment: Payment, payer: Wallet) -> None:
    refused = payment.status == PaymentStatus.REFUSED
    trail.record(
        action="payment.create",
        object_type="payment",
        object_id=payment.public_id,
        outcome="REFUSED" if refused else "DONE",
        reason_code=payment.refusal_code.upper(),
        partner_id=payment.partner_id,
        customer=payer.customer.public_id,
    )
    outbox.publish(
        type=events.REFUSED if refused else events.COMPLETED,
        object_type="payment",
        object_id=payment.public_id,
        partner_id=payment.partner_id,
        data={
            "id": payment.public_id,
            "payer_wallet": payer.public_id,
            "payee_wallet": payment.payee_wallet.public_id,
            "amount": payment.amount_minor,
            "currency": payment.currency,
            "status": payment.status.lower(),
            "code": payment.refusal_code or None,
        },
        at=payment.created_at,
    )
