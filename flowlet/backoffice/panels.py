"""Panels: the cards that pages are put together from, and the registry by which apps add theirs to the customer page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowlet.backoffice.cells import Main
from flowlet.backoffice.lists import Column
from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry
from flowlet.identity.models import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One card: a head, and a template with its data. `side` puts it into the right column."""

    title: str
    template: str
    data: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    href: str = ""
    href_text: str = "All"
    side: bool = False


def facts_panel(
    title: str, facts: Sequence[tuple[str, object]], *, side: bool = False, two: bool = False, note: str = ""
) -> Panel:
    """Return a card of label and value pairs; `two` sets them in two columns. Empty values become a dash."""
    return Panel(
        title=title, template="backoffice/facts.html", data={"facts": facts, "two": two}, side=side, note=note
    )


def table_panel(
    title: str,
    *,
    columns: Sequence[Column],
    rows: Sequence[Any],
    link: Callable[[Any], str] | None = None,
    empty: tuple[str, str] = ("Nothing here yet", ""),
    empty_icon: str = "inbox",
    note: str = "",
    href: str = "",
    href_text: str = "All",
) -> Panel:
    """Return a card with a small table; `link` gives a row's address, `empty` a title and a text for no rows."""
    return Panel(
        title=title,
        template="backoffice/small_table.html",
        data={
            "columns": columns,
            "rows": [cells(columns, row, link(row) if link else "") for row in rows],
            "linked": link is not None,
            "empty_title": empty[0],
            "empty_text": empty[1],
            "empty_icon": empty_icon,
        },
        note=note,
        href=href,
        href_text=href_text,
    )


def compare_panel(
    title: str,
    *,
    left: str,
    right: str,
    rows: Sequence[Mapping[str, object]],
    agreement: bool = False,
    shares: bool = False,
    foot: dict[str, object] | None = None,
    note: str = "",
) -> Panel:
    """
    Return a card that sets two sides beside each other, field by field.

    A row holds `label`, `left`, `right`, and where asked for `agreement` (a badge), `share` (a text), `note`; `foot`
    holds `label`, `span` and `value`.
    """
    data = {
        "left": left,
        "right": right,
        "rows": rows,
        "agreement": agreement,
        "shares": shares,
        "foot": foot,
    }
    return Panel(title=title, template="backoffice/compare.html", data=data, note=note)


def empty_panel(title: str, *, what: str, text: str = "", icon: str = "inbox") -> Panel:
    """Return a card that says why there is nothing to see."""
    return Panel(
        title=title, template="backoffice/empty_panel.html", data={"what": what, "text": text, "icon": icon}
    )


def cells(columns: Sequence[Column], row: Any, href: str) -> list[tuple[str, object]]:
    """Return a row as (classes, cell); the first two-line cell becomes the row's link."""
    shown: list[tuple[str, object]] = []
    for column in columns:
        cell = column.cell(row)
        if href and isinstance(cell, Main):
            cell, href = cell.linked(href), ""
        shown.append((column.classes, cell))
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPanel:
    """
    What an app adds to the customer page.

    `build` gets the customer, the person who looks and the time, and returns a panel, or None to show nothing; it
    may spend two queries. `tab` names the tab, `order` the place on it.
    """

    build: Callable[[Customer, Person, datetime], Panel | None]
    permission: str
    tab: str = "Overview"
    order: int = 50


# Keys are names such as "wallets"; the order on the page is `order`, then the name.
PANELS: Registry[CustomerPanel] = Registry("backoffice.panels")
