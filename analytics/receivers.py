"""What analytics does with each event: mark the days it touches, and queue its point when there is a sink."""

from datetime import datetime

from analytics.operations.points import queue_point
from analytics.operations.refreshing import mark
from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS


@RECEIVERS.register("analytics")
def receive(event: Event, now: datetime) -> None:
    """Take note of an event; safe to run twice."""
    mark(event, now)
    queue_point(event)
