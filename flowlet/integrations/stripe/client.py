"""Stripe as the house uses it: collect by card, give back, look up, list what moved. The real SDK does the talking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import stripe

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.calls import perform
from flowlet.integrations.stripe.outcomes import explain, intent_outcome, refund_outcome
from flowlet.integrations.stripe.units import from_stripe, to_stripe
from flowlet.integrations.vendors import Vendor, get_vendor

_PAGE = 100
# A look-up by time reads at most this many objects; a wider window has to be split by the caller.
_LOOKED_AT_MAX = 2000
_PAID_OUT_MAX = 20_000
# Where an object at Stripe carries our reference.
METADATA_KEY = "flowlet_reference"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Intent:
    """
    A payment intent: `status` in Stripe's words, `client_secret` for the payer's browser when he must authenticate.

    `code` says why the latest attempt was declined. The amounts are what was asked for and what was collected.
    """

    id: str
    status: str
    amount: Money
    received: Money
    our_reference: str
    charge: str
    code: str
    client_secret: str
    needs_action: bool


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund: `status` in Stripe's words, `code` why it failed."""

    id: str
    status: str
    amount: Money
    our_reference: str
    intent: str
    code: str


@dataclass(frozen=True, slots=True)
class Movement:
    """
    One change of our balance at Stripe; amount, fee and net are signed as seen from the balance.

    `kind` is Stripe's type; an adjustment says only in its reporting category what it is (`dispute`,
    `dispute_reversal`), and is called so. `source` is the object that moved it, `intent` the payment intent that this
    belongs to, '' if none. `automatic`: a payout by Stripe's schedule, of which Stripe tells what it holds. Source: Stripe's documentation, "Reporting categories"; read 2026-11-24.
    """

    id: str
    kind: str
    amount: Money
    fee: Money
    net: Money
    source: str
    intent: str
    automatic: bool
    created_at: datetime
    available_at: datetime


def create_intent(
    *,
    amount: Money,
    our_reference: str,
    payment_method: str,
    description: str = "",
    statement_descriptor_suffix: str = "",
) -> Answer[Intent]:
    """
    Create a payment intent and try to collect at once; our reference is idempotency key and metadata.

    DONE: collected. ACCEPTED: the payer must authenticate, or Stripe needs time. REFUSED: declined, with the code.

    :raises UnsupportedAmount: before anything is sent
    """
    units, currency = to_stripe(amount)
    params: dict[str, Any] = {
        "amount": units,
        "currency": currency,
        "payment_method": payment_method,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {METADATA_KEY: our_reference},
    }
    if description:
        params["description"] = description
    if statement_descriptor_suffix:
        params["statement_descriptor_suffix"] = statement_descriptor_suffix
    return call_stripe(
        "payment_intent.create",
        our_reference,
        lambda client: _intent_answer(
            client.v1.payment_intents.create(params=typed(params), options=keyed(our_reference))
        ),
    )


def confirm_intent(*, intent: str, our_reference: str, payment_method: str = "") -> Answer[Intent]:
    """Try an intent again: after the payer has authenticated, or with another method."""
    params = {"payment_method": payment_method} if payment_method else {}
    return call_stripe(
        "payment_intent.confirm",
        our_reference,
        lambda client: _intent_answer(
            client.v1.payment_intents.confirm(intent, params=typed(params), options=keyed(our_reference))
        ),
    )


def cancel_intent(*, intent: str, our_reference: str) -> Answer[Intent]:
    """Cancel an intent that has collected nothing. The value shows its state; DONE means that it is cancelled."""

    def send(client: stripe.StripeClient) -> Answer[Intent]:
        answer = _intent_answer(client.v1.payment_intents.cancel(intent, options=keyed(our_reference)))
        return Answer(Outcome.DONE, answer.reference, value=answer.value, request_id=answer.request_id)

    return call_stripe("payment_intent.cancel", our_reference, send)


def get_intent(*, intent: str, our_reference: str = "") -> Answer[Intent]:
    """Return an intent's present state; UNKNOWN if it cannot be asked for."""
    return call_stripe(
        "payment_intent.get",
        our_reference,
        lambda client: _intent_answer(client.v1.payment_intents.retrieve(intent)),
        is_lookup=True,
    )


def find_intent(*, our_reference: str, since: datetime) -> Answer[Intent]:
    """
    Look for the intent of one of our references among those made since then.

    NOT_SENT with code `not_found` means that Stripe has none now. A call of ours may still be on its way: trust it
    only when the read time-out has long passed, and repeat the call with the same key rather than with a new one.
    """

    def look(client: stripe.StripeClient) -> Answer[Intent]:
        page = client.v1.payment_intents.list(params=created_since(since))
        return first_of(page.auto_paging_iter(), our_reference, _intent_answer)

    return call_stripe("payment_intent.find", our_reference, look, is_lookup=True)


def create_refund(*, intent: str, amount: Money, our_reference: str) -> Answer[Refund]:
    """
    Give back part or all of what an intent collected; Stripe refuses more than is left.

    :raises UnsupportedAmount: before anything is sent
    """
    units, _ = to_stripe(amount)
    params = {"payment_intent": intent, "amount": units, "metadata": {METADATA_KEY: our_reference}}
    return call_stripe(
        "refund.create",
        our_reference,
        lambda client: _refund_answer(
            client.v1.refunds.create(params=typed(params), options=keyed(our_reference))
        ),
    )


def get_refund(*, refund: str, our_reference: str = "") -> Answer[Refund]:
    """Return a refund's present state; a refund may fail days after it seemed done."""
    return call_stripe(
        "refund.get",
        our_reference,
        lambda client: _refund_answer(client.v1.refunds.retrieve(refund)),
        is_lookup=True,
    )


def find_refund(*, our_reference: str, intent: str, since: datetime) -> Answer[Refund]:
    """Look for a refund by our reference, as `find_intent` does."""

    def look(client: stripe.StripeClient) -> Answer[Refund]:
        page = client.v1.refunds.list(params=typed({**created_since(since), "payment_intent": intent}))
        return first_of(page.auto_paging_iter(), our_reference, _refund_answer)

    return call_stripe("refund.find", our_reference, look, is_lookup=True)


def list_movements(*, since: datetime, until: datetime) -> Answer[tuple[Movement, ...]]:
    """
    Return what changed our balance in [since, until), newest first.

    UNKNOWN with code `too_many` if there are more than 2,000: ask for a shorter time.
    """
    return _movements({"created": {"gte": _unix(since), "lt": _unix(until)}}, _LOOKED_AT_MAX)


def list_paid_out(*, payout: str) -> Answer[tuple[Movement, ...]]:
    """
    Return what a payout by Stripe's schedule holds, and its own movement; refused for a payout that was asked for.

    UNKNOWN with code `too_many` if there are more than 20,000.
    """
    return _movements({"payout": payout}, _PAID_OUT_MAX)


def _movements(which: dict[str, Any], most: int) -> Answer[tuple[Movement, ...]]:
    # Charges and disputes name the intent, by which we know our payments; the movement names only them.
    params = {**which, "limit": _PAGE, "expand": ["data.source"]}

    def look(client: stripe.StripeClient) -> Answer[tuple[Movement, ...]]:
        found = client.v1.balance_transactions.list(params=typed(params)).auto_paging_iter()
        movements = tuple(_movement(item.to_dict()) for item in islice(found, most + 1))
        if len(movements) > most:
            return Answer(Outcome.UNKNOWN, code="too_many")
        return Answer(Outcome.DONE, value=movements)

    return call_stripe("balance_transaction.list", "", look, is_lookup=True)


@lru_cache(maxsize=4)
def _client(vendor_key: tuple[str, str, float, float]) -> stripe.StripeClient:
    key, base_url, connect_s, read_s = vendor_key
    return stripe.StripeClient(
        key,
        base_addresses={"api": base_url} if base_url else None,
        http_client=stripe.RequestsClient(timeout=(connect_s, read_s)),
        # A retry of the SDK's would hide from us how often we asked; ours happen with the same key, and are logged.
        max_network_retries=0,
    )


def _client_of(vendor: Vendor) -> stripe.StripeClient:
    return _client((vendor.key, vendor.base_url, vendor.connect_timeout_s, vendor.read_timeout_s))


def call_stripe(
    operation: str,
    our_reference: str,
    send: Callable[[stripe.StripeClient], Answer[Value]],
    *,
    is_lookup: bool = False,
) -> Answer[Value]:
    """Make one call by the SDK: logged, behind the breaker, its end told in our words."""
    return perform(
        vendor="stripe",
        operation=operation,
        our_reference=our_reference,
        send=lambda: send(_client_of(get_vendor("stripe"))),
        explain=explain_lookup if is_lookup else explain,
        is_lookup=is_lookup,
    )


def explain_lookup(error: Exception) -> Answer[Any]:
    """Return what a failed look-up tells: nothing about the object, so a refusal becomes UNKNOWN."""
    answer = explain(error)
    if answer.outcome is Outcome.REFUSED:
        return Answer(Outcome.UNKNOWN, code=answer.code, request_id=answer.request_id, alarm=True)
    return answer


def keyed(our_reference: str) -> Any:
    """Return the options of a call with an effect: our reference is the idempotency key."""
    return {"idempotency_key": our_reference}


def typed(params: dict[str, Any]) -> Any:
    """Return the parameters as they are."""
    # The SDK types each parameter set by a TypedDict of its own; ours are built in steps.
    return params


def created_since(since: datetime) -> Any:
    """Return the parameters of a list of what was made since then, newest first."""
    return {"created": {"gte": _unix(since)}, "limit": _PAGE}


def _unix(instant: datetime) -> int:
    return int(instant.timestamp())


def first_of(found: Iterable[Any], our_reference: str, read: Callable[[Any], Answer[Value]]) -> Answer[Value]:
    """Return the first that carries our reference; NOT_SENT with code `not_found` if none does."""
    for looked_at, item in enumerate(found, start=1):
        if item.to_dict().get("metadata", {}).get(METADATA_KEY) == our_reference:
            return read(item)
        if looked_at >= _LOOKED_AT_MAX:
            return Answer(Outcome.UNKNOWN, code="too_many")
    return Answer(Outcome.NOT_SENT, code="not_found")


def request_id_of(item: Any) -> str:
    """Return the vendor's id of the call that an object came by."""
    response = item.last_response
    return str(response.request_id or "") if response is not None else ""


def read_intent(data: dict[str, Any]) -> Intent:
    """Return an intent from Stripe's words: an answer, or the object of a webhook."""
    error = data.get("last_payment_error") or {}
    return Intent(
        id=data["id"],
        status=data["status"],
        amount=from_stripe(data["amount"], data["currency"]),
        received=from_stripe(data.get("amount_received") or 0, data["currency"]),
        our_reference=(data.get("metadata") or {}).get(METADATA_KEY, ""),
        charge=str(data.get("latest_charge") or ""),
        code=str(error.get("decline_code") or error.get("code") or ""),
        client_secret=str(data.get("client_secret") or ""),
        needs_action=data["status"] == "requires_action",
    )


def read_refund(data: dict[str, Any]) -> Refund:
    """Return a refund from Stripe's words."""
    return Refund(
        id=data["id"],
        status=str(data.get("status") or ""),
        amount=from_stripe(data["amount"], data["currency"]),
        our_reference=(data.get("metadata") or {}).get(METADATA_KEY, ""),
        intent=str(data.get("payment_intent") or ""),
        code=str(data.get("failure_reason") or ""),
    )


def _intent_answer(item: Any) -> Answer[Intent]:
    data = item.to_dict()
    intent = read_intent(data)
    return Answer(intent_outcome(data), intent.id, intent.code, intent, request_id_of(item))


def _refund_answer(item: Any) -> Answer[Refund]:
    refund = read_refund(item.to_dict())
    return Answer(refund_outcome(refund.status), refund.id, refund.code, refund, request_id_of(item))


def _movement(data: dict[str, Any]) -> Movement:
    currency, source = data["currency"], data.get("source") or ""
    # Expanded, unless the key may not read it.
    whole = source if isinstance(source, dict) else {"id": source}
    kind = data["type"]
    return Movement(
        id=data["id"],
        kind=data["reporting_category"] if kind == "adjustment" else kind,
        amount=from_stripe(data["amount"], currency),
        fee=from_stripe(data["fee"], currency),
        net=from_stripe(data["net"], currency),
        source=str(whole["id"]),
        intent=str(whole.get("payment_intent") or ""),
        automatic=bool(whole.get("automatic")),
        created_at=datetime.fromtimestamp(data["created"], tz=UTC),
        available_at=datetime.fromtimestamp(data["available_on"], tz=UTC),
    )
