"""The side bar: groups and items a person may see, with counts from one query."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry

Group = Literal["Work", "Compliance", "Money", "Books", "Reconciliation", "Control"]
GROUPS: tuple[Group, ...] = ("Work", "Compliance", "Money", "Books", "Reconciliation", "Control")


def _uncounted(_person: Person) -> QuerySet[Any] | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """
    One line of the side bar.

    `count` gives the rows whose number stands right of the label; `bad` colours it as overdue work.
    An empty `permission` shows the line to everyone on the staff.
    """

    title: str
    url_name: str
    group: Group
    icon: str
    permission: str = ""
    order: int = 50
    count: Callable[[Person], QuerySet[Any] | None] = _uncounted
    count_text: str = "open"
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An item as the template prints it."""

    title: str
    href: str
    icon: str
    current: bool
    count: str
    count_text: str
    bad: bool


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group of the side bar with at least one item."""

    title: str
    entries: list[Shown]


NAVIGATION: Registry[Item] = Registry("backoffice.navigation")


def navigation(request: HttpRequest, person: Person) -> list[ShownGroup]:
    """Return the groups this person may see; one query for all counts together."""
    allowed = [(key, item) for key, item in NAVIGATION.items() if person.may(item.permission)]
    allowed.sort(key=lambda pair: (pair[1].order, pair[1].title))
    counted = {key: item.count(person) for key, item in allowed}
    numbers = count_each({key: rows for key, rows in counted.items() if rows is not None})
    here = _current(request.path, [reverse(item.url_name) for _, item in allowed])
    groups = []
    for title in GROUPS:
        entries = [_show(item, here, numbers.get(key, 0)) for key, item in allowed if item.group == title]
        if entries:
            groups.append(ShownGroup(title, entries))
    return groups


def _current(path: str, hrefs: list[str]) -> str:
    """Return the longest address the page lies under; the index counts only for itself."""
    index = reverse("admin:index")
    under = [href for href in hrefs if path == href or (href != index and path.startswith(href))]
    return max(under, key=len, default="")


def _show(item: Item, here: str, number: int) -> Shown:
    href = reverse(item.url_name)
    return Shown(
        title=item.title,
        href=href,
        icon=item.icon,
        current=href == here,
        count=shown(number) if number else "",
        count_text=item.count_text,
        bad=item.bad,
    )
