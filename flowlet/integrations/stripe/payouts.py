"""Payouts by Stripe: send to a bank account, look up. Calls as in `client`, by the real SDK."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import stripe

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer
from flowlet.integrations.stripe.client import (
    METADATA_KEY,
    call_stripe,
    created_since,
    first_of,
    keyed,
    request_id_of,
    typed,
)
from flowlet.integrations.stripe.outcomes import payout_outcome
from flowlet.integrations.stripe.units import from_stripe, to_stripe_payout


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout: `status` in Stripe's words, `code` why it failed; one that was paid may fail days later."""

    id: str
    status: str
    amount: Money
    our_reference: str
    destination: str
    code: str


def create_payout(*, amount: Money, destination: str, our_reference: str) -> Answer[Payout]:
    """
    Send money from our balance to a bank account; our reference is idempotency key and metadata.

    ACCEPTED: under way. REFUSED: Stripe or the bank said no, with the code.

    :raises UnsupportedAmount: before anything is sent
    """
    units, currency = to_stripe_payout(amount)
    params: dict[str, Any] = {
        "amount": units,
        "currency": currency,
        "destination": destination,
        "method": "standard",
        "metadata": {METADATA_KEY: our_reference},
    }
    return call_stripe(
        "payout.create",
        our_reference,
        lambda client: _answer(client.v1.payouts.create(params=typed(params), options=keyed(our_reference))),
    )


def get_payout(*, payout: str, our_reference: str = "") -> Answer[Payout]:
    """Return a payout's present state; UNKNOWN if it cannot be asked for."""
    return call_stripe(
        "payout.get",
        our_reference,
        lambda client: _answer(client.v1.payouts.retrieve(payout)),
        is_lookup=True,
    )


def find_payout(*, our_reference: str, since: datetime) -> Answer[Payout]:
    """Look for a payout by our reference, as `client.find_intent` does for intents."""

    def look(client: stripe.StripeClient) -> Answer[Payout]:
        page = client.v1.payouts.list(params=created_since(since))
        return first_of(page.auto_paging_iter(), our_reference, _answer)

    return call_stripe("payout.find", our_reference, look, is_lookup=True)


def read_payout(data: dict[str, Any]) -> Payout:
    """Return a payout from Stripe's words: an answer, or the object of a webhook."""
    return Payout(
        id=data["id"],
        status=str(data["status"]),
        amount=from_stripe(data["amount"], data["currency"]),
        our_reference=(data.get("metadata") or {}).get(METADATA_KEY, ""),
        destination=str(data.get("destination") or ""),
        code=str(data.get("failure_code") or ""),
    )


def _answer(item: Any) -> Answer[Payout]:
    payout = read_payout(item.to_dict())
    return Answer(payout_outcome(payout.status), payout.id, payout.code, payout, request_id_of(item))
