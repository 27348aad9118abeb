"""Base classes of request bodies and query strings: what is not named is refused, at every level."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from flowlet.gateway.fields import CountField, InstantField, TextField

LIMIT_DEFAULT = 25
LIMIT_MAX = 100


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose every name is known; nested bodies are strict as well if their serializers are."""

    reads_query: ClassVar[bool] = False
    default_error_messages = {"invalid": "This must be a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        """
        Return the checked values.

        :raises ValidationError: with every fault, unknown names included
        """
        unknown = sorted(set(data) - set(self._writable_names())) if isinstance(data, dict) else []
        faults = {name[:80]: [ErrorDetail("There is no such field.", "unknown_field")] for name in unknown}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            if isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **faults}) from None
            raise
        if faults:
            raise ValidationError(faults)
        return values

    def _writable_names(self) -> list[str]:
        return [field.field_name or "" for field in self._writable_fields]


class ListQuery(StrictSerializer):
    """
    The query string of a list: `limit`, `cursor`, `created[gte]`, `created[lt]`, `idempotency_key`.

    Subclass it to add filters; the names of your fields are the names in the query string.
    """

    reads_query: ClassVar[bool] = True
    limit = CountField(
        minimum=1, maximum=LIMIT_MAX, default=LIMIT_DEFAULT, help_text=f"How many, 1 to {LIMIT_MAX}."
    )
    cursor = TextField(required=False, max_length=500, help_text="`next` of the page before.")
    idempotency_key = TextField(
        required=False, max_length=255, help_text="Only the object that was created with this key."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with the two whose names are no Python names."""
        return {
            **super().get_fields(),
            "created[gte]": InstantField(
                required=False, help_text="Created at this time or later (RFC 3339)."
            ),
            "created[lt]": InstantField(required=False, help_text="Created before this time (RFC 3339)."),
        }


class EmptyIn(StrictSerializer):
    """An empty object."""
