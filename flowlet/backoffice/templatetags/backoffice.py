"""Template tags of the theme: icons, badges, and values that may be empty."""

from django import template
from django.utils.safestring import SafeString

from flowlet.backoffice import cells

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Return one icon of the sprite; `size` is empty, `small` or `large`."""
    return cells.icon(name, size="small" if size == "small" else "large" if size == "large" else "")


@register.simple_tag
def badge(text: str, tone: str = "") -> SafeString:
    """Return a badge; `tone` is empty, ok, warn, bad, info or wait."""
    return cells.Badge(text, tone).html()  # type: ignore[arg-type]


@register.filter
def or_dash(value: object) -> object:
    """Return the value, or a dash that screen readers call none."""
    return cells.BLANK if value in ("", None) else value


@register.filter
def words(code: str) -> str:
    """Return a stored code as words."""
    return cells.words(code)
