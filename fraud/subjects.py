"""From a request to what fraud keeps: digests instead of names, integers instead of floats."""

import hashlib
from dataclasses import fields
from datetime import datetime, timedelta

from flowlet.core import crypto
from flowlet.core.errors import FieldError
from flowlet.core.jsons import dumps_canonical
from fraud.choices import Product
from fraud.errors import BadScoringRequest
from fraud.features.derive import log_e4
from fraud.features.online import to_us
from fraud.policies import check_amount
from fraud.values import Facts, Keys, ScoringRequest, Subject

_AHEAD_MAX = timedelta(minutes=5)
_SECRET = frozenset({"card", "device", "ip"})  # these could be guessed from a plain digest


def subject_of(request: ScoringRequest, *, now: datetime) -> Subject:
    """
    Return the event as history keeps it.

    :raises BadScoringRequest: if a value cannot be scored; `errors` points at it
    """
    base_minor = request.amount.minor if request.base_minor is None else request.base_minor
    _check(request, base_minor, now)
    return Subject(
        event_us=to_us(request.event_at),
        base_minor=base_minor,
        log_e4=log_e4(base_minor),
        keys=Keys(
            customer=key_of("customer", request.customer),
            card=key_of("card", request.card),
            device=key_of("device", request.device),
            ip=key_of("ip", network_of(request.ip)),
            terminal=key_of("terminal", request.terminal),
            counterparty=key_of("counterparty", request.counterparty),
            country=key_of("country", request.country),
        ),
        facts=_facts(request),
    )


def key_of(kind: str, value: str) -> int:
    """Return the 64 bit digest of an id, never 0; 0 for an empty one."""
    if not value:
        return 0
    if kind in _SECRET:
        # The first two bytes name the key: they would be the same for all.
        digest = crypto.blind_index(f"fraud.{kind}", None, value)[2:]
    else:
        digest = hashlib.sha256(f"fraud.{kind}|{value}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


def network_of(address: str) -> str:
    """Return the network an address counts as: /24 for IPv4, /48 for IPv6."""
    if ":" in address:
        return ":".join(address.split(":")[:3])
    return ".".join(address.split(".")[:3])


def content_digest(request: ScoringRequest) -> bytes:
    """Return a digest of every value of the request, to tell a repetition from another request."""
    values = {item.name: _plain(getattr(request, item.name)) for item in fields(request)}
    return hashlib.sha256(dumps_canonical(values)).digest()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)


def _facts(request: ScoringRequest) -> Facts:
    places = request.country and request.customer_country
    return Facts(
        since_us=None if request.customer_since is None else to_us(request.customer_since),
        changed_us=None if request.details_changed_at is None else to_us(request.details_changed_at),
        balance_minor=request.balance_minor,
        abroad=int(request.country != request.customer_country) if places else None,
    )


def _check(request: ScoringRequest, base_minor: int, now: datetime) -> None:
    faults = []
    if request.product not in Product.values:
        faults.append(FieldError("/product", "unknown", "There is no such product."))
    if request.event_at > now + _AHEAD_MAX:
        faults.append(FieldError("/event_at", "in_the_future", "It lies more than five minutes ahead."))
    if not request.customer or not request.source_id:
        faults.append(FieldError("/customer", "required", "Customer and source must be named."))
    if faults:
        raise BadScoringRequest(errors=tuple(faults))
    check_amount(request.amount.minor, base_minor)
