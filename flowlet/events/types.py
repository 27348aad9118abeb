"""The kinds of events there are; publishing an unregistered one is a mistake that fails at once."""

from dataclasses import dataclass

from flowlet.core.registry import Registry
from flowlet.events.models import Event


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event: a sentence for the documentation, and who may see it."""

    description: str
    visibility: Event.Visibility = Event.Visibility.PARTNER


EVENT_TYPES: Registry[EventType] = Registry("events.types")


def declare(name: str, description: str, *, internal: bool = False) -> str:
    """Register an event type and return its name, to be kept as a constant."""
    visibility = Event.Visibility.INTERNAL if internal else Event.Visibility.PARTNER
    EVENT_TYPES.register(name)(EventType(description, visibility))
    return name
