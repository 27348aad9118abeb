"""Beginning a payout: everything is decided and the money set aside here; a worker sends it afterwards."""

from datetime import datetime

from django.db import transaction

from flowlet.core.errors import FieldError, NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from payments.choices import PaymentKind
from payments.errors import UnknownRail
from payments.judging import FraudCheck, ask_fraud
from payments.models import Payment
from payments.moving import begin, find_known
from payments.policies import check_payout
from payments.rails.registry import PAYOUT_RAILS
from wallets import policies
from wallets.choices import BankAccountStatus
from wallets.models import BankAccount, Wallet


@transaction.atomic
def create_payout(
    *,
    partner_id: int,
    wallet_id: str,
    bank_account_id: str,
    amount: Money,
    now: datetime,
    description: str = "",
    idempotency_key: str | None = None,
    rail: str = "stripe_payout",
    fraud_check: FraudCheck | None = ask_fraud,
    sandbox_risk: str = "",
) -> Payment:
    """
    Pay from a wallet out to a bank account, both named by public id; PROCESSING, with the money on hold, if all is well.

    Everybody may pay out to an account of his own, a business to any customer's of its partner. Keys, refusals, HELD,
    REQUIRES_ACTION, `fraud_check` and `sandbox_risk` as for `create_payment`.

    :raises UnknownRail: if no rail of that name pays out
    :raises NotFound: if wallet or bank account is absent, removed or another partner's
    :raises PayoutNotYours: if a person wants to pay out to somebody else's account
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if wallet, bank account and amount differ
    :raises AppError: if the rail cannot carry this amount
    :raises KeyUsedBefore: if the key stands for another payment
    """
    if rail not in PAYOUT_RAILS:
        raise UnknownRail(rail=rail)
    wallet, account = _lock_sides(partner_id, wallet_id, bank_account_id)
    payment = Payment(
        partner_id=partner_id,
        kind=PaymentKind.PAYOUT,
        rail=rail,
        payer_wallet=wallet,
        bank_account=account,
        amount_minor=amount.minor,
        currency=amount.currency,
        description=description,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    if (known := find_known(payment, _content)) is not None:
        return known
    if account.status != BankAccountStatus.ACTIVE:
        raise _missing("bank_account")
    check_payout(payer_kind=wallet.customer.kind, own=wallet.customer_id == account.customer_id)
    policies.check_amount(amount, currencies=(wallet.currency, account.currency))
    PAYOUT_RAILS.get(rail).check(amount)
    begin(payment, fraud_check=fraud_check, sandbox_risk=sandbox_risk)
    return payment


def _lock_sides(partner_id: int, wallet_id: str, bank_account_id: str) -> tuple[Wallet, BankAccount]:
    """Lock the payer, then the bank account, then the wallet: the order of the house."""
    wallets = Wallet.objects.filter(partner_id=partner_id, public_id=wallet_id)
    list(lock(Customer.objects.filter(pk__in=wallets.values("customer_id"))).values_list("pk"))
    accounts = BankAccount.objects.filter(partner_id=partner_id, public_id=bank_account_id)
    account = lock(accounts).select_related("customer").first()
    wallet = lock(wallets).select_related("customer").first()
    if wallet is None:
        raise _missing("wallet")
    if account is None:
        raise _missing("bank_account")
    return wallet, account


def _missing(field: str) -> NotFound:
    words = field.replace("_", " ")
    return NotFound(errors=(FieldError(f"/{field}", "not_found", f"There is no such {words}."),))


def _content(payment: Payment) -> tuple[object, ...]:
    return (
        payment.kind,
        payment.rail,
        payment.payer_wallet_id,
        payment.bank_account_id,
        payment.amount_minor,
        payment.currency,
        payment.description,
    )
