"""What tests of top-ups and refunds share: the worker's turns, the vendor's books, its webhooks."""

import json
from datetime import datetime, timedelta

from django.test import Client

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.integrations.events import process_due
from flowlet.integrations.tests import signers
from ledger.models.accounts import Balance
from payments.models import Payment, Refund
from payments.outside.refunds import refund_payment
from payments.outside.top_ups import create_top_up
from payments.outside.working import check_due, send_due
from wallets.models import Wallet

VISA = "pm_card_visa"


def later(seconds: float = 0) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def begin(wallet: Wallet, minor: int = 5_000, card: str = VISA, key: str | None = None) -> Payment:
    return create_top_up(
        partner_id=wallet.partner_id,
        wallet_id=wallet.public_id,
        payment_method=card,
        amount=Money(minor, wallet.currency),
        idempotency_key=key,
        now=clock.now(),
    )


def top_up(wallet: Wallet, minor: int = 5_000, card: str = VISA) -> Payment:
    payment = begin(wallet, minor, card)
    send_due(now=later())
    payment.refresh_from_db()
    return payment


def give_back(payment: Payment, minor: int | None, key: str | None = None) -> Refund:
    return refund_payment(
        partner_id=payment.partner_id,
        payment_id=payment.public_id,
        amount_minor=minor,
        idempotency_key=key,
        now=clock.now(),
    )


def work(seconds: float = 0) -> None:
    """Let the worker send and check what is due so many seconds from now."""
    send_due(now=later(seconds))
    check_due(now=later(seconds))


def clearing() -> int:
    """Return what stands on the settlement clearing, minor units."""
    rows = Balance.objects.filter(account__chart_account__code="SETTLEMENT_CLEARING")
    return sum(rows.values_list("posted", flat=True))


def vendor_events(vendors, kind: str) -> list[bytes]:
    """Return the events of one type that the vendor has in its books, as it would send them."""
    events = vendors.vendors["stripe"].books()["events"].values()
    return [json.dumps(event).encode() for event in events if event["type"] == kind]


def tell(body: bytes, **how: object) -> int:
    """Send a webhook over HTTP, signed as the vendor signs; return the status."""
    return signers.stripe(body, **how).send(Client()).status_code


def process(seconds: float = 0) -> None:
    process_due(now=later(seconds))
