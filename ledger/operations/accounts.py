"""Opening accounts, and what may be changed about them: status and floor."""

from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.currencies import exponent
from flowlet.core.errors import FieldError, InvalidInput, NotFound
from flowlet.core.locks import lock
from flowlet.core.money import Money
from ledger.choices import AccountStatus
from ledger.errors import AccountExists, InsufficientFunds
from ledger.models.accounts import Account, Balance, ChartAccount
from ledger.operations.posting import repay
from ledger.operations.refusals import refusals


@transaction.atomic
def open_account(
    *,
    chart_code: str,
    currency: str,
    partner_id: int | None = None,
    customer_id: int | None = None,
    name: str = "",
    floor_minor: int | None = 0,
    now: datetime,
) -> Account:
    """
    Open an account under a heading of the chart (`CUSTOMER_WALLETS`), with a balance of zero.

    `floor_minor` is the lowest available balance in minor units: 0, below it an overdraft, None for no floor at all.

    :raises UnknownCurrency: if the currency is not in ISO 4217
    :raises InvalidInput: if there is no such heading, or the floor is above zero
    :raises AccountExists: if it has neither customer nor name, and the house has one such account
    """
    exponent(currency)
    if floor_minor is not None and floor_minor > 0:
        raise _invalid("/floor_minor", "too_large", "A new account is empty: its floor cannot be above zero.")
    chart_account = _chart_account(chart_code)
    with refusals():
        account = Account.objects.create(
            chart_account=chart_account,
            currency=currency,
            partner_id=partner_id,
            customer_id=customer_id,
            name=name,
            opened_at=now,
        )
    # The database has made the balance row, with floor 0.
    if floor_minor != 0:
        Balance.objects.filter(pk=account.pk).update(floor=floor_minor)
    trail.record(
        action="ledger_account.open",
        object_type="ledger_account",
        object_id=account.public_id,
        changes={
            "chart_account": [None, chart_code],
            "currency": [None, currency],
            "floor": [None, floor_minor],
        },
        partner_id=partner_id,
    )
    return account


def house_account(*, chart_code: str, currency: str, partner_id: int | None = None, now: datetime) -> Account:
    """
    Return the house's own account under that heading, opened on first use, without floor.

    With `partner_id` it is the house's account for that partner.

    :raises UnknownCurrency: if the currency is not in ISO 4217
    :raises InvalidInput: if there is no such heading
    """
    unnamed = Account.objects.filter(
        chart_account__code=chart_code, currency=currency, customer=None, name=""
    )
    wanted = unnamed.filter(partner=None) if partner_id is None else unnamed.filter(partner_id=partner_id)
    found = wanted.first()
    if found is not None:
        return found
    try:
        return open_account(
            chart_code=chart_code, currency=currency, partner_id=partner_id, floor_minor=None, now=now
        )
    except AccountExists:
        # Somebody else opened it meanwhile; the savepoint of open_account has undone ours.
        return wanted.get()


@transaction.atomic
def set_status(*, account_id: int, status: AccountStatus, now: datetime) -> None:
    """
    Let money move on the account in both directions, one, or none; CLOSED is final.

    What it owes is repaid as soon as money may leave it.

    :raises NotFound: if there is no such account
    :raises AccountNotEmpty: if it is to be closed and still holds, expects or owes money
    :raises AccountNotOpen: if it is closed
    """
    balance = _locked_balance(account_id)
    if balance.status == status:
        return
    with refusals():
        Balance.objects.filter(pk=account_id).update(status=status)
    cause = _record_change(account_id, "ledger_account.set_status", "status", balance.status, str(status))
    repay(account_ids=[account_id], cause=cause, now=now)


@transaction.atomic
def set_floor(*, account_id: int, floor_minor: int | None, now: datetime) -> None:
    """
    Set the lowest available balance, in minor units; None for no floor. What it owes is repaid from a lower one.

    :raises NotFound: if there is no such account
    :raises InsufficientFunds: if less than that is available now
    """
    balance = _locked_balance(account_id)
    available = balance.posted - balance.held
    if floor_minor is not None and available < floor_minor:
        raise InsufficientFunds(
            available=Money(available, balance.currency), requested=Money(floor_minor, balance.currency)
        )
    Balance.objects.filter(pk=account_id).update(floor=floor_minor)
    cause = _record_change(account_id, "ledger_account.set_floor", "floor", balance.floor, floor_minor)
    repay(account_ids=[account_id], cause=cause, now=now)


def _locked_balance(account_id: int) -> Balance:
    try:
        return lock(Balance.objects.filter(pk=account_id)).get()
    except Balance.DoesNotExist:
        raise NotFound from None


def _record_change(account_id: int, action: str, field: str, before: object, after: object) -> str:
    """Record it and return a name for what was recorded."""
    account = Account.objects.get(pk=account_id)
    number = trail.record(
        action=action,
        object_type="ledger_account",
        object_id=account.public_id,
        changes={field: [before, after]},
        partner_id=account.partner_id,
    )
    return f"{account.public_id}:{number}"


def _chart_account(code: str) -> ChartAccount:
    try:
        return ChartAccount.objects.get(code=code)
    except ChartAccount.DoesNotExist:
        raise _invalid(
            "/chart_code", "unknown", "There is no such heading in the chart of accounts."
        ) from None


def _invalid(pointer: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(pointer, code, detail),))
