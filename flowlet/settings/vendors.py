"""The vendors: where they are, with which keys, how long we wait for them. In the sandbox the simulators answer."""

from collections.abc import Mapping
from typing import Any

import environ

from flowlet.integrations.simulation.defaults import (
    KEYS,
    PLAID_CLIENT,
    SECRETS,
    TWILIO_ACCOUNT,
    TWILIO_NUMBER,
    TWILIO_SERVICE,
)
from flowlet.integrations.simulation.defaults import (
    VENDORS as NAMES,
)

env = environ.Env()


def simulator_urls(mode: str) -> dict[str, str]:
    """
    Return where the simulators are, by `VENDOR_SIMULATOR_PORT` (the first of four) and `VENDOR_SIMULATOR_HOST`.

    Nowhere without a port, and never in live mode.
    """
    port = env.int("VENDOR_SIMULATOR_PORT", default=0)
    host = env.str("VENDOR_SIMULATOR_HOST", default="127.0.0.1")
    if mode == "live" or not port:
        return {}
    return {name: f"http://{host}:{port + index}" for index, name in enumerate(NAMES)}


def _block(name: str, simulators: Mapping[str, str], *, read_s: float = 10.0, **more: Any) -> dict[str, Any]:
    """
    Return one vendor's settings from `<NAME>_BASE_URL`, `<NAME>_KEY`, `<NAME>_WEBHOOK_SECRETS` and the time-outs.

    With a key in the environment the same code talks to the real vendor; without one, to the simulator if there is
    one, else to nobody.
    """
    word = name.upper()
    key = env.str(f"{word}_KEY", default="")
    to_simulator = name in simulators and not key
    return {
        "base_url": env.str(f"{word}_BASE_URL", default=simulators[name] if to_simulator else ""),
        "key": key or (KEYS[name] if to_simulator else ""),
        "secrets": env.list(
            f"{word}_WEBHOOK_SECRETS", default=[SECRETS.get(name, "")] if to_simulator else []
        ),
        "connect_timeout_s": env.float(f"{word}_CONNECT_TIMEOUT_S", default=2.0),
        "read_timeout_s": env.float(f"{word}_READ_TIMEOUT_S", default=read_s),
        **more,
    }


def read_vendors(simulators: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return all vendors' settings; `simulators` holds base addresses by name, none where there are none."""
    simulated = bool(simulators)
    return {
        "stripe": _block("stripe", simulators),
        "plaid": _block(
            "plaid", simulators, account=env.str("PLAID_CLIENT_ID", default=PLAID_CLIENT if simulated else "")
        ),
        "twilio": _block(
            "twilio",
            simulators,
            account=env.str("TWILIO_ACCOUNT", default=TWILIO_ACCOUNT if simulated else ""),
            options={
                "from": env.str("TWILIO_FROM", default=TWILIO_NUMBER if simulated else ""),
                "messaging_service": env.str("TWILIO_MESSAGING_SERVICE", default=""),
                "verify_service": env.str(
                    "TWILIO_VERIFY_SERVICE", default=TWILIO_SERVICE if simulated else ""
                ),
            },
        ),
        "openai": _block(
            "openai",
            simulators,
            # A model may think for a while; the caller shows a guide when it takes longer.
            read_s=20.0,
            options={
                "model": env.str("OPENAI_MODEL", default="gpt-5-mini"),
                "embedding_model": env.str("OPENAI_EMBEDDING_MODEL", default="text-embedding-3-small"),
            },
        ),
    }
