"""What wallets know of deposits and withdrawals when a bank's statement is matched with them."""

from collections.abc import Collection, Mapping

from django.urls import reverse

from ledger.reconciliation.facts import ITEM_FACTS, ItemFacts, iban_key
from wallets.models import BankAccount, Deposit, Withdrawal


def _facts(
    model: type[Deposit] | type[Withdrawal], title: str, keys: Collection[str]
) -> Mapping[str, ItemFacts]:
    rows = list(
        model.objects.filter(public_id__in=keys).values_list(
            "public_id", "bank_account_id", "wallet__customer__name"
        )
    )
    # Each account is decrypted once, however many movements it has.
    ibans = {
        pk: iban_key(iban)
        for pk, iban in BankAccount.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "iban")
    }
    page = f"admin:wallets_{title.lower()}_change"
    return {
        public_id: ItemFacts(
            iban=ibans.get(account_id, ""),
            name=name,
            title=f"{title} of {name}",
            href=reverse(page, args=[public_id]),
        )
        for public_id, account_id, name in rows
    }


@ITEM_FACTS.register("deposit")
def deposits(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these deposits."""
    return _facts(Deposit, "Deposit", keys)


@ITEM_FACTS.register("withdrawal")
def withdrawals(keys: Collection[str]) -> Mapping[str, ItemFacts]:
    """Return what is known of these withdrawals."""
    return _facts(Withdrawal, "Withdrawal", keys)
