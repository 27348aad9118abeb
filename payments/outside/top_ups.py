"""Beginning a top-up: everything is decided and reserved here; a worker calls the vendor afterwards."""

from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.core.errors import AppError, FieldError, NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from payments.choices import PaymentKind, PaymentStatus
from payments.errors import UnknownRail
from payments.models import Payment, PaymentAttempt
from payments.outside.telling import tell_payment
from payments.rails.registry import OUTSIDE_RAILS
from wallets import policies
from wallets.errors import KeyUsedBefore
from wallets.models import Wallet
from wallets.operations.limits import use_limit
from wallets.queries import get_states


@transaction.atomic
def create_top_up(
    *,
    partner_id: int,
    wallet_id: str,
    payment_method: str,
    amount: Money,
    now: datetime,
    description: str = "",
    idempotency_key: str | None = None,
    rail: str = "stripe_card",
) -> Payment:
    """
    Begin to collect into a wallet, named by public id; the payment is PROCESSING when this returns.

    `payment_method` is the vendor's token of the card, or our id of a linked bank account. The same key again returns the first payment. A well-formed
    top-up that may not happen (freeze, restriction, limit) is kept as REFUSED, and nothing is collected.

    :raises UnknownRail: if no rail of that name collects from outside
    :raises NotFound: if the wallet is absent or another partner's
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if the wallet has another currency
    :raises AppError: if the rail cannot carry this amount, or not from there
    :raises KeyUsedBefore: if the key stands for another payment
    """
    if rail not in OUTSIDE_RAILS:
        raise UnknownRail(rail=rail)
    wallet = lock_wallet(partner_id=partner_id, wallet_id=wallet_id)
    payment = Payment(
        partner_id=partner_id,
        kind=PaymentKind.TOP_UP,
        rail=rail,
        payee_wallet=wallet,
        amount_minor=amount.minor,
        currency=amount.currency,
        status=PaymentStatus.PROCESSING,
        description=description,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    if (known := _known(payment, payment_method)) is not None:
        return known
    policies.check_amount(amount, currencies=(wallet.currency,))
    OUTSIDE_RAILS.get(rail).check(amount)
    OUTSIDE_RAILS.get(rail).check_target(
        partner_id=partner_id, customer_id=wallet.customer_id, target=payment_method
    )
    try:
        policies.check_money_in(get_states((wallet,))[wallet.pk])
        use_limit(wallet=wallet, kind="IN", amount=amount, now=now)
    except AppError as refusal:
        payment.status = PaymentStatus.REFUSED
        payment.refusal_code, payment.refusal_detail = refusal.code, refusal.detail
    _save(payment, payment_method)
    tell_payment(payment, now=now)
    return payment


def lock_wallet(*, partner_id: int, wallet_id: str) -> Wallet:
    """
    Lock a partner's wallet, its customer first.

    :raises NotFound: if it is absent or another partner's
    """
    wanted = Wallet.objects.filter(partner_id=partner_id, public_id=wallet_id)
    list(lock(Customer.objects.filter(pk__in=wanted.values("customer_id"))).values_list("pk"))
    wallet = lock(wanted).select_related("customer").first()
    if wallet is None:
        raise NotFound(errors=(FieldError("/wallet", "not_found", "There is no such wallet."),))
    return wallet


def _save(payment: Payment, payment_method: str) -> None:
    try:
        with transaction.atomic():
            payment.save()
    except IntegrityError as error:
        # A top-up of another wallet with this key: no lock of ours can see it beforehand.
        if "payment_key_once" in str(error):
            raise KeyUsedBefore from error
        raise
    refused = payment.status == PaymentStatus.REFUSED
    PaymentAttempt.objects.create(
        payment=payment,
        our_reference=f"{payment.public_id}-1",
        payment_method=payment_method,
        created_at=payment.created_at,
        # What we refuse is never sent; the attempt keeps what it was about.
        state="REFUSED" if refused else "PLANNED",
        next_check_at=None if refused else payment.created_at,
    )


def _known(payment: Payment, payment_method: str) -> Payment | None:
    """Return the payment this key made before, if its content is the same."""
    if payment.idempotency_key is None:
        return None
    rows = Payment.objects.filter(partner_id=payment.partner_id, idempotency_key=payment.idempotency_key)
    known = rows.select_related("payee_wallet", "payer_wallet", "transaction").first()
    if known is None:
        return None
    method = known.attempts.values_list("payment_method", flat=True).first()
    if method != payment_method or _content(known) != _content(payment):
        raise KeyUsedBefore
    return known


def _content(payment: Payment) -> tuple[object, ...]:
    return (
        payment.kind,
        payment.rail,
        payment.payee_wallet_id,
        payment.amount_minor,
        payment.currency,
        payment.description,
    )
