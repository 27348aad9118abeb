"""
What came through vendors in the demo: linked banks with deposits, text messages, support chats.

All of it goes through the operations of the house and over HTTP to the simulators, which run inside this process for
the time being: `make run` starts the real ones only after the data is there.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from flowlet.assistant.operations import ask, open_chat
from flowlet.core.ids import new_id
from flowlet.core.messages import DeliveryReport, DeliveryState
from flowlet.core.money import Money
from flowlet.identity.models import Customer, Partner
from flowlet.integrations import links
from flowlet.integrations.openai.simulator import OpenAISimulator
from flowlet.integrations.plaid.client import create_sandbox_public_token
from flowlet.integrations.plaid.simulator import PlaidSimulator
from flowlet.integrations.simulation.server import Simulation
from flowlet.notifications.choices import MessageStatus
from flowlet.notifications.models import Message
from flowlet.notifications.operations import queue_sms, receive_report, send_due
from flowlet.notifications.settings import change_settings
from flowlet.settings.vendors import read_vendors
from payments.models import Payment
from payments.outside.top_ups import create_top_up
from payments.outside.transfers import read_events
from payments.outside.working import send_due as send_attempts
from wallets.models import Wallet
from wallets.operations.wallets import open_wallet

_BANKS = ("ins_109508", "ins_109509")
_DEPOSITS = (25_000, 60_000, 12_500, 180_000, 40_000, 9_900)
_MESSAGES = 40
# Question, and what the model says; None is answered from a template.
_CHATS: tuple[tuple[tuple[str, str | None], ...], ...] = (
    (("How much money do I have?", None), ("And my latest payments?", None)),
    (("My phone was stolen, what now?", None),),
    (
        (
            "Can I get my money back from a shop that never sent the order?",
            (
                "Ask the shop for a refund first; it goes back the way the money came. If the shop does not answer, "
                "write to support and name the payment."
            ),
        ),
    ),
    (
        (
            "Why does my deposit take so long?",
            "A deposit from a bank takes a day or two until the bank has booked it.",
        ),
        (
            "Can you make it faster?",
            "No, the bank decides how fast it books. You are told when it has arrived.",
        ),
    ),
    (("Bitte auf Deutsch: wo ist mein Geld?", None),),
)


def fill(*, now: datetime) -> None:
    """
    Add linked banks, deposits, messages and chats to customers that are there; about four seconds.

    With the journal of the simulators that will run (`VENDOR_JOURNAL`), they go on from here: the linked banks are theirs.
    """
    journal = Path(settings.VENDOR_JOURNAL) if settings.VENDOR_JOURNAL else None
    partner = Partner.objects.order_by("pk").first()
    if partner is None:
        return
    with _vendors(journal) as simulation:
        people = _people(partner)
        for number, customer in enumerate(people[: len(_DEPOSITS)]):
            _bank(simulation, customer, number, now)
        _messages(partner, now)
        for number, lines in enumerate(_CHATS[: len(people)]):
            _chat(simulation, people[number], lines, now - timedelta(days=number, hours=3))


@contextmanager
def _vendors(journal: Path | None) -> Iterator[Simulation]:
    """Run the simulators and lead our calls there."""
    simulation = Simulation(automatic=False, journal=journal)
    simulation.start()
    before, settings.VENDORS = settings.VENDORS, read_vendors(simulation.urls())
    try:
        yield simulation
    finally:
        settings.VENDORS = before
        simulation.stop()


def _people(partner: Partner) -> list[Customer]:
    """Return people with a phone who may move money, the first to come first."""
    rows = Customer.objects.filter(partner=partner, kind="PERSON", status="ACTIVE", phone__isnull=False)
    return list(
        rows.exclude(restrictions__lifted_at__isnull=True, restrictions__isnull=False).order_by("pk")[:12]
    )


def _bank(simulation: Simulation, customer: Customer, number: int, now: datetime) -> None:
    """Link a bank and draw a deposit from it; one comes back, one still waits, one bank is unlinked afterwards."""
    at = now - timedelta(days=20 - 3 * number, hours=2)
    token = create_sandbox_public_token(institution=_BANKS[number % len(_BANKS)], owner=customer.name).value
    link = links.finish_link(customer_id=customer.pk, public_token=token or "", now=at)
    account = link.accounts.order_by("pk").first()
    if account is None:
        return
    create_top_up(
        partner_id=customer.partner_id,
        wallet_id=_dollars(customer, at).public_id,
        payment_method=account.public_id,
        amount=Money(_DEPOSITS[number], "USD"),
        description="From my bank",
        rail="plaid_transfer",
        now=at + timedelta(minutes=4),
    )
    send_attempts(now=at + timedelta(minutes=5))
    if number == len(_DEPOSITS) - 1:
        return
    _settle(simulation, at + timedelta(days=1))
    if number == 1:
        _send_back(simulation, at + timedelta(days=6))
    if number == 2:  # noqa: PLR2004 - the third of them
        links.remove_link(partner_id=link.partner_id, public_id=link.public_id, now=at + timedelta(days=2))


def _settle(simulation: Simulation, at: datetime) -> None:
    simulation.world.advance(60)
    with simulation.world.lock:
        simulation.run_due()
    read_events(now=at)


def _send_back(simulation: Simulation, at: datetime) -> None:
    plaid = simulation.vendors["plaid"]
    if isinstance(plaid, PlaidSimulator):
        with simulation.world.lock:
            plaid.bounce_latest()
        read_events(now=at)


def _dollars(customer: Customer, at: datetime) -> Wallet:
    known = Wallet.objects.filter(customer=customer, currency="USD", status="ACTIVE").first()
    return known or open_wallet(customer_id=customer.pk, currency="USD", name="Dollars", now=at)


def _messages(partner: Partner, now: datetime) -> None:
    """Switch messages on, and write about payments of the last days as if they had been on before."""
    change_settings(
        partner_id=partner.pk, payment_messages=True, code_from={"EUR": 500_000, "USD": 500_000}, now=now
    )
    rows = Payment.objects.filter(
        partner=partner, status="COMPLETED", payer_wallet__customer__phone__isnull=False
    )
    for payment in rows.select_related("payer_wallet__customer").order_by("-created_at", "-pk")[:_MESSAGES]:
        if payment.payer_wallet and payment.completed_at:
            queue_sms(
                customer_id=payment.payer_wallet.customer_id,
                cause=f"payment.completed:{payment.public_id}",
                template="payment_sent",
                values={
                    "partner": partner.name,
                    "amount": payment.amount.format(),
                    "reference": payment.public_id,
                },
                now=payment.completed_at,
            )
    while send_due(now=now):
        pass
    for number, message in enumerate(Message.objects.filter(status=MessageStatus.SENT).order_by("pk")):
        lost = number % 13 == 5  # noqa: PLR2004 - a few of them
        status, code = ("UNDELIVERED", "unreachable") if lost else ("DELIVERED", "")
        state = DeliveryState(status, message.vendor_reference, code)
        receive_report(DeliveryReport(message.public_id, state), now)


def _chat(
    simulation: Simulation, customer: Customer, lines: tuple[tuple[str, str | None], ...], at: datetime
) -> None:
    chat = open_chat(customer_id=customer.pk, now=at)
    model = simulation.vendors["openai"]
    for number, (question, said) in enumerate(lines):
        if said is not None and isinstance(model, OpenAISimulator):
            model.scripted.append(json.dumps({"answer": said, "hand_over": False}))
        with _only_if(said is not None):
            ask(
                chat_id=chat.pk,
                text=question,
                idempotency_key=new_id("demo"),
                now=at + timedelta(minutes=2 * number),
            )


@contextmanager
def _only_if(wanted: bool) -> Iterator[None]:  # noqa: FBT001 - reads as a sentence
    """Let the model be asked, or not."""
    before = settings.ASSISTANT_ENABLED
    settings.ASSISTANT_ENABLED = wanted
    try:
        yield
    finally:
        settings.ASSISTANT_ENABLED = before
