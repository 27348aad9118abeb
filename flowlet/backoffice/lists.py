"""One list page: view, search, filters, order and page of a queryset, read from the query string and never trusted."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.db.models.constants import LOOKUP_SEP

from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.filters import Applied, Filter, FilterFault, Input

PAGE_SIZE = 25
CEILING = 10_000
TERM_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One column: its head, and how a row becomes a cell (a text or a part of `cells`).

    `width` is a class of the theme, empty takes what is left. `hide` drops the column on narrow pages: `m` under
    1100 px, `s` under 900 px. `order` names a model field the head sorts by.
    """

    title: str
    cell: Callable[[Any], object]
    width: Literal["", "xs", "s", "m", "l", "xl"] = ""
    right: bool = False
    hide: Literal["", "m", "s"] = ""
    order: str = ""

    @property
    def classes(self) -> str:
        """Return the classes of the column's cells."""
        names = (
            "right" if self.right else "",
            f"w-{self.width}" if self.width else "",
            f"hide-{self.hide}" if self.hide else "",
        )
        return " ".join(name for name in names if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A tab over the list: a condition, and optionally an order of its own (due first)."""

    key: str
    title: str
    condition: Q = field(default_factory=Q)
    order: tuple[str, ...] = ()
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlan:
    """All that a list declares about itself."""

    columns: Sequence[Column]
    order: tuple[str, ...]
    views: Sequence[View] = ()
    filters: Sequence[Filter] = ()
    search: Callable[[str], Q] | None = None
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Tab:
    """A view tab as the template prints it."""

    title: str
    href: str
    current: bool
    count: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, with the address that takes it off."""

    title: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Head:
    """A column head; `href` sorts, `sort` is the state for screen readers."""

    title: str
    classes: str
    href: str = ""
    sort: Literal["", "ascending", "descending"] = ""


@dataclass(slots=True)
class ListPage:
    """What the template needs of one list."""

    rows: list[Any]
    tabs: list[Tab]
    chips: list[Chip]
    heads: list[Head]
    inputs: list[Input]
    term: str
    searchable: bool
    total_text: str
    span_text: str
    previous_href: str
    next_href: str
    kept: list[tuple[str, str]]
    clear_href: str
    faults: list[str]
    narrowed: bool


@dataclass(slots=True)
class _Query:
    """The query string as far as the plan knows it; the rest becomes faults."""

    params: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def href(self, **changes: str | None) -> str:
        """Return the same page with some parameters changed or (None) removed; a change starts at page one."""
        params = {key: value for key, value in self.params.items() if key not in ("page", "after", "before")}
        for key, value in changes.items():
            params.pop(key, None)
            if value:
                params[key] = value
        return f"?{urlencode(params)}"


def build(plan: ListPlan, queryset: QuerySet[Any], raw: Mapping[str, str]) -> ListPage:
    """
    Return one page of the list for a query string; never raises for what stands in it.

    Up to 10,000 rows pages have numbers; above that they follow the order's key, since offsets would scan.
    """
    query = _read(plan, raw)
    view = _view(plan, query)
    term = query.params.get("q", "")
    applied = list(_applied(plan, query))
    base = _narrow(plan, queryset, term, [found for _, found in applied])
    chosen = base.filter(view.condition) if view else base
    counts = _counts(plan, queryset, chosen)
    tabs = _tabs(plan, query, view, counts)
    order, sort = _order(plan, query, view)
    page = _Page(chosen, order, plan.page_size, counts[""], query)
    rows = page.rows()
    return ListPage(
        rows=rows,
        tabs=tabs,
        chips=[
            Chip(found.title, done.text, query.href(**dict.fromkeys(found.names))) for found, done in applied
        ],
        heads=[_head(column, query, sort) for column in plan.columns],
        inputs=[one for declared in plan.filters for one in declared.inputs(query.params)],
        term=term,
        searchable=plan.search is not None,
        total_text=shown(counts[""], ceiling=CEILING),
        span_text=page.span_text(len(rows)),
        previous_href=page.previous_href,
        next_href=page.next_href,
        kept=[(key, query.params[key]) for key in ("view", "o") if key in query.params],
        clear_href=query.href(**dict.fromkeys([*(name for f in plan.filters for name in f.names), "q"])),
        faults=query.faults,
        narrowed=bool(term or applied),
    )


def _read(plan: ListPlan, raw: Mapping[str, str]) -> _Query:
    known = {"q", "o", "page", "after", "before", "view", *(name for f in plan.filters for name in f.names)}
    query = _Query({key: value for key, value in raw.items() if key in known and value})
    query.faults += [
        f"The filter {key[:40]!r} is not known here and was left out." for key in raw if key not in known
    ]
    term = query.params.get("q", "").replace("\0", "").strip()[:TERM_LENGTH_MAX]
    query.params.pop("q", None)
    if term and plan.search is not None:
        query.params["q"] = term
    return query


def _view(plan: ListPlan, query: _Query) -> View | None:
    if not plan.views:
        return None
    wanted = query.params.get("view", plan.views[0].key)
    for view in plan.views:
        if view.key == wanted:
            return view
    query.faults.append(f"There is no view {wanted[:40]!r}; this is {plan.views[0].title.lower()}.")
    query.params.pop("view")
    return plan.views[0]


def _applied(plan: ListPlan, query: _Query) -> Iterable[tuple[Filter, Applied]]:
    for declared in plan.filters:
        try:
            found = declared.read(query.params)
        except FilterFault as fault:
            query.faults.append(f"{fault} The filter was left out.")
            for name in declared.names:
                query.params.pop(name, None)
        else:
            if found is not None:
                yield declared, found


def _narrow(plan: ListPlan, queryset: QuerySet[Any], term: str, applied: list[Applied]) -> QuerySet[Any]:
    for found in applied:
        queryset = queryset.filter(found.condition)
    if term and plan.search is not None:
        queryset = queryset.filter(plan.search(term))
    return queryset


def _counts(plan: ListPlan, queryset: QuerySet[Any], chosen: QuerySet[Any]) -> dict[str, int]:
    """Return the rows of each tab, and under '' those of this page's selection, by one query."""
    tabs = {view.key: queryset.filter(view.condition) for view in plan.views if view.counted}
    return count_each({**tabs, "": chosen}, ceilings={"": CEILING})


def _tabs(plan: ListPlan, query: _Query, current: View | None, numbers: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(
            title=view.title,
            href=query.href(view=view.key, o=None),
            current=view is current,
            count=shown(numbers[view.key]) if view.key in numbers else "",
        )
        for view in plan.views
    ]


def _order(plan: ListPlan, query: _Query, view: View | None) -> tuple[tuple[str, ...], str]:
    """Return the order with its unique last column, and the head's own sort when one was asked for."""
    asked = query.params.get("o", "")
    usual = (view.order if view else ()) or plan.order
    if not asked:
        return usual, ""
    if asked.lstrip("-") not in {column.order for column in plan.columns if column.order}:
        query.faults.append(f"This list cannot be ordered by {asked[:40]!r}.")
        query.params.pop("o")
        return usual, ""
    unique = plan.order[-1]
    return (asked, unique) if asked.lstrip("-") != unique.lstrip("-") else (asked,), asked


def _head(column: Column, query: _Query, sort: str) -> Head:
    if not column.order:
        return Head(column.title, column.classes)
    if sort == column.order:
        return Head(column.title, column.classes, query.href(o=f"-{column.order}"), "ascending")
    state: Literal["", "descending"] = "descending" if sort == f"-{column.order}" else ""
    return Head(column.title, column.classes, query.href(o=column.order), state)


class _Page:
    """One page of rows, by number up to the ceiling and by key above it."""

    def __init__(
        self, queryset: QuerySet[Any], order: tuple[str, ...], size: int, total: int, query: _Query
    ) -> None:
        self.queryset, self.order, self.size, self.total, self.query = queryset, order, size, total, query
        self.previous_href = self.next_href = ""
        self.by_key = total > CEILING

    def rows(self) -> list[Any]:
        return self._rows_by_key() if self.by_key else self._rows_by_number()

    def span_text(self, count: int) -> str:
        if self.by_key or not count:
            return f"{count} on this page"
        return f"{self.first + 1:,}\N{EN DASH}{self.first + count:,}"

    def _rows_by_number(self) -> list[Any]:
        last = max(0, (self.total - 1) // self.size)
        asked = self.query.params.get("page", "1")
        number = min(int(asked) - 1, last) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0  # noqa: PLR2004
        number = max(number, 0)
        self.first = number * self.size
        if number:
            self.previous_href = f"{self.query.href()}&page={number}"
        if number < last:
            self.next_href = f"{self.query.href()}&page={number + 2}"
        return list(self.queryset.order_by(*self.order)[self.first : self.first + self.size])

    def _rows_by_key(self) -> list[Any]:
        after, before = (self._unpack(self.query.params.get(key, "")) for key in ("after", "before"))
        order = _reversed(self.order) if before else self.order
        edge = before or after
        queryset = self.queryset.filter(_beyond(self.queryset, order, edge)) if edge else self.queryset
        rows = list(queryset.order_by(*order)[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        if before:
            rows.reverse()
        if rows and (more or before):
            self.next_href = f"{self.query.href()}&after={self._pack(rows[-1])}"
        if rows and (after or (before and more)):
            self.previous_href = f"{self.query.href()}&before={self._pack(rows[0])}"
        return rows

    def _pack(self, row: Any) -> str:
        values = [_value(row, name.lstrip("-")) for name in self.order]
        return base64.urlsafe_b64encode(json.dumps(values, cls=_KeyEncoder).encode()).decode()

    def _unpack(self, text: str) -> list[Any] | None:
        if not text:
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(text.encode()))
        except ValueError:
            values = None
        if not isinstance(values, list) or len(values) != len(self.order):
            self.query.faults.append("The page could not be found again; this is the first one.")
            return None
        try:
            return [
                None if value is None else column_of(self.queryset, name).to_python(value)
                for name, value in zip(self.order, values, strict=True)
            ]
        except (ValidationError, TypeError, ValueError):
            self.query.faults.append("The page could not be found again; this is the first one.")
            return None


class _KeyEncoder(DjangoJSONEncoder):
    """Keep microseconds: Django's encoder cuts them to milliseconds, and a page would repeat its last row."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def _value(row: Any, path: str) -> Any:
    """Return what a row is ordered by; None where the way there ends."""
    for step in path.split(LOOKUP_SEP):
        row = None if row is None else getattr(row, step)
    return row


def column_of(queryset: QuerySet[Any], name: str) -> Any:
    """Return the column of an order: of the row itself, of one that it leads to, or worked out beside it."""
    path = name.lstrip("-")
    if path in queryset.query.annotations:
        return queryset.query.annotations[path].output_field
    *way, last = path.split(LOOKUP_SEP)
    model = queryset.model
    for step in way:
        model = model._meta.get_field(step).related_model  # noqa: SLF001
    return model._meta.pk if last == "pk" else model._meta.get_field(last)  # noqa: SLF001


def _reversed(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _beyond(queryset: QuerySet[Any], order: tuple[str, ...], values: list[Any]) -> Q:
    """
    Return the rows after the given key: (a > x) or (a = x and b > y) …, each column in its own direction.

    Rows without a value stand where PostgreSQL puts them: last, or first in a descending order.
    """
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        plain, descending = name.lstrip("-"), name.startswith("-")
        if value is None:
            condition |= equal & (Q(**{f"{plain}__isnull": False}) if descending else Q(pk__in=()))
            equal &= Q(**{f"{plain}__isnull": True})
            continue
        after = Q(**{f"{plain}__{'lt' if descending else 'gt'}": value})
        if not descending and column_of(queryset, name).null:
            after |= Q(**{f"{plain}__isnull": True})
        condition |= equal & after
        equal &= Q(**{plain: value})
    return condition & _from(queryset, order[0], values[0])


def _from(queryset: QuerySet[Any], name: str, value: object) -> Q:
    """Return the first column's bound by itself: an index can begin there, which it cannot at alternatives."""
    if value is None or (column_of(queryset, name).null and not name.startswith("-")):
        return Q()
    return Q(**{f"{name.lstrip('-')}__{'lte' if name.startswith('-') else 'gte'}": value})
