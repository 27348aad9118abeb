"""Bodies, query strings and answers of the wallet resources."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from flowlet.core.money import MINOR_MAX, Money
from flowlet.gateway.fields import (
    AmountField,
    CountField,
    CurrencyField,
    IdField,
    InstantField,
    TextField,
    WordField,
)
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from flowlet.identity.choices import Tier
from flowlet.identity.models import Customer
from ledger.models.transactions import Posting
from ledger.queries.history import BalanceAt
from wallets.choices import (
    BankAccountStatus,
    Execution,
    FreezeDirection,
    LimitInterval,
    LimitKind,
    MoneySource,
    MonitorSide,
    MovementStatus,
    WalletStatus,
)
from wallets.limits import Limit
from wallets.models import BalanceMonitor, BankAccount, Deposit, Movement, Wallet
from wallets.queries import frozen_direction

BANK_BALANCE_MAX = 10**12
PARTNER_REASONS = ("CUSTOMER_REQUEST", "LOST_ACCESS", "SUSPECTED_FRAUD")


class PurposeField(TextField):
    """A code in capitals: letters, digits, underscores."""

    default_error_messages = {"invalid_code": "Use capital letters, digits and underscores, such as SAVINGS."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the code.

        :raises ValidationError: if it holds something else
        """
        text = super().to_internal_value(data)
        if not (
            text.isascii() and text.replace("_", "A").isalnum() and text == text.upper() and text[0].isalpha()
        ):
            self.fail("invalid_code")
        return text


class WalletIn(StrictSerializer):
    """A new wallet."""

    customer = IdField(prefix="cus", help_text="Whose it will be.")
    currency = CurrencyField()
    name = TextField(required=False, max_length=80, help_text="Shown to people.")
    purpose = PurposeField(required=False, max_length=40, help_text="One open wallet each. Default MAIN.")


class WalletQuery(ListQuery):
    """Filters of the list of wallets."""

    customer = IdField(prefix="cus", required=False)
    currency = CurrencyField(required=False)
    status = WordField(codes=WalletStatus.values, required=False)


class FreezeIn(StrictSerializer):
    """Why a wallet is frozen."""

    reason = WordField(codes=PARTNER_REASONS)
    direction = WordField(
        codes=FreezeDirection.values,
        default="BOTH",
        help_text="What is to stop. Freezing again in another direction changes a freeze of your own.",
    )
    note = TextField(required=False, lines=True, max_length=500, help_text="For our staff and yours.")


class CloseIn(StrictSerializer):
    """A word about why a wallet is closed."""

    note = TextField(required=False, lines=True, max_length=500, help_text="For our staff and yours.")


class UnfreezeIn(StrictSerializer):
    """Why a wallet may be used again."""

    note = TextField(required=False, lines=True, max_length=500, help_text="For our staff and yours.")


class WalletOut(serializers.Serializer[Any]):
    """A wallet."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["wallet"])
    customer = serializers.CharField()
    currency = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    purpose = serializers.CharField()
    status = serializers.ChoiceField(choices=[code.lower() for code in WalletStatus.values])
    frozen_direction = serializers.ChoiceField(
        choices=[code.lower() for code in FreezeDirection.values],
        allow_null=True,
        help_text="What a freeze stops; null if there is none.",
    )
    created_at = serializers.DateTimeField()


class BalanceQuery(StrictSerializer):
    """Of when a balance is asked."""

    reads_query = True
    at = InstantField(
        required=False, help_text="What was booked by this instant (RFC 3339), however long ago; default now."
    )


class BalanceOut(serializers.Serializer[Any]):
    """What a wallet holds, in minor units."""

    object = serializers.ChoiceField(choices=["balance"])
    wallet = serializers.CharField()
    currency = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="The instant asked for; null for now.")
    posted = serializers.IntegerField(help_text="Booked.")
    held = serializers.IntegerField(help_text="Set aside, part of posted.")
    available = serializers.IntegerField(help_text="What can be spent: posted minus held.")
    pending = serializers.IntegerField(help_text="Announced, not booked yet.")
    owed = serializers.IntegerField(help_text="What the wallet could not pay; the next money in repays it.")
    entries = serializers.IntegerField(help_text="How many entries made this balance.")


class TransactionQuery(ListQuery):
    """The list of entries is narrowed by page only."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return limit and cursor: entries are in booking order, not in that of the clock."""
        fields = super().get_fields()
        return {name: fields[name] for name in ("limit", "cursor")}


class TransactionOut(serializers.Serializer[Any]):
    """One entry of a wallet's history."""

    id = serializers.CharField(help_text="The ledger transaction.")
    object = serializers.ChoiceField(choices=["wallet_transaction"])
    sequence = serializers.IntegerField(help_text="1, 2, 3 … without gaps.")
    kind = serializers.CharField()
    cause = serializers.CharField(help_text="The payment, deposit or withdrawal behind it.")
    amount = serializers.IntegerField(help_text="Minor units; money in is positive.")
    currency = serializers.CharField()
    balance_after = serializers.IntegerField()
    description = serializers.CharField()
    effective_date = serializers.DateField()
    posted_at = serializers.DateTimeField()


class BankAccountIn(StrictSerializer):
    """An account at the sandbox's built-in bank."""

    customer = IdField(prefix="cus")
    iban = TextField(max_length=60)
    currency = CurrencyField()
    balance = CountField(
        minimum=0,
        maximum=BANK_BALANCE_MAX,
        required=False,
        help_text="What the bank holds at first, minor units. Default 1000000. A deposit above it is declined.",
    )


class BankAccountOut(serializers.Serializer[Any]):
    """A bank account; the number itself is not given out again."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["bank_account"])
    customer = serializers.CharField()
    last_four = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    balance = serializers.IntegerField(help_text="What the built-in bank holds, minor units.")
    status = serializers.ChoiceField(choices=[code.lower() for code in BankAccountStatus.values])
    created_at = serializers.DateTimeField()


class CustomerQuery(ListQuery):
    """Filters of the list of bank accounts."""

    customer = IdField(prefix="cus", required=False)


class MovementIn(StrictSerializer):
    """Money between a wallet and a bank account of its customer, or cash at an agent of the partner."""

    wallet = IdField(prefix="wal")
    method = WordField(
        codes=[MoneySource.BANK, MoneySource.CASH],
        default="BANK",
        help_text="Bank account or cash. Bank transfers come by themselves: see funding instructions.",
    )
    bank_account = IdField(prefix="ba", required=False, help_text="Needed unless `method` is cash.")
    location = TextField(
        required=False, max_length=80, help_text="For cash: the branch or till, as your records name it."
    )
    amount = AmountField(help_text="Minor units.")
    currency = CurrencyField()
    execution = WordField(
        codes=Execution.values,
        default="INSTANT",
        help_text="At once, or with the next run: until then the money is held (or announced) and you may cancel. Bank only.",
    )


class MonitorIn(StrictSerializer):
    """A line to be told about when the booked balance crosses it."""

    side = WordField(codes=MonitorSide.values, help_text="Falls below it, or rises to or above it.")
    threshold = serializers.IntegerField(
        min_value=-MINOR_MAX, max_value=MINOR_MAX, help_text="Minor units of the wallet's currency."
    )


class MonitorOut(serializers.Serializer[Any]):
    """A balance monitor."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["balance_monitor"])
    wallet = serializers.CharField()
    side = serializers.ChoiceField(choices=[code.lower() for code in MonitorSide.values])
    threshold = serializers.IntegerField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class MovementQuery(ListQuery):
    """Filters of the lists of deposits and withdrawals."""

    wallet = IdField(prefix="wal", required=False)
    status = WordField(codes=MovementStatus.values, required=False)


class FailureOut(serializers.Serializer[Any]):
    """Why no money moved."""

    code = serializers.CharField()
    detail = serializers.CharField()


class MovementOut(serializers.Serializer[Any]):
    """A deposit or withdrawal."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["deposit", "withdrawal"])
    wallet = serializers.CharField()
    method = serializers.ChoiceField(choices=[code.lower() for code in MoneySource.values])
    bank_account = serializers.CharField(allow_null=True)
    location = serializers.CharField(allow_null=True)
    reference = serializers.CharField(
        allow_null=True, help_text="For a bank transfer: the reference it carried."
    )
    sender_name = serializers.CharField(
        allow_null=True, help_text="For a bank transfer: who sent it, as the bank says."
    )
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=[code.lower() for code in MovementStatus.values])
    failure = FailureOut(allow_null=True)
    transaction = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class LimitOut(serializers.Serializer[Any]):
    """One limit, in minor units."""

    kind = serializers.ChoiceField(choices=[code.lower() for code in LimitKind.values])
    interval = serializers.ChoiceField(choices=[code.lower() for code in LimitInterval.values])
    currency = serializers.CharField()
    limit = serializers.IntegerField()
    used = serializers.IntegerField(help_text="Moved in this day or month; for balance: held now.")
    left = serializers.IntegerField(help_text="What would still pass.")


class LimitsOut(serializers.Serializer[Any]):
    """The limits of a customer."""

    object = serializers.ChoiceField(choices=["limits"])
    customer = serializers.CharField()
    tier = serializers.ChoiceField(choices=[code.lower() for code in Tier.values])
    limits = LimitOut(many=True)


def render_limits(customer: Customer, limits: Iterable[Limit]) -> dict[str, Any]:
    """Return the limits of a customer."""
    return {
        "object": "limits",
        "customer": customer.public_id,
        "tier": customer.tier.lower(),
        "limits": [
            {
                "kind": limit.kind.lower(),
                "interval": limit.interval.lower(),
                "currency": limit.limit.currency,
                "limit": limit.limit.minor,
                "used": limit.used.minor,
                "left": limit.left.minor,
            }
            for limit in limits
        ],
    }


def render_wallet(wallet: Wallet) -> dict[str, Any]:
    """Return a wallet as its partner sees it: who froze it stays inside."""
    return {
        "id": wallet.public_id,
        "object": "wallet",
        "customer": wallet.customer.public_id,
        "currency": wallet.currency,
        "name": wallet.name or None,
        "purpose": wallet.purpose,
        "status": wallet.status.lower(),
        "frozen_direction": frozen_direction(wallet).lower() or None,
        "created_at": wallet.created_at,
    }


def render_balance(wallet: Wallet, owed: Money | None) -> dict[str, Any]:
    """Return what a wallet holds now; it was read with its balance."""
    balance = wallet.account.balance
    return {
        "object": "balance",
        "wallet": wallet.public_id,
        "currency": wallet.currency,
        "at": None,
        "posted": balance.posted,
        "held": balance.held,
        "available": balance.posted - balance.held,
        "pending": balance.pending_in,
        "owed": owed.minor if owed else 0,
        "entries": balance.seq,
    }


def render_balance_at(wallet: Wallet, balance: BalanceAt) -> dict[str, Any]:
    """Return what a wallet held at an instant."""
    return {
        "object": "balance",
        "wallet": wallet.public_id,
        "currency": wallet.currency,
        "at": balance.at,
        "posted": balance.posted.minor,
        "held": balance.held.minor,
        "available": balance.posted.minor - balance.held.minor,
        "pending": balance.pending.minor,
        "owed": balance.owed.minor,
        "entries": balance.seq,
    }


def render_bank_account(account: BankAccount) -> dict[str, Any]:
    """Return a bank account without its number."""
    return {
        "id": account.public_id,
        "object": "bank_account",
        "customer": account.customer.public_id,
        "last_four": account.last_four,
        "country": account.country,
        "currency": account.currency,
        "balance": account.balance_minor,
        "status": account.status.lower(),
        "created_at": account.created_at,
    }


def render_movement(row: Movement) -> dict[str, Any]:
    """Return a deposit or withdrawal."""
    refused = row.status == MovementStatus.REFUSED
    came = row.incoming if isinstance(row, Deposit) and row.source == MoneySource.TRANSFER else None
    return {
        "id": row.public_id,
        "object": row._meta.model_name,  # noqa: SLF001 - Django's documented model API
        "wallet": row.wallet.public_id,
        "method": row.source.lower(),
        "bank_account": row.bank_account.public_id if row.bank_account else None,
        "location": row.location or None,
        "reference": came.reference.reference if came else None,
        "sender_name": (came.line.counterparty_name or None) if came else None,
        "amount": row.amount_minor,
        "currency": row.currency,
        "status": row.status.lower(),
        "failure": {"code": row.refusal_code, "detail": row.refusal_detail} if refused else None,
        "transaction": row.transaction.public_id if row.transaction else None,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def render_monitor(row: BalanceMonitor) -> dict[str, Any]:
    """Return a balance monitor; needs `wallet` selected."""
    return {
        "id": row.public_id,
        "object": "balance_monitor",
        "wallet": row.wallet.public_id,
        "side": row.side.lower(),
        "threshold": row.threshold_minor,
        "currency": row.wallet.currency,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def render_entry(posting: Posting, *, sign: int) -> dict[str, Any]:
    """Return one entry of a history; `sign` is that of the account, so that money in reads positive."""
    header = posting.transaction
    text = getattr(header, "text", None)
    return {
        "id": header.public_id,
        "object": "wallet_transaction",
        "sequence": posting.account_seq,
        "kind": header.kind.lower(),
        "cause": header.source_key,
        "amount": sign * posting.amount,
        "currency": posting.currency,
        "balance_after": posting.balance_after,
        "description": text.text if text is not None else "",
        "effective_date": posting.effective_date,
        "posted_at": posting.posted_at,
    }
