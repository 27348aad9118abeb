"""Reads of references for incoming transfers, and of what came by them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from ledger.models.reconciliation import BankLine, HouseBankAccount
from wallets.choices import ReferenceKind, ReferenceState, WalletStatus
from wallets.errors import NoClientMoneyAccount, NoReference, WalletClosed
from wallets.models import Wallet
from wallets.models_incoming import IncomingReference, IncomingTransfer


@dataclass(frozen=True, slots=True)
class FundingInstructions:
    """What a customer needs to send money to a wallet: our bank account, and what the transfer has to carry."""

    wallet: Wallet
    reference: IncomingReference
    bank_account: HouseBankAccount
    virtual_iban: IncomingReference | None


def funding_instructions(wallet: Wallet) -> FundingInstructions:
    """
    Return how money is sent to a wallet.

    :raises WalletClosed: if it is closed
    :raises NoReference: if it has no active code
    :raises NoClientMoneyAccount: if we have no account for customers' money in its currency
    """
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)
    active = {row.kind: row for row in wallet.references.filter(state=ReferenceState.ACTIVE)}
    if (code := active.get(ReferenceKind.CODE)) is None:
        raise NoReference(wallet=wallet.public_id)
    account = client_money_account(wallet.currency)
    return FundingInstructions(wallet, code, account, active.get(ReferenceKind.IBAN))


def client_money_account(currency: str) -> HouseBankAccount:
    """
    Return the account for customers' money in a currency, the oldest if there are several.

    :raises NoClientMoneyAccount: if there is none
    """
    account = HouseBankAccount.objects.filter(client_money=True, currency=currency).order_by("pk").first()
    if account is None:
        raise NoClientMoneyAccount(currency=currency)
    return account


def list_references(wallet_id: int) -> QuerySet[IncomingReference]:
    """Return a wallet's references, newest first."""
    return IncomingReference.objects.filter(wallet_id=wallet_id).order_by("-created_at", "-id")


def references_named(codes: Collection[str]) -> Mapping[str, IncomingReference]:
    """Return the references of these codes (capitals, no blanks) with their wallets, retired ones too."""
    rows = IncomingReference.objects.filter(reference__in=codes).select_related("wallet__customer")
    return {row.reference: row for row in rows}


def credited_lines(line_ids: Collection[int]) -> set[int]:
    """Return which of these lines of banks were credited to a wallet before."""
    return set(IncomingTransfer.objects.filter(line_id__in=line_ids).values_list("line_id", flat=True))


def find_transfer(line: BankLine) -> IncomingTransfer | None:
    """Return what was credited of a line, with deposit, wallet and customer, or None."""
    rows = IncomingTransfer.objects.filter(line=line)
    return rows.select_related("deposit__wallet__customer", "reference").first()
