"""The vendors: where they are, with which keys, how long we wait for them. In the sandbox the simulators answer."""

from typing import Any

import environ

from flowlet.integrations.simulation.defaults import (
    KEYS,
    PLAID_CLIENT,
    SECRETS,
    TWILIO_ACCOUNT,
    TWILIO_NUMBER,
    TWILIO_SERVICE,
    VENDORS as NAMES,
)

env = environ.Env()
SIMULATOR_KEYS = KEYS
SIMULATOR_SECRETS = SECRETS
# The first of four neighbouring ports; the launcher sets it to where it has started the simulators.
_PORT = env.int("VENDOR_SIMULATOR_PORT", default=0)
_HOST = env.str("VENDOR_SIMULATOR_HOST", default="127.0.0.1")


def _block(name: str, *, simulated: bool, read_s: float = 10.0, **more: Any) -> dict[str, Any]:
    """
    Return one vendor's settings from `<NAME>_BASE_URL`, `<NAME>_KEY`, `<NAME>_WEBHOOK_SECRETS` and the time-outs.

    With a key in the environment the same code talks to the real vendor; without one, to the simulator if there is
    one, else to nobody.
    """
    word = name.upper()
    port = _PORT + NAMES.index(name)
    key = env.str(f"{word}_KEY", default="")
    to_simulator = simulated and bool(_PORT) and not key
    return {
        "base_url": env.str(f"{word}_BASE_URL", default=f"http://{_HOST}:{port}" if to_simulator else ""),
        "key": key or (KEYS[name] if to_simulator else ""),
        "secrets": env.list(
            f"{word}_WEBHOOK_SECRETS", default=[SECRETS.get(name, "")] if to_simulator else []
        ),
        "connect_timeout_s": env.float(f"{word}_CONNECT_TIMEOUT_S", default=2.0),
        "read_timeout_s": env.float(f"{word}_READ_TIMEOUT_S", default=read_s),
        **more,
    }


def read_vendors(mode: str) -> dict[str, dict[str, Any]]:
    """Return all vendors' settings; in live mode nothing falls back to a simulator."""
    simulated = mode != "live"
    known = {"account": PLAID_CLIENT, "twilio": TWILIO_ACCOUNT} if simulated else {"account": "", "twilio": ""}
    return {
        "stripe": _block("stripe", simulated=simulated),
        "plaid": _block(
            "plaid", simulated=simulated, account=env.str("PLAID_CLIENT_ID", default=known["account"])
        ),
        "twilio": _block(
            "twilio",
            simulated=simulated,
            account=env.str("TWILIO_ACCOUNT", default=known["twilio"]),
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
            simulated=simulated,
            # A model may think for a while; the caller shows a guide when it takes longer.
            read_s=20.0,
            options={
                "model": env.str("OPENAI_MODEL", default="gpt-5-mini"),
                "embedding_model": env.str("OPENAI_EMBEDDING_MODEL", default="text-embedding-3-small"),
            },
        ),
    }
