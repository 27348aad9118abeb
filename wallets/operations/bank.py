"""Bank accounts of the sandbox's built-in bank, and money between wallets and them, or cash."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.currencies import exponent
from flowlet.core.errors import AppError
from flowlet.core.locks import lock
from flowlet.core.money import InvalidAmount, Money
from flowlet.events import outbox
from flowlet.identity.models import Customer
from ledger.choices import HoldDirection
from ledger.operations.accounts import house_account
from ledger.operations.holds import place_hold
from ledger.operations.posting import Draft, Leg, post
from wallets import events, policies, queries
from wallets.choices import BankAccountStatus, Execution, MoneySource, MovementStatus
from wallets.errors import BankAccountDeclined, BankAccountExists, InvalidIban, KeyUsedBefore, SandboxOnly
from wallets.models import BankAccount, Deposit, Movement, Wallet, Withdrawal
from wallets.operations.limits import use_limit

OPENING_MINOR = 1_000_000
Row = TypeVar("Row", Deposit, Withdrawal)


@transaction.atomic
def add_bank_account(
    *, customer_id: int, iban: str, currency: str, now: datetime, balance_minor: int = OPENING_MINOR
) -> BankAccount:
    """
    Link an account of the built-in bank; it holds `balance_minor` (minor units) from the start.

    :raises SandboxOnly: in live mode, which knows no built-in bank
    :raises InvalidIban: if country, length or check digits are wrong
    :raises UnknownCurrency: if the currency is not in ISO 4217
    :raises InvalidAmount: if the opening balance is below zero or too large
    :raises BankAccountExists: if the customer linked it before
    """
    if settings.FLOWLET_MODE == "live":
        raise SandboxOnly
    parsed = _parse(iban)
    exponent(currency)
    if Money(balance_minor, currency).minor < 0:
        raise InvalidAmount(reason="A bank account cannot start below zero.")
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    indexes = crypto.blind_indexes("iban", customer.partner_id, parsed.compact)
    known = BankAccount.objects.filter(customer=customer, iban_index__in=indexes, currency=currency)
    if (other := known.filter(status=BankAccountStatus.ACTIVE).first()) is not None:
        raise BankAccountExists(bank_account=other.public_id)
    account = BankAccount.objects.create(
        partner_id=customer.partner_id,
        customer=customer,
        iban=parsed.compact,
        iban_index=crypto.blind_index("iban", customer.partner_id, parsed.compact),
        last_four=parsed.compact[-4:],
        country=parsed.country_code,
        currency=currency,
        balance_minor=balance_minor,
        created_at=now,
    )
    trail.record(
        action="bank_account.link",
        object_type="bank_account",
        object_id=account.public_id,
        partner_id=account.partner_id,
        customer=customer.public_id,
    )
    outbox.publish(
        type=events.BANK_ACCOUNT_LINKED,
        object_type="bank_account",
        object_id=account.public_id,
        partner_id=account.partner_id,
        data={"id": account.public_id, "customer": customer.public_id, "currency": currency},
        at=now,
    )
    return account


def _parse(text: str) -> IBAN:
    try:
        return IBAN(text, validate_bban=False)
    except (SchwiftyException, ValueError) as error:
        raise InvalidIban from error


@transaction.atomic
def deposit(
    *,
    wallet_id: int,
    bank_account_id: int,
    amount: Money,
    idempotency_key: str | None,
    now: datetime,
    execution: str = Execution.INSTANT,
) -> Deposit:
    """
    Bring money from a bank account into a wallet, at once or (NEXT_RUN) with the next run; until then it is announced.

    The same key again returns the first deposit. A well-formed deposit that may not happen is kept as REFUSED, with
    `refusal_code`; no money moves. `amount` is in minor units of the currency of both.

    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if wallet, bank account or amount differ
    :raises NotFound: if the bank account is not the customer's
    :raises KeyUsedBefore: if the key stands for another deposit
    """
    row = Deposit(
        wallet_id=wallet_id,
        bank_account_id=bank_account_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    return _move(row, waits=execution == Execution.NEXT_RUN)


@transaction.atomic
def withdraw(
    *,
    wallet_id: int,
    bank_account_id: int,
    amount: Money,
    idempotency_key: str | None,
    now: datetime,
    execution: str = Execution.INSTANT,
) -> Withdrawal:
    """
    Pay money from a wallet out to a bank account; keys and refusals as for `deposit`.

    Until the next run the money of a NEXT_RUN is held, and it can be cancelled.

    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if wallet, bank account or amount differ
    :raises NotFound: if the bank account is not the customer's
    :raises KeyUsedBefore: if the key stands for another withdrawal
    """
    row = Withdrawal(
        wallet_id=wallet_id,
        bank_account_id=bank_account_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    return _move(row, waits=execution == Execution.NEXT_RUN)


@transaction.atomic
def deposit_cash(
    *, wallet_id: int, location: str, amount: Money, idempotency_key: str | None, now: datetime
) -> Deposit:
    """
    Bring cash that an agent of the partner took at `location` into a wallet; keys and refusals as for `deposit`.

    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if wallet and amount differ
    :raises KeyUsedBefore: if the key stands for another deposit
    """
    row = Deposit(
        wallet_id=wallet_id,
        source=MoneySource.CASH,
        location=location,
        amount_minor=amount.minor,
        currency=amount.currency,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    return _move(row)


@transaction.atomic
def withdraw_cash(
    *, wallet_id: int, location: str, amount: Money, idempotency_key: str | None, now: datetime
) -> Withdrawal:
    """
    Pay cash out of a wallet at an agent of the partner; keys and refusals as for `deposit_cash`.

    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if wallet and amount differ
    :raises KeyUsedBefore: if the key stands for another withdrawal
    """
    row = Withdrawal(
        wallet_id=wallet_id,
        source=MoneySource.CASH,
        location=location,
        amount_minor=amount.minor,
        currency=amount.currency,
        idempotency_key=idempotency_key,
        created_at=now,
    )
    return _move(row)


def verb_of(row: Movement) -> str:
    """Return what a movement is called where it is told: deposit or withdrawal."""
    return "deposit" if isinstance(row, Deposit) else "withdrawal"


def lock_sides(row: Movement) -> None:
    """Lock customer, bank account and wallet of a movement, in the order of the house, and put them on it as they are."""
    customer_id = Wallet.objects.values_list("customer_id", flat=True).get(pk=row.wallet_id)
    list(lock(Customer.objects.filter(pk=customer_id)).values_list("pk"))
    bank_account = (
        lock(BankAccount.objects.filter(pk=row.bank_account_id)).get() if row.bank_account_id else None
    )
    wallet = lock(Wallet.objects.filter(pk=row.wallet_id)).select_related("customer").get()
    row.partner_id, row.wallet, row.bank_account = wallet.partner_id, wallet, bank_account


def _move(row: Row, *, waits: bool = False) -> Row:
    verb = verb_of(row)
    lock_sides(row)
    if (known := _known(row)) is not None:
        return known
    _check_form(row)
    try:
        with transaction.atomic():
            check_allowed(row)
            use_limit(wallet=row.wallet, kind=kind_of(row), amount=row.amount, now=row.created_at)
            if waits:
                row.status, row.hold_id = MovementStatus.PENDING, _set_aside(row)
            else:
                let_bank_move(row)
                row.transaction_id = post(
                    draft=draft_of(row, row.created_at), now=row.created_at
                ).transaction_id
                row.status, row.ended_at = MovementStatus.COMPLETED, row.created_at
            row.save()
    except AppError as refusal:
        row.status, row.transaction_id, row.hold_id = MovementStatus.REFUSED, None, None
        row.ended_at = row.created_at
        row.refusal_code, row.refusal_detail = refusal.code, refusal.detail
        row.save()
    except IntegrityError as error:
        if f"{verb}_key_once" not in str(error):
            raise
        raise KeyUsedBefore from error  # the key belongs to a movement of another wallet of this partner
    tell(row, at=row.created_at)
    return row


def _known(row: Row) -> Row | None:
    """Return the movement this key made before, if its content is the same."""
    if row.idempotency_key is None:
        return None
    rows = type(row).objects.filter(partner_id=row.partner_id, idempotency_key=row.idempotency_key)
    for known in rows.select_related("wallet", "bank_account", "transaction"):  # one at most
        if _content(known) != _content(row):
            raise KeyUsedBefore
        return known
    return None


def _content(row: Movement) -> tuple[object, ...]:
    return row.wallet_id, row.bank_account_id, row.location, row.amount_minor, row.currency


def _check_form(row: Movement) -> None:
    wallet, bank_account = row.wallet, row.bank_account
    if bank_account is None:
        policies.check_amount(row.amount, currencies=(wallet.currency,))
        return
    policies.check_amount(row.amount, currencies=(wallet.currency, bank_account.currency))
    policies.check_owner(
        wallet_customer_id=wallet.customer_id,
        bank_account_customer_id=bank_account.customer_id,
        active=bank_account.status == BankAccountStatus.ACTIVE,
    )


def kind_of(row: Movement) -> str:
    """Return which limits count a movement."""
    return "IN" if isinstance(row, Deposit) else "OUT"


def check_allowed(row: Movement) -> None:
    """
    Ask the policies.

    :raises AppError: if the wallet or its customer may not have money moved this way now
    """
    state = queries.get_states([row.wallet])[row.wallet_id]
    check: Callable[[policies.WalletState], None]
    check = policies.check_money_in if isinstance(row, Deposit) else policies.check_money_out
    check(state)


def let_bank_move(row: Movement) -> None:
    """
    Let the built-in bank pay or take; cash needs none.

    :raises BankAccountDeclined: if the account does not hold the amount
    """
    bank_account = row.bank_account
    if bank_account is None:
        return
    left = bank_account.balance_minor + (-1 if isinstance(row, Deposit) else 1) * row.amount_minor
    if left < 0:
        raise BankAccountDeclined(requested=row.amount)
    BankAccount.objects.filter(pk=bank_account.pk).update(balance_minor=left)


def _set_aside(row: Movement) -> int:
    """Hold the money of a withdrawal, or announce that of a deposit, until the next run."""
    held = place_hold(
        account_id=row.wallet.account_id,
        amount=row.amount,
        source=verb_of(row),
        source_key=row.public_id,
        expires_at=None,
        direction=HoldDirection.IN if isinstance(row, Deposit) else HoldDirection.OUT,
        now=row.created_at,
    )
    return held.hold_id


def draft_of(row: Movement, at: datetime) -> Draft:
    """Return what a movement books, on the day of `at`."""
    amount, wallet, verb = row.amount, row.wallet, verb_of(row)
    cash = row.source == MoneySource.CASH
    # What a bank is to do waits in clearing until its statement shows it: only then does our bank account change.
    chart_code = "CASH_AT_AGENTS" if cash else "BANK_CLEARING"
    bank = house_account(chart_code=chart_code, currency=row.currency, now=at)
    # Debit is positive: a deposit debits the clearing (or till) and credits the wallet, a withdrawal the other way round.
    into_bank = amount if isinstance(row, Deposit) else -amount
    return Draft(
        kind=f"CASH_{verb.upper()}" if cash else verb.upper(),
        source=verb,
        source_key=row.public_id,
        effective_date=at.date(),
        legs=(Leg(bank.pk, into_bank), Leg(wallet.account_id, -into_bank)),
        text=f"{verb.capitalize()}, {'' if cash else 'bank account '}{_lowered(row.counterpart)}",
        context={verb: row.public_id},
    )


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


_TOLD = {
    ("deposit", "COMPLETED"): events.DEPOSIT_COMPLETED,
    ("deposit", "REFUSED"): events.DEPOSIT_REFUSED,
    ("deposit", "PENDING"): events.DEPOSIT_PENDING,
    ("deposit", "CANCELLED"): events.DEPOSIT_CANCELLED,
    ("withdrawal", "COMPLETED"): events.WITHDRAWAL_COMPLETED,
    ("withdrawal", "REFUSED"): events.WITHDRAWAL_REFUSED,
    ("withdrawal", "PENDING"): events.WITHDRAWAL_PENDING,
    ("withdrawal", "CANCELLED"): events.WITHDRAWAL_CANCELLED,
}


def tell(row: Movement, *, at: datetime, action: str = "create") -> None:
    """Leave the trail row of a movement's new status and publish it."""
    refused, verb = row.status == MovementStatus.REFUSED, verb_of(row)
    trail.record(
        action=f"{verb}.{action}",
        object_type=verb,
        object_id=row.public_id,
        outcome="REFUSED" if refused else "DONE",
        reason_code=row.refusal_code.upper(),
        partner_id=row.partner_id,
        customer=row.wallet.customer.public_id,
    )
    outbox.publish(
        type=_TOLD[verb, row.status],
        object_type=verb,
        object_id=row.public_id,
        partner_id=row.partner_id,
        data={
            "id": row.public_id,
            "wallet": row.wallet.public_id,
            "method": row.source.lower(),
            "amount": row.amount_minor,
            "currency": row.currency,
            "status": row.status.lower(),
            "code": row.refusal_code or None,
        },
        at=at,
    )
