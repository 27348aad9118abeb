"""`python -m flowlet.integrations.simulation --port 4500`: Stripe, Plaid, Twilio, OpenAI on that port and the next three."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from flowlet.integrations.simulation.server import LiveModeRefused, Simulation


def main() -> int:
    """Run until told to stop (SIGINT or SIGTERM); 2 when live mode forbids it."""
    parser = argparse.ArgumentParser(prog="flowlet.integrations.simulation", description=__doc__)
    parser.add_argument("--port", type=int, default=4500, help="first of four ports; 0 takes free ones")
    parser.add_argument("--hooks", default="", help="where webhooks go, such as http://127.0.0.1:8000/hooks")
    parser.add_argument("--seed", default="flowlet", help="same seed, same ids and chances")
    parser.add_argument("--journal", type=Path, help="file to restart from")
    options = parser.parse_args()
    try:
        simulation = Simulation(
            port=options.port, hooks=options.hooks, seed=options.seed, journal=options.journal
        )
    except LiveModeRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    simulation.start()
    for vendor, url in simulation.urls().items():
        sys.stdout.write(f"{vendor} {url}\n")
    sys.stdout.flush()
    stop.wait()
    simulation.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
