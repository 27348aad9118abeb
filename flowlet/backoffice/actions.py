"""Buttons that do something: each asks for a reason, says what it will hit, and calls one operation of a domain."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from django import forms
from django.db.models import Model
from django.urls import reverse

from flowlet.audit.trail import Actor
from flowlet.backoffice.frame import Button
from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry

Reasons = Sequence[tuple[str, str]]
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """What an action is handed: who acts, why, when, and the values of its own form fields, if it has any."""

    person: Person
    actor: Actor
    reason: str
    note: str
    now: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


def _always(_obj: Any) -> bool:
    return True


def _nothing(_obj: Any) -> Sequence[str]:
    return ()


def fingerprint(obj: Model) -> str:
    """Return a short digest of a row's stored columns: what a form saw, to be compared when it is posted."""
    values = [
        f"{column.attname}={bytes(value).hex() if isinstance(value, bytes | memoryview) else value!r}"
        for column in obj._meta.concrete_fields  # noqa: SLF001 - Django's documented model API
        for value in (obj.__dict__.get(column.attname),)
    ]
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One verb on one kind of object, as declared by `action`."""

    name: str
    model: type[Model]
    permission: str
    run: Callable[[ActionCall, Any], object]
    label: str
    title: Callable[[Any], str]
    text: Callable[[Any], str]
    reasons: Callable[[Any], Reasons]
    reason: bool
    note: Literal["optional", "required", "none"]
    impact: Callable[[Any], Sequence[str]]
    available: Callable[[Any], bool]
    danger: bool
    primary: bool
    icon: str
    key: str
    keep_label: str
    done: Callable[[Any], str]
    next_href: Callable[[ActionCall, Any], str] | None
    version: Callable[[Any], str]
    lookup: str
    form: type[forms.Form] | None
    order: int
    button: bool

    def find(self, object_id: str) -> Model | None:
        """Return the object of that id, or None."""
        if "\0" in object_id:
            return None
        try:
            return self.model._default_manager.filter(**{self.lookup: object_id}).first()  # noqa: SLF001
        except ValueError:
            return None  # words where the look-up is a number

    def href(self, obj: Model, back: str = "") -> str:
        """Return the address that asks; `back` is where to go afterwards when the action names no next page."""
        address = reverse("admin:do", args=[self.name, getattr(obj, self.lookup)])
        return f"{address}?{urlencode({'next': back})}" if back else address


ACTIONS: Registry[Action] = Registry("backoffice.actions")


def _as_callable(value: Any) -> Callable[[Any], Any]:
    return value if callable(value) else lambda _obj: value


def action(  # noqa: PLR0913 - a declaration: each argument is one line of it
    *,
    name: str,
    model: type[Row],
    permission: str,
    label: str,
    title: str | Callable[[Row], str],
    done: str | Callable[[Row], str],
    reasons: Reasons | Callable[[Row], Reasons] = (),
    reason: bool = True,
    note: Literal["optional", "required", "none"] = "optional",
    text: str | Callable[[Row], str] = "",
    impact: Callable[[Row], Sequence[str]] = _nothing,
    available: Callable[[Row], bool] = _always,
    danger: bool = False,
    primary: bool = False,
    icon: str = "",
    key: str = "",
    keep_label: str = "Cancel",
    next_href: Callable[[ActionCall, Row], str] | None = None,
    version: Callable[[Row], str] = fingerprint,
    lookup: str = "public_id",
    form: type[forms.Form] | None = None,
    order: int = 50,
    button: bool = True,
) -> Callable[[Callable[[ActionCall, Row], object]], Callable[[ActionCall, Row], object]]:
    """
    Register a function as an action; it calls one operation with `call.reason`, `call.note`, `call.now`.

    `title` is the question that names the object, `label` the button's verb, `done` what the next page says.
    `impact` lists what the act will also hit; `available` hides the button when the act makes no sense now.
    `version` is what the form saw of the object: another one at the time of posting means somebody was quicker.
    `next_href` names the next page; default is where the person came from. `form` adds fields, read as `call.data`.
    `note="required"` asks for words as well. An action that needs a second person cannot be declared here: it goes
    through `approvals`: its button asks for one.
    """

    def register(function: Callable[[ActionCall, Row], object]) -> Callable[[ActionCall, Row], object]:
        declared = Action(
            name=name,
            model=model,
            permission=permission,
            run=function,
            label=label,
            title=_as_callable(title),
            text=_as_callable(text),
            reasons=_as_callable(tuple(reasons) if not callable(reasons) else reasons),
            reason=reason,
            note=note,
            impact=impact,
            available=available,
            danger=danger,
            primary=primary,
            icon=icon,
            key=key,
            keep_label=keep_label,
            done=_as_callable(done),
            next_href=next_href,
            version=version,
            lookup=lookup,
            form=form,
            order=order,
            button=button,
        )
        ACTIONS.register(name)(declared)
        return function

    return register


def buttons_for(person: Person, obj: Model, back: str = "") -> list[Button]:
    """Return the buttons this person may press on this object now; what is not allowed is not shown."""
    found = [
        known
        for known in ACTIONS.values()
        if known.button
        and isinstance(obj, known.model)
        and person.may(known.permission)
        and known.available(obj)
    ]
    return [
        Button(
            label=f"{known.label}…",
            href=known.href(obj, back),
            style="harm" if known.danger else "primary" if known.primary else "",
            icon=known.icon,
            key=known.key,
            dialog=True,
        )
        for known in sorted(found, key=lambda known: (known.order, known.name))
    ]
