"""Moving dollars through Plaid: authorise, transfer, look up, follow. Amounts are dollars only."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from plaid.model.ach_class import ACHClass
from plaid.model.transfer_authorization_create_request import TransferAuthorizationCreateRequest
from plaid.model.transfer_authorization_idempotency_key import TransferAuthorizationIdempotencyKey
from plaid.model.transfer_authorization_user_in_request import TransferAuthorizationUserInRequest
from plaid.model.transfer_cancel_request import TransferCancelRequest
from plaid.model.transfer_create_request import TransferCreateRequest
from plaid.model.transfer_event_sync_request import TransferEventSyncRequest
from plaid.model.transfer_get_request import TransferGetRequest
from plaid.model.transfer_list_request import TransferListRequest
from plaid.model.transfer_metadata import TransferMetadata
from plaid.model.transfer_network import TransferNetwork
from plaid.model.transfer_type import TransferType

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.plaid.client import call
from flowlet.integrations.plaid.outcomes import transfer_outcome
from flowlet.integrations.plaid.shapes import (
    Authorization,
    Transfer,
    TransferEvent,
    read_event,
    read_transfer,
)

_PAGE = 25
_LOOKED_AT_MAX = 500
_DESCRIPTION_MAX = 10  # what an ACH entry has room for
_KEY_MAX = 50
_AUTHORIZED = {
    "approved": Outcome.DONE,
    "declined": Outcome.REFUSED,
    "user_action_required": Outcome.ACCEPTED,
}


class UnsupportedTransfer(AppError):
    """Plaid moves dollars only."""

    code: ClassVar[str] = "amount_not_supported"
    message: ClassVar[str] = "Bank transfers through this rail are in USD, not in {currency}."


def authorize_transfer(
    *,
    access_token: str,
    account_id: str,
    direction: str,
    amount: Money,
    legal_name: str,
    our_reference: str,
    network: str = "ach",
) -> Answer[Authorization]:
    """
    Ask whether a transfer may be made; our reference (at most 50 characters) is the idempotency key.

    `direction` is debit (draw from the account) or credit (pay to it). DONE: approved, go on with its id. REFUSED:
    declined, with Plaid's code such as `nsf`. ACCEPTED: the person must log in at his bank again.

    :raises UnsupportedTransfer: for another currency, before anything is sent
    """
    if amount.currency != "USD":
        raise UnsupportedTransfer(currency=amount.currency)
    request = TransferAuthorizationCreateRequest(
        access_token=access_token,
        account_id=account_id,
        type=TransferType(direction),
        network=TransferNetwork(network),
        amount=_text(amount),
        ach_class=ACHClass("web" if direction == "debit" else "ppd"),
        user=TransferAuthorizationUserInRequest(legal_name=legal_name),
        idempotency_key=TransferAuthorizationIdempotencyKey(our_reference[:_KEY_MAX]),
        iso_currency_code="USD",
    )

    def read(data: dict[str, Any]) -> Answer[Authorization]:
        known = data["authorization"]
        code = str((known.get("decision_rationale") or {}).get("code") or "").lower()
        authorization = Authorization(known["id"], str(known["decision"]), code)
        outcome = _AUTHORIZED.get(authorization.decision, Outcome.UNKNOWN)
        return Answer(outcome, authorization.id, code, authorization)

    return call(
        "transfer_authorization.create", our_reference, "transfer_authorization_create", request, read
    )


def create_transfer(
    *, access_token: str, account_id: str, authorization: str, description: str, our_reference: str
) -> Answer[Transfer]:
    """
    Make the authorised transfer; the authorisation is the key, so repeating gives the same transfer.

    `description` is cut to 10 characters, all that an ACH entry has room for.
    """
    request = TransferCreateRequest(
        access_token=access_token,
        account_id=account_id,
        authorization_id=authorization,
        description=description[:_DESCRIPTION_MAX],
        metadata=TransferMetadata(flowlet_reference=our_reference),
    )
    return call("transfer.create", our_reference, "transfer_create", request, _read_one)


def get_transfer(*, transfer: str = "", authorization: str = "", our_reference: str = "") -> Answer[Transfer]:
    """Return a transfer's present state, by its own id or its authorisation's."""
    wanted = {"transfer_id": transfer} if transfer else {"authorization_id": authorization}
    request = TransferGetRequest(**wanted)
    return call("transfer.get", our_reference, "transfer_get", request, _read_one, is_lookup=True)


def find_transfer(*, our_reference: str, since: datetime) -> Answer[Transfer]:
    """
    Look for the transfer of one of our references among those made since then.

    NOT_SENT with code `not_found` means that Plaid has none now; see the warning at Stripe's `find_intent`.
    """
    for offset in range(0, _LOOKED_AT_MAX, _PAGE):
        page = _page(our_reference, since, offset)
        if page.outcome is not Outcome.DONE or page.value is None:
            return Answer(page.outcome, code=page.code, request_id=page.request_id)
        for transfer in page.value:
            if transfer.our_reference == our_reference:
                return _transfer_answer(transfer)
        if len(page.value) < _PAGE:
            return Answer(Outcome.NOT_SENT, code="not_found")
    return Answer(Outcome.UNKNOWN, code="too_many")


def cancel_transfer(*, transfer: str, our_reference: str) -> Answer[None]:
    """Cancel a transfer that is not posted yet."""
    request = TransferCancelRequest(transfer_id=transfer)
    return call(
        "transfer.cancel", our_reference, "transfer_cancel", request, lambda _: Answer(Outcome.DONE, transfer)
    )


def sync_events(*, after_id: int, count: int = 100) -> Answer[tuple[TransferEvent, ...]]:
    """Return what happened after an event id (0: from the beginning), oldest first; fewer than `count` are all."""
    request = TransferEventSyncRequest(after_id=after_id, count=count)

    def read(data: dict[str, Any]) -> Answer[tuple[TransferEvent, ...]]:
        return Answer(Outcome.DONE, value=tuple(read_event(one) for one in data["transfer_events"]))

    return call("transfer_event.sync", "", "transfer_event_sync", request, read, is_lookup=True)


def _page(our_reference: str, since: datetime, offset: int) -> Answer[tuple[Transfer, ...]]:
    request = TransferListRequest(start_date=since, count=_PAGE, offset=offset)
    read: Callable[[dict[str, Any]], Answer[tuple[Transfer, ...]]] = lambda data: Answer(  # noqa: E731
        Outcome.DONE, value=tuple(read_transfer(one) for one in data["transfers"])
    )
    return call("transfer.find", our_reference, "transfer_list", request, read, is_lookup=True)


def _read_one(data: dict[str, Any]) -> Answer[Transfer]:
    return _transfer_answer(read_transfer(data["transfer"]))


def _transfer_answer(transfer: Transfer) -> Answer[Transfer]:
    return Answer(transfer_outcome(transfer.status), transfer.id, transfer.code, transfer)


def _text(amount: Money) -> str:
    return f"{amount.decimal():.2f}"
