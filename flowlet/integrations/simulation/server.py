"""Four vendors in one process: an HTTP server per vendor on neighbouring ports of the loopback address."""

import os
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from flowlet.integrations.openai.simulator import OpenAISimulator
from flowlet.integrations.plaid.simulator import PlaidSimulator
from flowlet.integrations.simulation import control
from flowlet.integrations.simulation.books import Journal
from flowlet.integrations.simulation.defaults import VENDORS
from flowlet.integrations.simulation.faults import Faults, Plan
from flowlet.integrations.simulation.outbox import Outbox
from flowlet.integrations.simulation.protocol import Call, Reply, Simulator
from flowlet.integrations.simulation.world import World
from flowlet.integrations.stripe.simulator import StripeSimulator
from flowlet.integrations.twilio.simulator import TwilioSimulator

BODY_MAX = 4 * 1024 * 1024
_TICK_S = 0.2
_CLASSES: tuple[type[Simulator], ...] = (StripeSimulator, PlaidSimulator, TwilioSimulator, OpenAISimulator)


class LiveModeRefused(RuntimeError):
    """Simulators have no business where money is real."""


class Simulation:
    """
    The whole simulated outside world.

    `hooks` is the address that webhooks go to (`http://127.0.0.1:8000/hooks`), '' for none. With `automatic`,
    planned steps and webhooks happen by themselves; without, only when control says so, which tests need.

    :raises LiveModeRefused: if FLOWLET_MODE is live
    """

    def __init__(
        self,
        *,
        port: int = 0,
        hooks: str = "",
        seed: str = "flowlet",
        automatic: bool = True,
        journal: Path | None = None,
    ) -> None:
        if os.environ.get("FLOWLET_MODE") == "live":
            raise LiveModeRefused("FLOWLET_MODE is live: the vendors' simulators do not start")
        self.world = World(seed)
        self.faults = Faults()
        hosts = frozenset({"127.0.0.1", "localhost", urlsplit(hooks).hostname or ""})
        self.outbox = Outbox(self.world, self.faults, hosts)
        self.journal = Journal(journal)
        self.vendors: dict[str, Simulator] = {
            item.vendor: item(self.world, self.outbox.add, f"{hooks}/{item.vendor}/" if hooks else "")
            for item in _CLASSES
        }
        self._replay()
        self._stopped = threading.Event()
        self._servers = [
            _VendorServer(("127.0.0.1", port + index if port else 0), self, name)
            for index, name in enumerate(VENDORS)
        ]
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in self._servers
        ]
        if automatic:
            self._threads.append(threading.Thread(target=self._tick, daemon=True))

    def urls(self) -> dict[str, str]:
        """Return the base address of each vendor."""
        return {server.vendor: f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers}

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; calls that hang are let go."""
        self._stopped.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def reset(self, seed: str) -> None:
        """Forget everything that happened, all faults and webhooks, and start with this seed."""
        with self.world.lock:
            self.world.reset(seed)
            self.faults.plans.clear()
            for waiting in (self.outbox.pending, self.outbox.lost, self.outbox.sent):
                waiting.clear()
            self.journal.clear()
            for vendor in self.vendors.values():
                vendor.reset()

    def run_due(self) -> None:
        """Do what was planned for now; the caller holds the world's lock."""
        for vendor, name, args in self.world.due():
            self.vendors[vendor].step(name, args)

    def flush(self) -> int:
        """Do what was planned, send the webhooks that are due and return how many were tried."""
        with self.world.lock:
            self.run_due()
        return self.outbox.flush(self.vendors)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the simulation runs."""
        self._stopped.wait(seconds)

    def answer(self, vendor: str, call: Call) -> Reply | None:
        """Answer one call as the fault plans have it; None means: cut the connection."""
        if call.path.startswith("/_control/"):
            return control.answer(self, call)
        simulator = self.vendors[vendor]
        with self.world.lock:
            self.run_due()
            plan = self.faults.of_call(self.world, vendor, call.method, call.path)
            early = None if plan and plan.do in _BEFORE else simulator.begin(call)
        if early is not None:
            return early
        return self._bent(simulator, call, plan) if plan else self._carry_out(simulator, call)

    def _carry_out(self, simulator: Simulator, call: Call, *, failed: bool = False) -> Reply:
        with self.world.lock:
            at = self.world.now()
            reply = simulator.handle(call)
            if failed:
                reply = simulator.failure(500)
            simulator.finish(call, reply)
            self.journal.append(simulator.vendor, call, at, failed=failed)
            return reply

    def _bent(self, simulator: Simulator, call: Call, plan: Plan) -> Reply | None:
        return _FAULTS[plan.do](self, simulator, call, plan)

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK_S):
            self.flush()

    def _replay(self) -> None:
        latest = 0.0
        for at, vendor, call, failed in self.journal.entries():
            self.world.replaying = latest = at
            self.run_due()
            simulator = self.vendors[vendor]
            if simulator.begin(call) is None:
                reply = simulator.handle(call)
                simulator.finish(call, simulator.failure(500) if failed else reply)
        self.world.replaying = None
        self.world.advance(max(0.0, latest - time.time()))


def _delay(simulation: Simulation, simulator: Simulator, call: Call, plan: Plan) -> Reply:
    simulation.pause(plan.seconds)
    return simulation._carry_out(simulator, call)  # noqa: SLF001 - the fault is part of the simulation


def _hang_before(simulation: Simulation, _simulator: Simulator, _call: Call, plan: Plan) -> None:
    simulation.pause(plan.seconds)


def _hang_after(simulation: Simulation, simulator: Simulator, call: Call, plan: Plan) -> None:
    simulation._carry_out(simulator, call)  # noqa: SLF001 - as above
    simulation.pause(plan.seconds)


def _cut_before(_simulation: Simulation, _simulator: Simulator, _call: Call, _plan: Plan) -> None:
    return


def _cut_after(simulation: Simulation, simulator: Simulator, call: Call, _plan: Plan) -> None:
    simulation._carry_out(simulator, call)  # noqa: SLF001 - as above


def _error_before(_simulation: Simulation, simulator: Simulator, _call: Call, _plan: Plan) -> Reply:
    return simulator.failure(500)


def _error_after(simulation: Simulation, simulator: Simulator, call: Call, _plan: Plan) -> Reply:
    return simulation._carry_out(simulator, call, failed=True)  # noqa: SLF001 - as above


def _too_many(_simulation: Simulation, simulator: Simulator, _call: Call, _plan: Plan) -> Reply:
    return simulator.failure(429)


def _garbage(simulation: Simulation, simulator: Simulator, call: Call, _plan: Plan) -> Reply:
    reply = simulation._carry_out(simulator, call)  # noqa: SLF001 - as above
    return Reply(reply.status, b"<html><body>\xff not what you asked for", {})


_FAULTS: dict[str, Callable[[Simulation, Simulator, Call, Plan], Reply | None]] = {
    "delay": _delay,
    "hang_before_effect": _hang_before,
    "hang_after_effect": _hang_after,
    "cut_before_effect": _cut_before,
    "cut_after_effect": _cut_after,
    "error_before_effect": _error_before,
    "error_after_effect": _error_after,
    "too_many": _too_many,
    "garbage": _garbage,
}
_BEFORE = frozenset({"hang_before_effect", "cut_before_effect", "error_before_effect", "too_many"})


class _VendorServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulation: Simulation, vendor: str) -> None:
        self.simulation = simulation
        self.vendor = vendor
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """Stay silent when a client hangs up: its time-out is what the faults are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _VendorServer
    # Answers are small; waiting to fill a packet would cost 40 ms each.
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            self.close_connection = True
            return
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, address.path, address.query, headers, self.rfile.read(length))
        reply = self.server.simulation.answer(self.server.vendor, call)
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = reply.encoded()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing: bodies and addresses are no matter of the log."""
