"""What a partner is told about money that comes by bank transfer."""

from typing import Any

from rest_framework import serializers

from wallets.queries_incoming import FundingInstructions
from wallets.references import printed


class TransferAccountOut(serializers.Serializer[Any]):
    """Our account for customers' money, to which the transfer goes."""

    name = serializers.CharField()
    bank_name = serializers.CharField()
    iban = serializers.CharField(allow_null=True)
    account_number = serializers.CharField(allow_null=True, help_text="Where the bank has no IBAN.")
    bic = serializers.CharField(allow_null=True)
    currency = serializers.CharField()


class FundingInstructionsOut(serializers.Serializer[Any]):
    """What a customer needs to send money to a wallet from any bank."""

    object = serializers.ChoiceField(choices=["funding_instructions"])
    type = serializers.ChoiceField(choices=["bank_transfer"])
    wallet = serializers.CharField()
    currency = serializers.CharField()
    reference = serializers.CharField(help_text="ISO 11649: RF, two check digits, twelve digits.")
    virtual_iban = serializers.CharField(
        allow_null=True, help_text="An account number of this wallet alone, where a bank keeps one."
    )
    bank_account = TransferAccountOut()
    text = serializers.CharField(help_text="What to write in the transfer, to be shown to the customer.")
    created_at = serializers.DateTimeField()


def render_instructions(found: FundingInstructions) -> dict[str, Any]:
    """Return how money is sent to a wallet."""
    account, code = found.bank_account, found.reference.reference
    return {
        "object": "funding_instructions",
        "type": "bank_transfer",
        "wallet": found.wallet.public_id,
        "currency": found.wallet.currency,
        "reference": code,
        "virtual_iban": found.virtual_iban.reference if found.virtual_iban else None,
        "bank_account": {
            "name": account.name,
            "bank_name": account.bank_name,
            "iban": account.iban or None,
            "account_number": account.other_id or None,
            "bic": account.bic or None,
            "currency": account.currency,
        },
        "text": (
            f"Send {found.wallet.currency} only, and write {printed(code)} as the reference or in the text of the "
            "transfer. Without it we cannot tell whose money it is."
        ),
        "created_at": found.reference.created_at,
    }
