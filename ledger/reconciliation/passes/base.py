"""What matching works on: a bank's lines, the ledger's open items, and what a pass finds. Pure: no tables, no clock."""

import pkgutil
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from typing import ClassVar, Protocol

from flowlet.core.registry import Registry
from ledger.reconciliation import passes

_NOTHING = frozenset({"NOTPROVIDED", "NOREF", "NONREF", "NOTAVAILABLE"})
_SHORTEST = 6
TWIN_DAYS = timedelta(days=4)
_NOT_PLAIN = re.compile(r"[^A-Z0-9]+")
# One of our own ids, with or without its underscore: banks know no underscore and put a blank or nothing there.
_OURS = re.compile(r"(?<![A-Z0-9])[A-Z]{3}[^A-Z0-9]?[0-7][0-9A-HJKMNP-TV-Z]{25}(?![A-Z0-9])")
_OURS_PLAIN = re.compile(r"[A-Z]{3}[0-7][0-9A-HJKMNP-TV-Z]{25}")


def plain(text: str) -> str:
    """Return a reference as it is compared: capitals and digits only, '' for one that says nothing."""
    bare = _NOT_PLAIN.sub("", text.upper())
    return "" if len(bare) < _SHORTEST or bare in _NOTHING else bare


def references(*whole: str, text: str = "") -> frozenset[str]:
    """Return the references in fields that hold one each, and our own ids found anywhere in a free text."""
    found = {plain(one) for one in whole}
    found |= {plain(one) for one in _OURS.findall(text.upper())}
    return frozenset(found - {""})


@dataclass(frozen=True, slots=True)
class Part:
    """What a bank says a sum consists of: a reference and an amount (minor units, money in above zero)."""

    reference: str
    amount: int


@dataclass(frozen=True, slots=True)
class Line:
    """
    What is left to match of a bank's line: minor units, money in above zero.

    `day` is the bank's booking date, `value_day` its value date if it tells one. `references` are plain (see
    `references`), `parts` what the bank says the sum consists of. `iban` is any text that is equal for equal
    counterparties, '' if the bank names none.
    """

    id: int
    amount: int
    day: date
    references: frozenset[str] = frozenset()
    batch: str = ""
    iban: str = ""
    name: str = ""
    parts: tuple[Part, ...] = ()
    value_day: date | None = None

    @property
    def names_ours(self) -> bool:
        """Tell whether it carries one of our own ids: then it is about that object and no other."""
        return any(_OURS_PLAIN.fullmatch(one) for one in self.references)


@dataclass(frozen=True, slots=True)
class Item:
    """What is left to match of a posting on a clearing account: minor units, money expected in above zero."""

    id: int
    amount: int
    day: date
    references: frozenset[str] = frozenset()
    batch: str = ""
    iban: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """How many days before and after a line's booking date the items may lie that it is matched with."""

    before: int = 10
    after: int = 4

    def holds(self, line: Line, item: Item) -> bool:
        """Tell whether the item lies in the window of the line."""
        return -self.before <= (item.day - line.day).days <= self.after

    def days(self, line: Line) -> tuple[date, date]:
        """Return the first and the last day of items for this line."""
        return line.day - timedelta(days=self.before), line.day + timedelta(days=self.after)


@dataclass(frozen=True, slots=True)
class Found:
    """Lines and items that belong together, their sums equal; `score` of 100, `reasons` as codes for people."""

    matcher: str
    lines: tuple[int, ...]
    items: tuple[int, ...]
    score: int
    reasons: tuple[str, ...]


class Matcher(Protocol):
    """
    One pass: what it returns is booked without a person, so it holds only what is unique both ways in the window.

    Passes run by `order`; each sees what those before it have left. No line and no item may be in two results.
    """

    order: ClassVar[int]
    title: ClassVar[str]

    def find(
        self, lines: Sequence[Line], items: Sequence[Item], window: Window, settled: Sequence[Line]
    ) -> list[Found]:
        """
        Return what belongs together beyond doubt; time grows about linearly with lines and items.

        `settled` are lines that were matched before: an open one like them may be the same money stated twice.
        """
        ...


MATCHERS: Registry[Matcher] = Registry("ledger.matchers")


def load() -> None:
    """Import every module of this package, so that each pass registers itself."""
    for found in pkgutil.iter_modules(passes.__path__):
        import_module(f"{passes.__name__}.{found.name}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the passes found, and what is left for people."""

    found: tuple[Found, ...]
    lines: tuple[Line, ...]
    items: tuple[Item, ...]


def run(
    lines: Iterable[Line],
    items: Iterable[Item],
    window: Window,
    *,
    settled: Iterable[Line] = (),
    matchers: Sequence[str] = (),
) -> Outcome:
    """
    Run the passes in their order (only those named, if any are) and return what they found and left.

    `settled` are lines of the same days that were matched before.

    :raises UnknownEntry: if there is no pass of a name
    """
    wanted = [MATCHERS.get(name) for name in matchers] or MATCHERS.values()
    found: list[Found] = []
    open_lines, open_items, done = tuple(lines), tuple(items), list(settled)
    for matcher in sorted(wanted, key=lambda one: one.order):
        if not open_lines or not open_items:
            break
        fresh = matcher.find(open_lines, open_items, window, done)
        if not fresh:
            continue
        found += fresh
        used_lines = {one for result in fresh for one in result.lines}
        done += [line for line in open_lines if line.id in used_lines]
        used_items = {one for result in fresh for one in result.items}
        open_lines = tuple(line for line in open_lines if line.id not in used_lines)
        open_items = tuple(item for item in open_items if item.id not in used_items)
    return Outcome(tuple(found), open_lines, open_items)


def disjoint(found: Iterable[Found]) -> list[Found]:
    """Return the results that share no line and no item with another: what two claim is nobody's."""
    everything = list(found)
    lines, items = _claims(one.lines for one in everything), _claims(one.items for one in everything)
    return [
        one
        for one in everything
        if all(lines[key] == 1 for key in one.lines) and all(items[key] == 1 for key in one.items)
    ]


def without_twins(lines: Sequence[Line], settled: Iterable[Line]) -> list[Line]:
    """
    Return the lines that no other, open or settled, equals in amount and counterparty within a few days.

    Banks book things twice, and the second line may have lost its reference: such a pair is for people.
    """
    keys = {(line.amount, line.iban) for line in lines}
    days: dict[tuple[int, str], list[date]] = defaultdict(list)
    for line in (*lines, *settled):
        if (line.amount, line.iban) in keys:
            days[line.amount, line.iban].append(line.day)
    for group in days.values():
        group.sort()
    return [line for line in lines if _near_count(days[line.amount, line.iban], line.day) == 1]


def _near_count(days: Sequence[date], day: date) -> int:
    return bisect_right(days, day + TWIN_DAYS) - bisect_left(days, day - TWIN_DAYS)


def _claims(keys: Iterable[Iterable[int]]) -> Mapping[Hashable, int]:
    counts: dict[Hashable, int] = defaultdict(int)
    for group in keys:
        for key in set(group):
            counts[key] += 1
    return counts
