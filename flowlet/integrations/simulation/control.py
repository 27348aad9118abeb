"""The control end point `/_control/…` on every port: reset, seed, clock, faults, books, deliver."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flowlet.integrations.simulation.faults import BadPlan, Plan
from flowlet.integrations.simulation.protocol import Call, Json, Reply

if TYPE_CHECKING:
    from flowlet.integrations.simulation.server import Simulation


def answer(simulation: "Simulation", call: Call) -> Reply:
    """Carry out one control call; what cannot be understood is a 400 with the reason."""
    command = COMMANDS.get(call.path.removeprefix("/_control/"))
    if command is None:
        return Reply(404, {"error": f"commands: {sorted(COMMANDS)}"})
    try:
        return Reply(200, command(simulation, call.json()))
    except (BadPlan, ValueError, TypeError, KeyError) as error:
        return Reply(400, {"error": str(error)})


def _reset(simulation: "Simulation", body: Json) -> Json:
    simulation.reset(str(body.get("seed", simulation.world.seed)))
    return {"seed": simulation.world.seed}


def _clock(simulation: "Simulation", body: Json) -> Json:
    with simulation.world.lock:
        simulation.world.advance(float(body.get("advance_s", 0)))
        simulation.run_due()
        return {"now": simulation.world.now()}


def _faults(simulation: "Simulation", body: Json) -> Json:
    """`plans` replaces those in force; without it they are only shown."""
    with simulation.world.lock:
        if "plans" in body:
            simulation.faults.plans = [Plan.read(plan) for plan in body["plans"]]
        return {"plans": [_shown(plan) for plan in simulation.faults.plans]}


def _shown(plan: Plan) -> dict[str, Any]:
    return {
        "do": plan.do,
        "match": plan.match,
        "seconds": plan.seconds,
        "share": plan.share,
        "seen": plan.seen,
    }


def _books(simulation: "Simulation", _body: Json) -> Json:
    with simulation.world.lock:
        # Through JSON and back: a picture of this moment, not the living objects.
        books: Json = json.loads(
            json.dumps({name: item.books() for name, item in simulation.vendors.items()})
        )
        outbox = simulation.outbox
        books["webhooks"] = {
            "pending": [[item.vendor, item.type, item.due] for item in outbox.pending],
            "lost": [[item.vendor, item.type] for item in outbox.lost],
            "sent": [list(item) for item in outbox.sent],
        }
        return books


def _deliver(simulation: "Simulation", _body: Json) -> Json:
    """Send what is due; `sent` counts the tries."""
    return {"sent": simulation.flush()}


COMMANDS: dict[str, Callable[["Simulation", Json], Json]] = {
    "reset": _reset,
    "seed": _reset,
    "clock": _clock,
    "faults": _faults,
    "books": _books,
    "deliver": _deliver,
}
