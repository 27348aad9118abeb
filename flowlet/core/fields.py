"""Model fields of ours: public ids, and text that is encrypted at rest and bound to its place."""

from typing import Any, cast

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Combinable

from flowlet.core import crypto
from flowlet.core.ids import new_id


class PublicIdField(models.CharField):  # type: ignore[type-arg] # not subscriptable at run time
    """The id the outside world sees: unique, prefixed, sortable, given once."""

    def __init__(self, *args: Any, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.update(max_length=40, unique=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return what a migration needs to rebuild the field."""
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("max_length", "unique", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, {**kwargs, "prefix": self.prefix}

    def get_default(self) -> str:
        """Return a fresh id; a default only so that the instance has it before it is saved."""
        return new_id(self.prefix)

    def has_default(self) -> bool:
        """Tell Django that the field fills itself."""
        return True


class Sealed(bytes):
    """A ciphertext as it came from the database, not yet opened."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


class _Opener:
    """Decrypt on first access, with the instance at hand that the value is bound to."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = self.field.open(instance, value)
        return value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg] # as above
    """
    Text under AES-256-GCM, bound to table, column and the row's `public_id`.

    The model needs a `public_id`. NULL and '' stay apart. `save` and `bulk_create` write; `update` with a text,
    `bulk_update` and every lookup but `isnull` raise, since they would write plain text or find nothing.
    `values()` hands out `<sealed>`.
    """

    def place(self, instance: models.Model) -> str:
        """Return what the ciphertext is bound to."""
        return self.place_of(cast("Any", instance).public_id)

    def place_of(self, public_id: str) -> str:
        """Return what the ciphertext of the row with that id is bound to."""
        return f"{self.model._meta.db_table}.{self.column}.{public_id}"  # noqa: SLF001 - Django's model API

    def open(self, instance: models.Model, blob: bytes) -> str:
        """
        Decrypt one value.

        :raises InvariantBroken: if no key opens it, or it belongs to another place
        """
        return crypto.unseal(blob, place=self.place(instance), keys=crypto.ring("FIELD_KEYS")).decode()

    def open_of(self, public_id: str, blob: bytes) -> str:
        """
        Decrypt what `values_list` gave, for reads too many for instances.

        :raises InvariantBroken: if no key opens it, or it belongs to another place
        """
        return crypto.unseal(blob, place=self.place_of(public_id), keys=crypto.ring("FIELD_KEYS")).decode()

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002
        """Put the decrypting descriptor in the attribute's place."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opener(self))

    def from_db_value(self, value: memoryview | None, *_: object) -> Sealed | None:
        """Mark what comes from the database as not yet opened."""
        return None if value is None else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Encrypt; a value that was never opened goes back as it came."""
        value = model_instance.__dict__.get(self.attname, self.get_default() if add else None)
        if value is None or isinstance(value, Sealed):
            return value
        if not isinstance(value, str):
            raise TypeError(f"{self.name} takes text")
        plain = value.encode()
        return Sealed(crypto.seal(plain, place=self.place(model_instance), keys=crypto.ring("FIELD_KEYS")))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        """
        Let only ciphertext through.

        :raises FieldError: for plain text, which only `update` and `bulk_update` would send here
        """
        if value is not None and not isinstance(value, Sealed | Combinable):
            raise FieldError(f"{self.name} is encrypted: use save() or bulk_create()")
        return super().get_db_prep_value(value, connection, prepared)

    def get_lookup(self, lookup_name: str) -> Any:
        """
        Allow `isnull` only.

        :raises FieldError: for every other lookup; search by the blind index beside the field
        """
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: only isnull can be asked")
        return super().get_lookup(lookup_name)

    def value_to_string(self, _obj: models.Model) -> str:
        """Never serialise the plain text."""
        return repr(Sealed())
