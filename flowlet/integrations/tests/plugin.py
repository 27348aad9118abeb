"""Fixtures for every room that talks to vendors: the simulators on free ports, real HTTP, real SDKs."""

from collections.abc import Iterator

import pytest

from flowlet.integrations import breaker
from flowlet.integrations.simulation.server import Simulation
from flowlet.settings.vendors import read_vendors

HOOKS = "http://testserver/hooks"
# Long enough for a busy machine to answer, short enough to wait for a vendor that hangs.
READ_S = 1.0


@pytest.fixture(scope="session")
def _simulation() -> Iterator[Simulation]:
    simulation = Simulation(hooks=HOOKS, automatic=False)
    simulation.start()
    yield simulation
    simulation.stop()


@pytest.fixture
def vendors(_simulation, settings, monkeypatch) -> Iterator[Simulation]:
    """Return the simulators, empty, with the settings that lead to them; nothing happens there by itself."""
    for name in ("STRIPE", "PLAID", "TWILIO", "OPENAI"):
        for part in ("KEY", "BASE_URL", "WEBHOOK_SECRETS"):
            monkeypatch.delenv(f"{name}_{part}", raising=False)
    _simulation.reset("tests")
    settings.BASE_URL = "http://testserver"
    settings.VENDORS = read_vendors(_simulation.urls())
    for block in settings.VENDORS.values():
        block["read_timeout_s"] = READ_S
    yield _simulation
    for known in breaker._breakers.values():
        known.reset()
