"""Webhooks on their way out: signed, sent, retried; or sent twice, late, in the wrong order, forged, or not at all."""

import copy
import http.client
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from flowlet.integrations.simulation.faults import Faults
from flowlet.integrations.simulation.protocol import Delivery, Simulator
from flowlet.integrations.simulation.world import World

# Seconds until the next try after a failed one; vendors go on for days, a sandbox for minutes.
RETRY_S = (1.0, 5.0, 30.0, 120.0, 300.0)
_TIMEOUT_S = 10.0
_OK_FROM, _OK_BELOW = 200, 300


class Outbox:
    """Holds deliveries until they are due; `flush` sends them in order."""

    def __init__(self, world: World, faults: Faults, hosts: frozenset[str]) -> None:
        self.world = world
        self.faults = faults
        self.hosts = hosts
        self.pending: list[Delivery] = []
        self.lost: list[Delivery] = []
        self.sent: list[tuple[str, str, int]] = []
        self._flushing = threading.Lock()

    def add(self, delivery: Delivery) -> None:
        """Queue one webhook, as the fault plans have it."""
        if not delivery.url or self.world.replaying is not None:
            return
        plan = self.faults.of_webhook(self.world, delivery.vendor, delivery.type)
        if plan is None:
            self.pending.append(delivery)
            return
        _BENDS[plan.do](self, delivery, plan.seconds)

    def flush(self, simulators: dict[str, Simulator]) -> int:
        """Send what is due and return how many were tried."""
        with self._flushing:
            with self.world.lock:
                now = self.world.now()
                due = [delivery for delivery in self.pending if delivery.due <= now]
                self.pending = [delivery for delivery in self.pending if delivery.due > now]
            for delivery in due:
                self._send(delivery, simulators[delivery.vendor])
            return len(due)

    def _send(self, delivery: Delivery, simulator: Simulator) -> None:
        with self.world.lock:
            body, headers = simulator.signed(delivery, int(self.world.now()))
        status = self._post(delivery.url, body, headers)
        with self.world.lock:
            self.sent.append((delivery.vendor, delivery.type, status))
            failed = not _OK_FROM <= status < _OK_BELOW
            if failed and not delivery.forged and delivery.attempt < len(RETRY_S):
                delivery.due = self.world.now() + RETRY_S[delivery.attempt]
                delivery.attempt += 1
                self.pending.append(delivery)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        address = urlsplit(url)
        # A caller names the address: it may only lead back to the house, never anywhere else.
        if address.scheme != "http" or address.hostname not in self.hosts:
            return 0
        connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=_TIMEOUT_S)
        path = f"{address.path}?{address.query}" if address.query else address.path
        try:
            connection.request("POST", path, body=body, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def _twice(outbox: Outbox, delivery: Delivery, _seconds: float) -> None:
    outbox.pending += [delivery, copy.deepcopy(delivery)]


def _reordered(outbox: Outbox, delivery: Delivery, _seconds: float) -> None:
    outbox.pending.insert(0, delivery)


def _late(outbox: Outbox, delivery: Delivery, seconds: float) -> None:
    delivery.due += seconds
    outbox.pending.append(delivery)


def _lost(outbox: Outbox, delivery: Delivery, _seconds: float) -> None:
    outbox.lost.append(delivery)


def _forged(outbox: Outbox, delivery: Delivery, _seconds: float) -> None:
    false = copy.deepcopy(delivery)
    false.forged = True
    outbox.pending += [false, delivery]


_BENDS: dict[str, Callable[[Outbox, Delivery, float], None]] = {
    "twice": _twice,
    "reordered": _reordered,
    "late": _late,
    "lost": _lost,
    "forged": _forged,
}
