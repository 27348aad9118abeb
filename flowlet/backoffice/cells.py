"""What stands in a cell, a fact or a line: small values that know their own HTML. No queries, no permissions."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from flowlet.core.money import Money

Tone = Literal["", "ok", "warn", "bad", "info", "wait"]

DUE_SOON = timedelta(hours=4)
BLANK = mark_safe(
    '<span class="quiet-text" aria-hidden="true">\N{EN DASH}</span><span class="clip">none</span>'
)


def icon(name: str, *, size: Literal["", "small", "large"] = "") -> SafeString:
    """Return one icon of the sprite; decoration only, hidden from screen readers."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f" icon-{size}" if size else "",
        static("flowlet/icons.svg"),
        name,
    )


class Part:
    """A value that renders itself; templates print it as it is."""

    def html(self) -> SafeString:
        """Return the part's HTML, every text escaped."""
        raise NotImplementedError

    def __html__(self) -> SafeString:
        return self.html()

    def __str__(self) -> str:
        return self.html()


@dataclass(frozen=True, slots=True)
class Main(Part):
    """The two-line first cell of a row: a title over a quiet line; the list makes the title the row's link."""

    title: str
    meta: str = ""
    mono: bool = False
    href: str = ""

    def linked(self, href: str) -> "Main":
        """Return the same cell with its title as a link."""
        return replace(self, href=self.href or href)

    def html(self) -> SafeString:
        """Return title and meta; the full text stands in `title` because the cell cuts it."""
        tag = (
            format_html('<a class="cell-main" href="{}" title="{}">{}</a>', self.href, self.title, self.title)
            if self.href
            else format_html('<span class="cell-main" title="{}">{}</span>', self.title, self.title)
        )
        if not self.meta:
            return tag
        return format_html(
            '{}<span class="cell-meta{}" title="{}">{}</span>',
            tag,
            " mono" if self.mono else "",
            self.meta,
            self.meta,
        )


@dataclass(frozen=True, slots=True)
class Badge(Part):
    """A state in words on a tinted ground, at most about 16 letters."""

    text: str
    tone: Tone = ""

    def html(self) -> SafeString:
        """Return the badge."""
        return format_html(
            '<span class="badge{}">{}</span>', f" badge-{self.tone}" if self.tone else "", self.text
        )


@dataclass(frozen=True, slots=True)
class Due(Part):
    """How long until (or since) an instant: overdue in bad, the last four hours in warn, later plain."""

    at: datetime
    now: datetime

    def html(self) -> SafeString:
        """Return icon and words; the exact time stands in `title`."""
        left = self.at - self.now
        tone, sign = ("bad", "clock-alert") if left < timedelta(0) else ("warn", "clock")
        if left > DUE_SOON:
            tone, sign = "later", ""
        words = f"{span_text(abs(left))} overdue" if left < timedelta(0) else f"{span_text(left)} left"
        picture = icon(sign) if sign else ""
        return format_html(
            '<span class="due due-{}" title="{}">{}{}</span>', tone, stamp(self.at), picture, words
        )


@dataclass(frozen=True, slots=True)
class Amount(Part):
    """An amount with its currency after it; with `signed`, money in carries a plus and the colour of good."""

    money: Money
    signed: bool = False

    def html(self) -> SafeString:
        """Return the amount on one line, with no-break spaces."""
        incoming = self.signed and self.money.minor > 0
        digits = f"{self.money.decimal():,}".replace("-", "\N{MINUS SIGN}")
        return format_html(
            '<span class="money{}">{}{}\N{NO-BREAK SPACE}<small>{}</small></span>',
            " money-in" if incoming else "",
            "+" if incoming else "",
            digits,
            self.money.currency,
        )


@dataclass(frozen=True, slots=True)
class When(Part):
    """An instant: date and minute in the cell, seconds and zone in `title`."""

    at: datetime | None

    def html(self) -> SafeString:
        """Return a `<time>` element, or a dash."""
        if self.at is None:
            return BLANK
        return format_html(
            '<time class="tabular" datetime="{}" title="{}">{}</time>',
            self.at.isoformat(),
            stamp(self.at),
            minute(self.at),
        )


@dataclass(frozen=True, slots=True)
class Day(Part):
    """A calendar day without a time."""

    on: date | None

    def html(self) -> SafeString:
        """Return a `<time>` element, or a dash."""
        if self.on is None:
            return BLANK
        return format_html(
            '<time class="tabular" datetime="{}">{}</time>', self.on.isoformat(), f"{self.on:%-d %b %Y}"
        )


@dataclass(frozen=True, slots=True)
class Code(Part):
    """An id or another machine text, in the monospace face."""

    text: str

    def html(self) -> SafeString:
        """Return the text, or a dash."""
        return (
            format_html('<span class="mono" title="{}">{}</span>', self.text, self.text)
            if self.text
            else BLANK
        )


@dataclass(frozen=True, slots=True)
class Link(Part):
    """A text that leads to another page of the back office."""

    text: str
    href: str
    mono: bool = False

    def html(self) -> SafeString:
        """Return the link."""
        return format_html(
            '<a href="{}"{}>{}</a>', self.href, SafeString(' class="mono"' if self.mono else ""), self.text
        )


@dataclass(frozen=True, slots=True)
class Score(Part):
    """A share of 0 to 1, as percent with one digit and a small meter."""

    share: float
    tone: Literal["", "warn", "bad"] = ""

    def html(self) -> SafeString:
        """Return number and meter; the meter is decoration, the number says it."""
        width = round(max(0.0, min(1.0, self.share)) * 56, 1)
        return format_html(
            '<span class="score">{} %<svg class="meter{}" viewBox="0 0 56 6" aria-hidden="true">'
            '<rect class="meter-track" width="56" height="6"/><rect class="meter-fill" width="{}" height="6" rx="3"/>'
            "</svg></span>",
            f"{self.share * 100:.1f}",
            f" meter-{self.tone}" if self.tone else "",
            width,
        )


@dataclass(frozen=True, slots=True)
class Masked(Part):
    """Personal data that stays hidden here: what may be seen of it, never the value itself."""

    shown: str

    def html(self) -> SafeString:
        """Return the mask, or a dash when there is no value."""
        return format_html('<span class="masked">{}</span>', self.shown) if self.shown else BLANK


def span_text(span: timedelta) -> str:
    """Return a span in its largest whole unit: `45 s`, `14 min`, `3 h`, `2 d`."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago an instant was, in words for people."""
    return f"{span_text(now - at)} ago" if now - at >= timedelta(seconds=5) else "just now"


def minute(at: datetime) -> str:
    """Return an instant as `24 Nov 2026, 14:05` in the page's zone."""
    return f"{timezone.localtime(at):%-d %b %Y, %H:%M}"


def stamp(at: datetime) -> str:
    """Return an instant to the second with its zone."""
    return f"{timezone.localtime(at):%-d %b %Y, %H:%M:%S %Z}"


def words(code: str) -> str:
    """Return a stored code as words: `FALSE_POSITIVE` becomes `False positive`."""
    return code.replace("_", " ").replace(".", " ").strip().capitalize()
