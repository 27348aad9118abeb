"""The smallest valid objects of cards."""

from datetime import UTC, datetime
from itertools import count

from cards.choices import CardKind, EventKind
from cards.models.authorizations import CardAuthorization, NetworkEvent
from cards.models.issuing import Card
from cards.operations.authorizing import Asked, authorize
from cards.operations.following import Message, take_message
from cards.operations.issuing import issue_card
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from ledger.queries.balances import AccountBalance, get_balance
from ledger.tests.factories import fund
from wallets.operations.wallets import open_wallet

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
_numbers = count(1)


def make_card(customer: Customer, *, minor: int = 100_000, kind: CardKind = CardKind.VIRTUAL) -> Card:
    """A card on a new EUR wallet that holds `minor`; the customer's tier is PLUS."""
    Customer.objects.filter(pk=customer.pk).update(tier="PLUS")
    wallet = open_wallet(
        customer_id=customer.pk, currency="EUR", name="Card", purpose=f"CARD_{next(_numbers)}", now=NOW
    )
    if minor:
        fund(wallet.account, minor)
    return issue_card(wallet_id=wallet.pk, kind=kind, now=NOW)


def asked(minor: int, **changes: object) -> Asked:
    """A purchase online at a bookshop in the customer's country."""
    values: dict[str, object] = {
        "network_reference": f"net-{next(_numbers):06d}",
        "amount": Money(minor, "EUR"),
        "merchant_amount": Money(minor, "EUR"),
        "merchant_name": "Corner Books",
        "mcc": "5942",
        "country": "NO",
        "channel": "ECOMMERCE",
        "network_time": NOW,
        **changes,
    }
    return Asked(**values)  # type: ignore[arg-type]


def pay(card: Card, minor: int, *, now: datetime = NOW, **changes: object) -> CardAuthorization:
    return authorize(card_id=card.pk, asked=asked(minor, **changes), now=now)


def told(
    card: Card,
    kind: str,
    minor: int,
    *,
    of: CardAuthorization | None = None,
    now: datetime = NOW,
    **changes: object,
) -> NetworkEvent:
    """A message of the network about an authorisation, or about none."""
    values: dict[str, object] = {
        "kind": EventKind(kind),
        "reference": f"arn-{next(_numbers):06d}",
        "network_reference": of.network_reference if of else "",
        "amount": Money(minor, "EUR"),
        "network_time": now,
        **changes,
    }
    return take_message(card_id=card.pk, message=Message(**values), now=now)  # type: ignore[arg-type]


def balance(card: Card) -> AccountBalance:
    return get_balance(card.wallet.account_id)
