"""Many counts in one query, each with a ceiling, so that no page scans a large table to draw a number."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

CEILING = 1_000


def count_each(
    querysets: Mapping[str, QuerySet[Any]], *, ceilings: Mapping[str, int] | None = None
) -> dict[str, int]:
    """
    Return the number of rows of each queryset, by one query.

    A number is never larger than its ceiling (1,000 unless given) plus one, which stands for "more than that".
    """
    ceilings = ceilings or {}
    found: dict[str, int] = {}
    parts: list[tuple[str, str, tuple[Any, ...]]] = []
    for name, queryset in querysets.items():
        try:
            limited = queryset.order_by().values("pk")[: ceilings.get(name, CEILING) + 1]
            sql, params = limited.query.sql_with_params()
        except EmptyResultSet:
            found[name] = 0
        else:
            parts.append((name, sql, params))
    if parts:
        # Each part is SQL that Django compiled; its values travel as parameters.
        statement = ", ".join(f"(SELECT count(*) FROM ({sql}) AS counted)" for _, sql, _ in parts)  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {statement}", [value for _, _, params in parts for value in params])
            row = cursor.fetchone()
        found.update({name: int(number) for (name, _, _), number in zip(parts, row or (), strict=True)})
    return found


def shown(number: int, *, ceiling: int = CEILING) -> str:
    """Return a count as text: `1,000+` once the ceiling is passed."""
    return f"{ceiling:,}+" if number > ceiling else f"{number:,}"
