"""Column types that only fraud needs: transaction ids and feature vectors."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Xid8Field(models.Field):  # type: ignore[type-arg] # not subscriptable at run time
    """A full transaction id; the database fills it (see the guards), Python reads it as a number."""

    empty_strings_allowed = False

    def db_type(self, connection: object) -> str:  # noqa: ARG002 - Django's signature
        """Return the PostgreSQL type."""
        return "xid8"

    def from_db_value(self, value: str | None, *_: object) -> int | None:
        """Read the text psycopg2 hands over."""
        return None if value is None else int(value)


class Float4Field(models.FloatField):  # type: ignore[type-arg] # not subscriptable at run time
    """Single precision, as the models use it."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002 - Django's signature
        """Return the PostgreSQL type."""
        return "real"


class FloatVectorField(ArrayField):  # type: ignore[type-arg] # not subscriptable at run time
    """A feature vector as float4[]: what the model saw, bit for bit."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["base_field"] = Float4Field()
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        """Return what a migration needs to rebuild the field."""
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        return name, "fraud.columns.FloatVectorField", list(args), kwargs
