"""What every page of the back office needs around its content: person, side bar, path, colours, environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from flowlet.backoffice.navigation import navigation
from flowlet.backoffice.people import person_of

THEME_COOKIE = "flowlet_theme"
THEMES = {
    "auto": ("as the system", "monitor", "light"),
    "light": ("light", "sun", "dark"),
    "dark": ("dark", "moon", "auto"),
}

Path = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A link that looks like a button; with `dialog` it opens as one when there is JavaScript."""

    label: str
    href: str
    style: Literal["", "primary", "quiet", "harm"] = ""
    icon: str = ""
    key: str = ""
    dialog: bool = False
    download: bool = False


def theme_of(request: HttpRequest) -> str:
    """Return the colours this browser asked for: auto, light or dark."""
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def bare_context(request: HttpRequest, *, title: str) -> dict[str, Any]:
    """Return what pages without a person need: log-in and errors."""
    theme = theme_of(request)
    return {
        "title": title,
        "theme": "" if theme == "auto" else theme,
        "environment": "Live" if settings.FLOWLET_MODE == "live" else "Sandbox",
    }


def page_context(request: HttpRequest, *, title: str, path: Path = (), **extra: Any) -> dict[str, Any]:
    """
    Return the context of a page inside the frame; `path` names what lies above it as (text, address).

    Costs one query for the counts in the side bar, and the person's permissions once a request.
    """
    person = person_of(request)
    name, sign, following = THEMES[theme_of(request)]
    return {
        **bare_context(request, title=title),
        "theme_name": name,
        "theme_icon": sign,
        "theme_next": following,
        "person_name": person.name,
        "person_initials": person.initials,
        "person_role": person.role,
        "navigation": navigation(request, person),
        "path": [*path, (title, "")],
        "idle_s": settings.SESSION_COOKIE_AGE,
        **extra,
    }


def page(
    request: HttpRequest, template: str, *, title: str, path: Path = (), status: int = 200, **extra: Any
) -> HttpResponse:
    """Render a page inside the frame."""
    return render(request, template, page_context(request, title=title, path=path, **extra), status=status)


def is_part(request: HttpRequest, part: str) -> bool:
    """Tell whether one of our scripts asks for a part of a page instead of the whole."""
    return request.headers.get("X-Part") == part


def safe_next(text: str) -> str:
    """Return an address inside the back office that was handed over by the page, or the index."""
    index = reverse("admin:index")
    inside = text.startswith(index) and "\\" not in text
    if inside and url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return text
    return index
