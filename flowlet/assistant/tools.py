"""
What the assistant may look at: the customer of the chat, and nobody else. A tool reads, takes no arguments, and shows
what the partner could read through the API; whatever the house knows beyond that has no way in here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cards.queries import list_cards, shown_status
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.core.registry import Registry
from flowlet.identity.models import Customer
from payments.choices import WIRE_STATUS, PaymentStatus
from payments.models import Payment
from payments.queries import list_payments_of_customer
from wallets.queries import wallets_of

LATEST = 5


@dataclass(frozen=True, slots=True)
class Private:
    """A value that names somebody or something of his: it leaves as a token of its kind."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Free:
    """Words that people typed: they leave only as far as everybody uses them."""

    text: str


Value = str | Private | Free
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """`read` returns rows of the chat's customer, `say` puts them into our own words; `words` of a question call it."""

    description: str
    words: frozenset[str]
    read: Callable[[Customer], Sequence[Row]]
    say: Callable[[Sequence[Row]], str]


TOOLS: Registry[Tool] = Registry("assistant.tools")


def text_of(value: Value) -> str:
    """Return a value in clear, for our own words."""
    return value if isinstance(value, str) else value.text


def _balances(customer: Customer) -> list[Row]:
    return [
        {
            "currency": wallet.currency,
            "available": Money(
                wallet.account.balance.posted - wallet.account.balance.held, wallet.currency
            ).format(),
            "status": wallet.get_status_display().lower(),
            "name": Free(wallet.name),
        }
        for wallet in wallets_of(customer.pk)
    ]


def _say_balances(rows: Sequence[Row]) -> str:
    if not rows:
        return "You have no wallet."
    return " ".join(
        f"Your {row['currency']} wallet has {row['available']} available and is {row['status']}."
        for row in rows
    )


def _payments(customer: Customer) -> list[Row]:
    return [_payment(row, customer) for row in list_payments_of_customer(customer.pk)[:LATEST]]


def _payment(payment: Payment, customer: Customer) -> Row:
    payer, payee = payment.payer_wallet, payment.payee_wallet
    out = payer is not None and payer.customer_id == customer.pk
    other = payee if out else payer
    return {
        "date": f"{payment.created_at:%-d %B %Y}",
        "direction": "out" if out else "in",
        "amount": payment.amount.format(),
        "status": WIRE_STATUS[PaymentStatus(payment.status)].replace("_", " "),
        "other_side": Private("NAME", other.customer.name) if other else "outside",
        "description": Free(payment.description),
        # What the partner was told, and no more than that.
        "reason": Free(payment.refusal_detail),
        "reference": Private("ID", payment.public_id),
    }


def _say_payments(rows: Sequence[Row]) -> str:
    if not rows:
        return "There are no payments yet."
    said = []
    for row in rows:
        way = "to" if row["direction"] == "out" else "from"
        reason = f" ({text_of(row['reason'])})" if text_of(row["reason"]) else ""
        said.append(
            f"{row['date']}: {row['amount']} {way} {text_of(row['other_side'])}, {row['status']}{reason}."
        )
    return "Your latest payments. " + " ".join(said)


def _cards(customer: Customer) -> list[Row]:
    now = clock.now()
    rows = list_cards(partner_id=customer.partner_id).filter(customer=customer)
    return [
        {
            "card": Private("CARD", f"\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET} {card.last_four}"),
            "kind": card.get_kind_display().lower(),
            "status": shown_status(card, now=now),
        }
        for card in rows
    ]


def _say_cards(rows: Sequence[Row]) -> str:
    if not rows:
        return "You have no card."
    return " ".join(f"Your {row['kind']} card {text_of(row['card'])} is {row['status']}." for row in rows)


TOOLS.register("get_balances")(
    Tool(
        description="The customer's wallets: currency, what is available, status.",
        words=frozenset(("balance", "balances", "available", "wallet", "wallets", "money", "much", "funds")),
        read=_balances,
        say=_say_balances,
    )
)
TOOLS.register("list_latest_payments")(
    Tool(
        description="The customer's five latest payments: when, which way, how much, how each stands and why.",
        words=frozenset(
            (
                *("payment", "payments", "paid", "pay", "transfer", "sent", "send", "receive", "received"),
                *("refused", "failed", "declined", "refund", "deposit", "arrived", "pending"),
            )
        ),
        read=_payments,
        say=_say_payments,
    )
)
TOOLS.register("get_cards")(
    Tool(
        description="The customer's cards: kind, last digits, status.",
        words=frozenset(("card", "cards", "frozen", "freeze", "unfreeze", "expired", "blocked")),
        read=_cards,
        say=_say_cards,
    )
)
