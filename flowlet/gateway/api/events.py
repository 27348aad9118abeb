"""Events: what happened to a partner's objects, each with a number in its object's own sequence."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.response import Response

from flowlet.core.errors import NotFound
from flowlet.events.models import Event
from flowlet.gateway.fields import CountField, TextField
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import ListQuery
from flowlet.gateway.views import ApiRequest, ApiView

_BIGGEST = 2**63 - 1


class EventOut(serializers.Serializer[Any]):
    """One event."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["event"])
    type = serializers.CharField()
    subject_type = serializers.CharField()
    subject = serializers.CharField(help_text="The id of the object it is about.")
    sequence = serializers.IntegerField(help_text="1, 2, 3 … for each object, without gaps.")
    data = serializers.DictField()  # type: ignore[assignment] # the declared fields leave the class
    created_at = serializers.DateTimeField()


def render(event: Event) -> dict[str, Any]:
    """Return an event as the partner sees it."""
    return {
        "id": event.public_id,
        "object": "event",
        "type": event.type,
        "subject_type": event.object_type,
        "subject": event.object_id,
        "sequence": event.sequence,
        "data": event.data,
        "created_at": event.occurred_at,
    }


class EventQuery(ListQuery):
    """Filters of the list of events."""

    object = TextField(required=False, max_length=40, help_text="Only events about the object with this id.")
    after_sequence = CountField(
        minimum=0,
        maximum=_BIGGEST,
        required=False,
        help_text="With `object`: only later ones, oldest first. So a reader finds what he missed, without a clock.",
    )
    type = TextField(required=False, max_length=60)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Check that a sequence comes with its object.

        :raises ValidationError: if not
        """
        if "after_sequence" in attrs and "object" not in attrs:
            raise serializers.ValidationError(
                {"object": [ErrorDetail("after_sequence needs it.", "required")]}
            )
        return attrs


class EventsView(ApiView):
    """The partner's events."""

    scopes = {"GET": "events:read"}
    list_query = EventQuery
    costs = {"GET": 2}
    order = ("-occurred_at", "-public_id")

    @document(summary="List events", answer=list_of(EventOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page: newest first, or in the object's own order after a sequence."""
        query = self.query()
        rows = visible_to(request.principal.partner_id)
        if "type" in query:
            rows = rows.filter(type=query["type"])
        if "object" in query:
            rows = rows.filter(object_id=query["object"])
        if "after_sequence" in query:
            rows = rows.filter(sequence__gt=query["after_sequence"])
            return self.page(request, rows, render, order=("sequence",))
        return self.page(request, rows, render)


class EventView(ApiView):
    """One event."""

    scopes = {"GET": "events:read"}

    @document(summary="Show an event", answer=EventOut)
    def get(self, request: ApiRequest, event_id: str) -> Response:
        """Return the event."""
        event = visible_to(request.principal.partner_id).filter(public_id=event_id).first()
        if event is None:
            raise NotFound
        return Response(render(event))


def visible_to(partner_id: int) -> Any:
    """Return the events that a partner may see, as a queryset."""
    return Event.objects.filter(partner_id=partner_id, visibility=Event.Visibility.PARTNER)
