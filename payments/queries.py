"""Reads of payments."""

from datetime import datetime

from django.db.models import Q, QuerySet

from flowlet.core.errors import NotFound
from payments.models import Payment, PaymentAttempt, Refund

_SHOWN = ("payer_wallet", "payee_wallet", "bank_account", "transaction", "returned")


def get_payment(*, partner_id: int, public_id: str) -> Payment:
    """
    Return a partner's payment with its wallets.

    :raises NotFound: if it is absent or another partner's
    """
    payment = list_payments(partner_id=partner_id).filter(public_id=public_id).first()
    if payment is None:
        raise NotFound
    return payment


def list_payments(
    *,
    partner_id: int,
    idempotency_key: str | None = None,
    status: str | None = None,
    kind: str | None = None,
    wallet: str | None = None,
    currency: str | None = None,
    earliest: datetime | None = None,
    latest: datetime | None = None,
) -> QuerySet[Payment]:
    """
    Return a partner's payments, newest first, narrowed by what is given.

    `wallet` is a public id on either side; `earliest` counts in, `latest` does not.
    """
    rows = Payment.objects.filter(partner_id=partner_id)
    if idempotency_key is not None:
        rows = rows.filter(idempotency_key=idempotency_key)
    if status is not None:
        rows = rows.filter(status=status)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if wallet is not None:
        rows = rows.filter(Q(payer_wallet__public_id=wallet) | Q(payee_wallet__public_id=wallet))
    if currency is not None:
        rows = rows.filter(currency=currency)
    if earliest is not None:
        rows = rows.filter(created_at__gte=earliest)
    if latest is not None:
        rows = rows.filter(created_at__lt=latest)
    return rows.select_related(*_SHOWN).order_by("-created_at", "-id")


def list_payments_of_customer(customer_id: int) -> QuerySet[Payment]:
    """Return what a customer paid and received, newest first, with both sides' customers."""
    mine = Q(payer_wallet__customer_id=customer_id) | Q(payee_wallet__customer_id=customer_id)
    rows = Payment.objects.filter(mine).select_related(
        "payer_wallet__customer", "payee_wallet__customer", "bank_account__customer"
    )
    return rows.order_by("-created_at", "-id")


def list_refunds(*, partner_id: int, payment_id: str) -> QuerySet[Refund]:
    """
    Return what was given back of a partner's payment, newest first.

    :raises NotFound: if the payment is absent or another partner's
    """
    payment = get_payment(partner_id=partner_id, public_id=payment_id)
    rows = Refund.objects.filter(payment=payment).select_related("payment", "transaction", "returned")
    return rows.order_by("-created_at", "-id")


def list_attempts(*, partner_id: int, payment_id: str) -> QuerySet[PaymentAttempt]:
    """
    Return the tries to carry a partner's payment, newest first.

    :raises NotFound: if the payment is absent or another partner's
    """
    payment = get_payment(partner_id=partner_id, public_id=payment_id)
    return PaymentAttempt.objects.filter(payment=payment).order_by("-created_at", "-id")
