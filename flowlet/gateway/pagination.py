"""Cursor pagination that stays right while rows are inserted: the cursor says after which row to go on."""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from flowlet.core.errors import FieldError, InvalidInput

Row = TypeVar("Row", bound=models.Model)
_MAC_BYTES = 16
NEWEST_FIRST = ("-created_at", "-public_id")


@dataclass(frozen=True, slots=True)
class Paging:
    """
    How one list is cut: `order` are fields, all descending (`-name`) or all ascending, together unique and never null.

    `scope` is everything that makes this list this list (partner, address, filters): a cursor of another one is refused.
    """

    order: tuple[str, ...]
    limit: int
    cursor: str | None
    scope: str


def cut(rows: QuerySet[Row], paging: Paging, render: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
    """
    Return one page: `{object, data, has_more, next}`; `next` is null on the last page.

    :raises InvalidInput: if the cursor is not one of this list
    """
    if paging.cursor is not None:
        rows = rows.filter(_after(paging.order, read_cursor(paging.cursor, paging)))
    found = list(rows.order_by(*paging.order)[: paging.limit + 1])
    page, has_more = found[: paging.limit], len(found) > paging.limit
    return {
        "object": "list",
        "data": [render(row) for row in page],
        "has_more": has_more,
        "next": write_cursor(page[-1], paging) if has_more else None,
    }


def _names(order: tuple[str, ...]) -> list[str]:
    return [name.removeprefix("-") for name in order]


def _after(order: tuple[str, ...], values: list[Any]) -> Q:
    comparison = "lt" if order[0].startswith("-") else "gt"
    names = _names(order)
    # Redundant but for the planner, which finds its place in an index by this part alone.
    condition = Q(**{f"{names[0]}__{comparison}e": values[0]})
    steps = Q()
    for index, name in enumerate(names):
        equal = dict(zip(names[:index], values[:index], strict=True))
        steps |= Q(**equal, **{f"{name}__{comparison}": values[index]})
    return condition & steps


def write_cursor(row: models.Model, paging: Paging) -> str:
    """Return the opaque text that stands for "after this row" of this list."""
    values = []
    for name in _names(paging.order):
        value: Any = row
        for step in name.split("__"):
            value = getattr(value, step)
        values.append(value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value)
    payload = json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(payload, paging) + payload).decode().rstrip("=")


def read_cursor(text: str, paging: Paging) -> list[Any]:
    """
    Return the sort values of the row the cursor names.

    :raises InvalidInput: if it was changed, or belongs to another list or other filters
    """
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not payload or not hmac.compare_digest(mac, _mac(payload, paging)):
        raise _bad_cursor()
    return [_value(item) for item in json.loads(payload)]


def _value(item: Any) -> Any:
    if isinstance(item, str) and "T" in item and item.endswith("+00:00"):
        return datetime.fromisoformat(item)
    return item


def _mac(payload: bytes, paging: Paging) -> bytes:
    message = f"{paging.scope}|{','.join(paging.order)}|".encode() + payload
    return salted_hmac("flowlet.gateway.cursor", message, algorithm="sha256").digest()[:_MAC_BYTES]


def _bad_cursor() -> InvalidInput:
    detail = "This cursor does not belong to this list with these filters."
    return InvalidInput(errors=(FieldError("/query/cursor", "bad_cursor", detail),))
