"""
The steps that payments share: let it pass, have it judged, move or hold the money, tell.

Every function here runs in its caller's transaction, with both customers and both wallets locked.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from flowlet.core.errors import AppError, InvariantBroken
from flowlet.core.locks import lock
from flowlet.identity.models import Customer
from flowlet.notifications.settings import wants_code
from fraud.choices import Action
from ledger.operations.holds import place_hold, release_hold
from payments.choices import PaymentKind, PaymentStatus
from payments.errors import BankAccountGone, PaymentDeclined
from payments.judging import FraudCheck, Verdict, request_for
from payments.models import Payment, PaymentAttempt
from payments.outside.telling import tell_payment
from payments.rails.registry import RAILS, RailOrder
from wallets import policies
from wallets.choices import BankAccountStatus
from wallets.errors import KeyUsedBefore
from wallets.models import BankAccount, Wallet
from wallets.operations.limits import Use, give_back_limit, use_limits
from wallets.queries import get_states

_PASSED = Verdict(Action.ALLOW)


def begin(payment: Payment, *, fraud_check: FraudCheck | None, sandbox_risk: str = "") -> None:
    """
    Take a new payment as far as it goes at once, save it and tell: from COMPLETED to REFUSED, each is an answer.

    Without a `fraud_check` nobody judges it: for history that is loaded, never in live mode.

    :raises InvariantBroken: if live mode is asked not to judge
    :raises BadScoringRequest: if fraud cannot score a value
    :raises KeyUsedBefore: if the key stands for another payment
    """
    if fraud_check is None and settings.FLOWLET_MODE == "live":
        raise InvariantBroken("a live payment must be judged")
    now = payment.created_at
    try:
        with transaction.atomic():
            let_pass(payment, now=now)
    except AppError as refusal:
        _refuse(payment, refusal)
        return
    # Outside the savepoint: a refused attempt stays in fraud's history.
    verdict = fraud_check(request_for(payment, sandbox_risk=sandbox_risk), now) if fraud_check else _PASSED
    payment.fraud_decision = verdict.decision
    action = verdict.action
    if (
        fraud_check
        and action == Action.ALLOW
        and wants_code(partner_id=payment.partner_id, amount=payment.amount)
    ):
        action = Action.STEP_UP
    try:
        with transaction.atomic():
            _follow(payment, action, now)
    except AppError as refusal:
        give_back_limits(payment)
        _refuse(payment, refusal)
    except IntegrityError as error:
        check_key_clash(error)
        raise
    else:
        tell_payment(payment, now=now)


def _follow(payment: Payment, action: str, now: datetime) -> None:
    match action:
        case Action.ALLOW:
            carry_out(payment, now=now)
        case Action.STEP_UP:
            payment.status = PaymentStatus.REQUIRES_ACTION
            payment.save()
        case Action.REVIEW:
            _hold(payment, now)
            payment.status = PaymentStatus.HELD
            payment.save()
        case _:
            raise PaymentDeclined


def let_pass(payment: Payment, *, now: datetime) -> None:
    """
    Ask what binds wallets and customers, then count the amount against their limits.

    :raises AppError: if a freeze, restriction or limit stands against it
    """
    check_sides(payment)
    use_limits(uses=_uses(payment), now=now)


def check_sides(payment: Payment) -> None:
    """
    Ask what binds wallets and customers now.

    :raises AppError: if money may not leave the one or enter the other
    """
    payer, payee = payment.own_wallet, payment.payee_wallet
    states = get_states([payer, payee] if payee else [payer])
    policies.check_money_out(states[payer.pk])
    if payee:
        policies.check_money_in(states[payee.pk])
    account = payment.bank_account
    if account and account.status != BankAccountStatus.ACTIVE:
        raise BankAccountGone


def carry_out(payment: Payment, *, now: datetime) -> None:
    """
    Move the money: between wallets at once; to a bank account it is held, and a worker sends it.

    :raises AppError: if the ledger refuses, as for too little money
    """
    if payment.kind == PaymentKind.PAYOUT:
        _hold(payment, now)
        payment.status = PaymentStatus.PROCESSING
        payment.save()
        PaymentAttempt.objects.create(
            payment=payment,
            our_reference=f"{payment.public_id}-1",
            payment_method=payment.bank_account.public_id if payment.bank_account else "",
            created_at=now,
            next_check_at=now,
        )
        return
    payer, payee = payment.own_wallet, payment.payee_wallet
    if payee is None:
        raise InvariantBroken(f"payment {payment.public_id} has no payee")
    answer = RAILS.get(payment.rail).send(
        RailOrder(
            payment=payment.public_id,
            kind=payment.kind,
            payer_account_id=payer.account_id,
            payee_account_id=payee.account_id,
            amount=payment.amount,
            text=payment.description or "Payment",
            hold_id=payment.hold_id,
        ),
        now=now,
    )
    payment.status, payment.transaction_id = PaymentStatus.COMPLETED, answer.transaction_id
    payment.completed_at = now
    payment.save()


def _hold(payment: Payment, now: datetime) -> None:
    """Set the amount aside, once; it stays until somebody or something has decided, however long that takes."""
    if payment.hold_id is not None:
        return
    view = place_hold(
        account_id=payment.own_wallet.account_id,
        amount=payment.amount,
        source="payment",
        source_key=payment.public_id,
        expires_at=None,
        now=now,
    )
    payment.hold_id = view.hold_id


def stop(payment: Payment, *, status: PaymentStatus, refusal: AppError, now: datetime) -> None:
    """End a payment that has moved nothing: hold and limits are given back, the reason stays."""
    payment.status = status
    payment.refusal_code, payment.refusal_detail = refusal.code, refusal.detail
    payment.save()
    give_back_limits(payment)
    if payment.hold_id is not None:
        release_hold(hold_id=payment.hold_id, source_key="released", now=now)


def give_back_limits(payment: Payment) -> None:
    """Take a payment that does not happen out of the count of the limits."""
    for use in _uses(payment):
        give_back_limit(wallet=use.wallet, kind=use.kind, amount=use.amount, used_at=payment.created_at)


def _uses(payment: Payment) -> list[Use]:
    amount, payer, payee = payment.amount, payment.payer_wallet, payment.payee_wallet
    uses = [Use(payer, "OUT", amount)] if payer else []
    # From one wallet to another of the same customer nothing comes in.
    if payee and (payer is None or payer.customer_id != payee.customer_id):
        uses.append(Use(payee, "IN", amount))
    return uses


def _refuse(payment: Payment, refusal: AppError) -> None:
    payment.status, payment.transaction_id, payment.completed_at = PaymentStatus.REFUSED, None, None
    payment.hold_id = None  # placed in a savepoint that is gone
    payment.refusal_code, payment.refusal_detail = refusal.code, refusal.detail
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as error:
        check_key_clash(error)
        raise
    tell_payment(payment, now=payment.created_at)


def check_key_clash(error: IntegrityError) -> None:
    """
    Name a clash of keys between payments of other wallets, which no lock of ours can see beforehand.

    :raises KeyUsedBefore: if that is what the database refused
    """
    if "payment_key_once" in str(error):
        raise KeyUsedBefore from error


def find_known(payment: Payment, content: Callable[[Payment], tuple[object, ...]]) -> Payment | None:
    """
    Return the payment that this one's key made before, if its content is the same.

    :raises KeyUsedBefore: if it is another
    """
    if payment.idempotency_key is None:
        return None
    rows = Payment.objects.filter(partner_id=payment.partner_id, idempotency_key=payment.idempotency_key)
    known = rows.select_related("payer_wallet", "payee_wallet", "bank_account", "transaction").first()
    if known is not None and content(known) != content(payment):
        raise KeyUsedBefore
    return known


def lock_payment(public_id: str) -> Payment | None:
    """Lock a payment, its customers and wallets before it, in the order of the house; None if there is none."""
    rows = Payment.objects.filter(public_id=public_id)
    sides = rows.values_list("payer_wallet_id", "payee_wallet_id", "bank_account_id").first()
    if sides is None:
        return None
    wallet_ids = [pk for pk in sides[:2] if pk is not None]
    owners = Wallet.objects.filter(pk__in=wallet_ids).values("customer_id")
    list(lock(Customer.objects.filter(pk__in=owners)).values_list("pk"))
    account = lock(BankAccount.objects.filter(pk=sides[2])).select_related("customer").first()
    wallets = {
        row.pk: row for row in lock(Wallet.objects.filter(pk__in=wallet_ids)).select_related("customer")
    }
    payment = lock(rows).get()
    payment.payer_wallet = wallets.get(payment.payer_wallet_id or 0)
    payment.payee_wallet = wallets.get(payment.payee_wallet_id or 0)
    payment.bank_account = account
    return payment
