"""Locking a card the one way in which every act on cards locks it."""

from cards.models.issuing import Card
from flowlet.core.locks import lock
from flowlet.identity.models import Customer
from wallets.models import Wallet


def lock_card(card_id: int) -> Card:
    """Lock customer, wallet and card in the house's order and return the card, whatever its state."""
    customer_id, wallet_id = Card.objects.values_list("customer_id", "wallet_id").get(pk=card_id)
    list(lock(Customer.objects.filter(pk=customer_id)).values_list("pk"))
    list(lock(Wallet.objects.filter(pk=wallet_id)).values_list("pk"))
    rows = lock(Card.objects.filter(pk=card_id)).select_related("customer", "wallet__customer", "programme")
    return rows.get()
