"""What wallets know of deposits and withdrawals when a bank's statement is matched; lines that name a wallet."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from ledger.reconciliation.claims import LINE_CLAIMS
from ledger.reconciliation.facts import ITEM_FACTS, ItemFacts, iban_key
from wallets.models import Deposit, Withdrawal
from wallets.models_incoming import IncomingTransfer
from wallets.operations.incoming import claim_lines

LINE_CLAIMS.register("wallets.incoming")(claim_lines)


def _facts(
    model: type[Deposit] | type[Withdrawal], title: str, keys: Collection[str]
) -> Mapping[str, ItemFacts]:
    rows = model.objects.filter(public_id__in=keys).select_related("bank_account", "wallet__customer")
    # Each account is decrypted once, however many movements it has.
    ibans: dict[int | None, str] = {None: ""}
    for row in rows:
        if row.bank_account is not None and row.bank_account_id not in ibans:
            ibans[row.bank_account_id] = iban_key(row.bank_account.iban)
    senders = _senders(keys) if model is Deposit else {}
    page = f"admin:wallets_{title.lower()}_change"
    return {
        row.public_id: ItemFacts(
            iban=senders.get(row.pk) or ibans[row.bank_account_id],
            name=row.wallet.customer.name,
            title=f"{title} of {row.wallet.customer.name}",
            href=reverse(page, args=[row.public_id]),
        )
        for row in rows
    }


def _senders(keys: Collection[str]) -> Mapping[int, str]:
    """Return who sent what came by a reference: wanted again where a match was undone."""
    rows = IncomingTransfer.objects.filter(
        deposit__public_id__in=keys, line__counterparty_index__isnull=False
    )
    return {
        deposit_id: bytes(index).hex()
        for deposit_id, index in rows.values_list("deposit_id", "line__counterparty_index")
        if index is not None
    }


@ITEM_FACTS.register("deposit")
def deposits(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these deposits."""
    return _facts(Deposit, "Deposit", keys)


@ITEM_FACTS.register("withdrawal")
def withdrawals(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these withdrawals."""
    return _facts(Withdrawal, "Withdrawal", keys)
