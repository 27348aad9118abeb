"""What tests of payments from and to outside share: people, the worker's turns, the vendor's books, its webhooks."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.identity.models import Customer, Partner
from flowlet.identity.operations import create_customer
from flowlet.integrations.events import process_due
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.tests import signers
from ledger.models.accounts import Balance
from ledger.models.holds import HoldState
from ledger.queries.balances import get_balance
from payments.models import Payment, Refund
from payments.outside.payouts import create_payout
from payments.outside.refunds import refund_payment
from payments.outside.top_ups import create_top_up
from payments.outside.working import check_due, send_due
from wallets.models import BankAccount, Wallet
from wallets.tests.factories import NOW

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


def make_business(partner: Partner, name: str = "Fjord Travel AS", tier: str = "STANDARD") -> Customer:
    return create_customer(
        partner_id=partner.pk, kind="BUSINESS", legal_name=name, country="NO", tier=tier, now=NOW
    )


def pay_out(wallet: Wallet, account: BankAccount, minor: int = 4_000, **given: Any) -> Payment:
    """Begin a payout of so much; nothing is sent yet."""
    return create_payout(
        partner_id=wallet.partner_id,
        wallet_id=wallet.public_id,
        bank_account_id=account.public_id,
        amount=Money(minor, wallet.currency),
        now=clock.now(),
        **given,
    )


def held(wallet: Wallet) -> int:
    """Return what is set aside on the wallet, minor units."""
    return get_balance(wallet.account_id).held.minor


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


def sent(vendors):
    """Return the payouts in the vendor's books, by their id."""
    return vendors.vendors["stripe"].books()["payouts"]


def let_pass(vendors, seconds):
    """Let the bank do in the simulated world what is due by then."""
    vendors.world.advance(seconds)
    vendors.run_due()


def hang(vendors, do="hang_after_effect", **match):
    """Let something go wrong with payouts: by default the first one only."""
    match = {"vendor": "stripe", "method": "POST", "path": "/v1/payouts", **(match or {"nth": [1]})}
    vendors.faults.plans = [Plan(do, match, 3)]


def told(payment):
    """Return the types of the events of a payment, in order."""
    rows = Event.objects.filter(object_id=payment.public_id).order_by("pk")
    return list(rows.values_list("type", flat=True))


def hold_status(payment):
    """Return what has become of the payment's hold."""
    return HoldState.objects.get(pk=Payment.objects.get(pk=payment.pk).hold_id).status
