"""One search over everything: sources find, this page groups them and marks what matched."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from flowlet.backoffice.frame import is_part, page
from flowlet.backoffice.navigation import NAVIGATION
from flowlet.backoffice.people import Person, person_of
from flowlet.core.registry import Registry

TERM_LENGTH_MAX = 100
PER_GROUP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One hit: its title, a quiet line, its page."""

    title: str
    href: str
    meta: str = ""


class Source(Protocol):
    """
    What a source of the search offers.

    `wants` tells by the term's shape whether to ask at all, so that one search stays under six queries; `find` spends
    one query and returns at most five hits.
    """

    title: str
    icon: str
    permission: str
    order: int

    def wants(self, term: str) -> bool:
        """Tell whether the term can be one of ours."""
        ...

    def find(self, term: str, person: Person) -> Iterable[Found]:
        """Return the best hits, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleSource:
    """A source made of two functions."""

    title: str
    icon: str
    permission: str
    find: Callable[[str, Person], Iterable[Found]]
    wants: Callable[[str], bool] = lambda _term: True
    order: int = 50


@dataclass(frozen=True, slots=True)
class Marked:
    """A hit with its match marked."""

    title: SafeString
    meta: SafeString
    href: str


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """The hits of one source."""

    title: str
    icon: str
    rows: list[Marked]


SEARCH: Registry[Source] = Registry("backoffice.search")


def search(request: HttpRequest) -> HttpResponse:
    """Answer the search page, or only its options for the palette."""
    term = " ".join(request.GET.get("q", "").replace("\0", "").split())[:TERM_LENGTH_MAX]
    groups = find(term, person_of(request))
    if is_part(request, "palette"):
        return render(request, "backoffice/found_options.html", {"groups": groups, "term": term})
    return page(request, "backoffice/search.html", title="Search", groups=groups, term=term)


def find(term: str, person: Person) -> list[FoundGroup]:
    """Return the groups of hits this person may see, in the order of the sources; pages when the term is empty."""
    sources = sorted(SEARCH.values(), key=lambda source: source.order)
    groups = []
    for source in sources:
        if person.may(source.permission) and source.wants(term):
            rows = [_marked(one, term) for one in list(source.find(term, person))[:PER_GROUP]]
            if rows:
                groups.append(FoundGroup(source.title, source.icon, rows))
    return groups


def mark(text: str, term: str) -> SafeString:
    """Return the text with each word of the term marked where it first stands, whatever its case."""
    lowered = text.lower()
    spans: list[tuple[int, int]] = []
    if len(lowered) != len(text):  # a letter whose lower case is longer: positions would not fit
        return format_html("{}", text)
    for word in sorted(set(term.lower().split()), key=len, reverse=True):
        at = lowered.find(word)
        if at >= 0 and all(at + len(word) <= start or at >= end for start, end in spans):
            spans.append((at, at + len(word)))
    out, done = mark_safe(""), 0
    for start, end in sorted(spans):
        out += format_html("{}<mark>{}</mark>", text[done:start], text[start:end])
        done = end
    return out + format_html("{}", text[done:])


def _marked(found: Found, term: str) -> Marked:
    return Marked(mark(found.title, term), mark(found.meta, term), found.href)


def _pages(term: str, person: Person) -> Sequence[Found]:
    lowered = term.lower()
    return [
        Found(title=item.title, meta=item.group, href=reverse(item.url_name))
        for item in NAVIGATION.values()
        if person.may(item.permission) and lowered in item.title.lower()
    ]


SEARCH.register("pages")(
    SimpleSource(title="Pages", icon="layout-dashboard", permission="", find=_pages, order=90)
)
