"""Fixtures for every room that talks to vendors: the simulators on free ports, real HTTP, real SDKs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from flowlet.integrations import breaker
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.simulation.server import Simulation
from flowlet.settings.vendors import read_vendors

HOOKS = "http://testserver/hooks"
# A busy machine may let a vendor wait for seconds, which must not look like an outage; one that is to hang is waited
# for no longer than this.
PATIENT_S, READ_S = 20.0, 1.0


class _Waiting(dict[str, Any]):
    """A vendor's settings, patient unless a plan lets vendors hang."""

    def __init__(self, block: Mapping[str, Any], plans: Callable[[], list[Plan]]) -> None:
        super().__init__(block)
        self["read_timeout_s"] = PATIENT_S
        self._plans = plans

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        hangs = value == PATIENT_S and any(plan.do.startswith("hang") for plan in self._plans())
        return READ_S if key == "read_timeout_s" and hangs else value


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
    settings.VENDORS = {
        name: _Waiting(block, lambda: _simulation.faults.plans)
        for name, block in read_vendors(_simulation.urls()).items()
    }
    yield _simulation
    for known in breaker._breakers.values():
        known.reset()
