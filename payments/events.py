"""What payments tells the world; data holds ids, states and amounts only."""

from flowlet.events.types import declare

COMPLETED = declare("payment.completed", "A payment was made; the money has arrived.")
REFUSED = declare("payment.refused", "A payment was refused; no money moved.")
