"""Reads of identity."""

from django.db.models import Q, QuerySet

from flowlet.core.errors import NotFound
from flowlet.identity.models import Customer, Restriction


def get_customer(*, partner_id: int, public_id: str) -> Customer:
    """
    Return a partner's customer.

    :raises NotFound: if it is absent or another partner's
    """
    customer = Customer.objects.filter(partner_id=partner_id, public_id=public_id).first()
    if customer is None:
        raise NotFound
    return customer


def list_customers(*, partner_id: int) -> QuerySet[Customer]:
    """Return a partner's customers, newest first."""
    return Customer.objects.filter(partner_id=partner_id).order_by("-created_at", "-id")


def active_restrictions(*, customer_id: int, wallet_ref: str | None = None) -> QuerySet[Restriction]:
    """
    Return what is in force for a customer, oldest first.

    With `wallet_ref` (a wallet's public id): only what binds that wallet, the customer-wide ones included.
    """
    rows = Restriction.objects.filter(customer_id=customer_id, lifted_at__isnull=True)
    if wallet_ref is not None:
        rows = rows.filter(Q(wallet_ref="") | Q(wallet_ref=wallet_ref))
    return rows.order_by("placed_at", "id")
