"""Calling a vendor: never inside a transaction, never without a time limit, always with a line in the call log."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.db import connection

from flowlet.core import clock
from flowlet.core.errors import InvariantBroken
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.models import VendorCall
from flowlet.integrations.vendors import get_vendor

IN_FLIGHT = 8
_WAIT_S = 2.0

Value = TypeVar("Value")
logger = logging.getLogger(__name__)
_places: dict[str, threading.BoundedSemaphore] = {}


def perform(
    *,
    vendor: str,
    operation: str,
    our_reference: str,
    send: Callable[[], Answer[Value]],
    explain: Callable[[Exception], Answer[Value]],
    is_lookup: bool = False,
) -> Answer[Value]:
    """
    Make one call and say in our five words how it ended; raises nothing that the vendor or the network did.

    `send` calls the SDK and reads its answer, `explain` reads its exceptions. For a lookup (`is_lookup`) anything but
    a readable answer is UNKNOWN: that we could not ask says nothing about what we asked after.

    :raises InvariantBroken: inside a database transaction, where a slow vendor would hold our locks
    """
    _refuse_inside_transaction(operation)
    started_at, started = clock.now(), time.monotonic()
    answer = _guarded(vendor, send, explain)
    if is_lookup and answer.outcome is Outcome.NOT_SENT and answer.code != "not_found":
        answer = replace(answer, outcome=Outcome.UNKNOWN)
    VendorCall.objects.create(
        vendor=vendor,
        operation=operation,
        our_reference=our_reference[:80],
        vendor_reference=answer.reference[:255],
        vendor_request_id=answer.request_id[:255],
        outcome=answer.outcome.value,
        code=answer.code[:80],
        alarm=answer.alarm,
        is_lookup=is_lookup,
        elapsed_ms=int((time.monotonic() - started) * 1000),
        called_at=started_at,
    )
    return answer


def _refuse_inside_transaction(operation: str) -> None:
    blocks: list[Any] = list(connection.atomic_blocks)
    # Django's TestCase wraps a test in transactions of its own; those do not count.
    if any(not block._from_testcase for block in blocks):  # noqa: SLF001 - as core.locks does
        raise InvariantBroken(f"{operation} would call a vendor inside a database transaction")


def _guarded(
    vendor: str, send: Callable[[], Answer[Value]], explain: Callable[[Exception], Answer[Value]]
) -> Answer[Value]:
    if not get_vendor(vendor).configured:
        return Answer(Outcome.NOT_SENT, code="not_configured")
    breaker = breaker_for(vendor)
    if not breaker.allow(at=time.time()):
        return Answer(Outcome.NOT_SENT, code="breaker_open")
    place = _places.setdefault(vendor, threading.BoundedSemaphore(IN_FLIGHT))
    if not place.acquire(timeout=_WAIT_S):
        return Answer(Outcome.NOT_SENT, code="too_many_in_flight")
    try:
        answer = _sent(send, explain)
    finally:
        place.release()
    breaker.record(ok=not _is_failure(answer), at=time.time())
    return answer


def _sent(send: Callable[[], Answer[Value]], explain: Callable[[Exception], Answer[Value]]) -> Answer[Value]:
    try:
        return send()
    # Whatever breaks while a request may be on its way leaves its outcome open. An exception that escaped here would
    # let a caller believe that nothing was sent.
    except Exception as error:
        answer = explain(error)
        if answer.code == "unreadable":
            logger.exception("a vendor's answer could not be read")
        elif answer.alarm:
            logger.error("a vendor refuses our keys", extra={"code": answer.code})  # noqa: TRY400 - the code says all
        return answer


def _is_failure(answer: Answer[Value]) -> bool:
    if answer.outcome is Outcome.UNKNOWN:
        return True
    return answer.outcome is Outcome.NOT_SENT and answer.code != "not_found"
