"""Reads of wallets."""

from collections.abc import Collection, Mapping

from django.db.models import F, QuerySet

from flowlet.core.errors import NotFound
from flowlet.identity.models import Restriction
from ledger.choices import AccountStatus
from ledger.models.accounts import Balance
from ledger.models.holds import Hold
from wallets.choices import FreezeDirection, WalletStatus
from wallets.models import BankAccount, Deposit, Wallet, Withdrawal
from wallets.policies import WalletState

# What a frozen wallet's ledger account says of the direction.
DIRECTION_OF: dict[AccountStatus, FreezeDirection] = {
    AccountStatus.FROZEN: FreezeDirection.BOTH,
    AccountStatus.NO_OUT: FreezeDirection.OUT,
    AccountStatus.NO_IN: FreezeDirection.IN,
}


def get_wallet(*, partner_id: int, public_id: str) -> Wallet:
    """
    Return a partner's wallet with its customer and balance.

    :raises NotFound: if it is absent or another partner's
    """
    wallet = (
        Wallet.objects.filter(partner_id=partner_id, public_id=public_id)
        .select_related("customer", "account__balance")
        .first()
    )
    if wallet is None:
        raise NotFound
    return wallet


def get_wallet_with_balance(*, partner_id: int, public_id: str) -> Wallet:
    """
    Return a partner's wallet with `wallet.account.balance`, in one query.

    :raises NotFound: if it is absent or another partner's
    """
    rows = Wallet.objects.filter(partner_id=partner_id, public_id=public_id)
    wallet = rows.select_related("account__balance").first()
    if wallet is None:
        raise NotFound
    return wallet


def list_wallets(*, partner_id: int) -> QuerySet[Wallet]:
    """Return a partner's wallets with their customers and balances, newest first."""
    rows = Wallet.objects.filter(partner_id=partner_id).select_related("customer", "account__balance")
    return rows.order_by("-created_at", "-id")


def get_bank_account(*, partner_id: int, public_id: str) -> BankAccount:
    """
    Return a partner's bank account with its customer.

    :raises NotFound: if it is absent or another partner's
    """
    rows = BankAccount.objects.filter(partner_id=partner_id, public_id=public_id)
    account = rows.select_related("customer").first()
    if account is None:
        raise NotFound
    return account


def list_bank_accounts(*, partner_id: int) -> QuerySet[BankAccount]:
    """Return a partner's bank accounts with their customers, newest first."""
    rows = BankAccount.objects.filter(partner_id=partner_id).select_related("customer")
    return rows.order_by("-created_at", "-id")


def list_deposits(*, partner_id: int) -> QuerySet[Deposit]:
    """Return a partner's deposits, newest first."""
    rows = Deposit.objects.filter(partner_id=partner_id).select_related(
        "wallet", "bank_account", "transaction", "incoming__reference", "incoming__line"
    )
    return rows.order_by("-created_at", "-id")


def list_withdrawals(*, partner_id: int) -> QuerySet[Withdrawal]:
    """Return a partner's withdrawals, newest first."""
    rows = Withdrawal.objects.filter(partner_id=partner_id)
    rows = rows.select_related("wallet", "bank_account", "transaction")
    return rows.order_by("-created_at", "-id")


def get_states(wallets: Collection[Wallet]) -> dict[int, WalletState]:
    """
    Return what decides on each wallet's money, by the wallet's key; one query for all, two if one is frozen.

    A freeze in one direction binds as a restriction would. Call it while the customers are locked: then no restriction
    can come or go until the transaction ends.
    """
    found: dict[int, set[str]] = {wallet.pk: set() for wallet in wallets}
    customers = {wallet.customer_id for wallet in wallets}
    rows = Restriction.objects.filter(customer_id__in=customers, lifted_at__isnull=True)
    for customer_id, wallet_ref, kind in rows.values_list("customer_id", "wallet_ref", "kind"):
        for wallet in wallets:
            if wallet.customer_id == customer_id and wallet_ref in ("", wallet.public_id):
                found[wallet.pk].add(kind)
    half = _frozen_by_half(wallets)
    for wallet in wallets:
        found[wallet.pk] |= half.get(wallet.pk, set())
    return {
        wallet.pk: WalletState(
            wallet.public_id,
            WalletStatus.ACTIVE if wallet.pk in half else wallet.status,
            frozenset(found[wallet.pk]),
        )
        for wallet in wallets
    }


def _frozen_by_half(wallets: Collection[Wallet]) -> dict[int, set[str]]:
    """Return the one direction that frozen wallets are frozen in, by key; those frozen in both are not among them."""
    frozen = {wallet.account_id: wallet.pk for wallet in wallets if wallet.status == WalletStatus.FROZEN}
    if not frozen:
        return {}
    rows = Balance.objects.filter(pk__in=frozen, status__in=(AccountStatus.NO_OUT, AccountStatus.NO_IN))
    return {frozen[account_id]: {status} for account_id, status in rows.values_list("pk", "status")}


def get_hold(*, partner_id: int, public_id: str) -> Hold:
    """
    Return a hold of one of a partner's wallets, whoever placed it, with its state and wallet.

    :raises NotFound: if it is absent or another partner's
    """
    rows = Hold.objects.filter(public_id=public_id, account__wallet__partner_id=partner_id)
    hold = rows.select_related("state", "account__wallet").first()
    if hold is None:
        raise NotFound
    return hold


def frozen_direction(wallet: Wallet) -> str:
    """Return what a freeze of the wallet stops (BOTH, OUT, IN), or ''; reads its balance unless it was selected."""
    if wallet.status != WalletStatus.FROZEN:
        return ""
    return DIRECTION_OF[AccountStatus(wallet.account.balance.status)]


def names_of_accounts(account_ids: Collection[int]) -> Mapping[int, str]:
    """Return whose wallet stands behind each ledger account; accounts without a wallet are left out."""
    rows = Wallet.objects.filter(account_id__in=account_ids)
    return dict(rows.values_list("account_id", "customer__name"))


def wallets_of(customer_id: int) -> QuerySet[Wallet]:
    """Return a customer's wallets with their balances, open ones first, then by currency."""
    rows = Wallet.objects.filter(customer_id=customer_id).select_related("account__balance")
    return rows.order_by(F("closed_at").asc(nulls_first=True), "currency", "id")


def open_currencies(customer_id: int) -> set[str]:
    """Return the currencies in which a customer has a wallet that is not closed."""
    rows = Wallet.objects.filter(customer_id=customer_id, closed_at__isnull=True)
    return set(rows.values_list("currency", flat=True))
