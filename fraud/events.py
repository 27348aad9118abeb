"""The events that fraud publishes; all stay in the house."""

from flowlet.events.types import declare

DECIDED = declare("fraud.decided", "A movement was scored and decided on.", internal=True)
LABELLED = declare("fraud.labelled", "What became of a movement is known.", internal=True)
MODEL_MOVED = declare(
    "fraud.model_moved", "A model was promoted, or the previous one put back.", internal=True
)
