"""Declared filters of a list. What is not declared here is not filtered by: there are no free look-ups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from django.db.models import Q
from django.utils import timezone

from flowlet.core.errors import AppError
from flowlet.core.money import Money

Params = Mapping[str, str]


class FilterFault(ValueError):
    """A filter was given something it cannot read; the text is for people."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter in force: the condition, and the words on its chip."""

    condition: Q
    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """One form field of a filter, as the template draws it."""

    name: str
    label: str
    kind: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


class Filter(Protocol):
    """What every filter offers: its parameters, its form fields, and the condition it makes."""

    @property
    def title(self) -> str:
        """Return the label in the filter form and on the chip."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Return the query parameters that belong to the filter."""
        ...

    def inputs(self, params: Params) -> Iterable[Input]:
        """Return the form fields with their present values."""
        ...

    def read(self, params: Params) -> Applied | None:
        """
        Return the condition, or None when the filter is not used.

        :raises FilterFault: if the values make no sense
        """
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few stored codes."""

    name: str
    title: str
    choices: tuple[tuple[str, str], ...]
    lookup: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the one parameter."""
        return (self.name,)

    def inputs(self, params: Params) -> Iterable[Input]:
        """Return one select."""
        yield Input(self.name, self.title, "select", params.get(self.name, ""), self.choices)

    def read(self, params: Params) -> Applied | None:
        """Return equality with the chosen code."""
        value = params.get(self.name, "")
        if not value:
            return None
        label = dict(self.choices).get(value)
        if label is None:
            raise FilterFault(f"{self.title}: there is no choice {value!r}.")
        return Applied(Q(**{self.lookup or self.name: value}), label)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that must be found exactly; give `lookup` for another comparison."""

    name: str
    title: str
    lookup: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the one parameter."""
        return (self.name,)

    def inputs(self, params: Params) -> Iterable[Input]:
        """Return one text field."""
        yield Input(self.name, self.title, "text", params.get(self.name, ""))

    def read(self, params: Params) -> Applied | None:
        """Return the comparison."""
        value = params.get(self.name, "").strip()
        if "\0" in value:
            raise FilterFault(f"{self.title}: this text cannot be searched.")
        return Applied(Q(**{self.lookup or self.name: value}), value) if value else None


@dataclass(frozen=True, slots=True)
class DateSpan:
    """From one day to another, both included, in the page's zone."""

    name: str
    title: str
    lookup: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the two parameters."""
        return (f"{self.name}_from", f"{self.name}_to")

    def inputs(self, params: Params) -> Iterable[Input]:
        """Return two native date fields."""
        for name, word in zip(self.names, ("from", "to"), strict=True):
            yield Input(name, f"{self.title} {word}", "date", params.get(name, ""))

    def read(self, params: Params) -> Applied | None:
        """Return the span from the first day's midnight to the last day's end."""
        earliest, latest = (self._day(params.get(name, "")) for name in self.names)
        if earliest is None and latest is None:
            return None
        if earliest and latest and earliest > latest:
            raise FilterFault(f"{self.title}: the first day is after the last.")
        column, condition = self.lookup or self.name, Q()
        if earliest:
            condition &= Q(**{f"{column}__gte": _midnight(earliest)})
        if latest:
            condition &= Q(**{f"{column}__lt": _midnight(latest + timedelta(days=1))})
        return Applied(condition, f"{_day_text(earliest, 'start')} to {_day_text(latest, 'today')}")

    def _day(self, text: str) -> date | None:
        try:
            day = date.fromisoformat(text) if text else None
        except ValueError:
            raise FilterFault(f"{self.title}: {text!r} is no date.") from None
        if day and not 1900 <= day.year <= 2200:  # noqa: PLR2004 - what a time stamp column of ours can hold
            raise FilterFault(f"{self.title}: {text!r} is out of range.")
        return day


@dataclass(frozen=True, slots=True)
class AmountSpan:
    """Amounts of one currency between two values; compared in minor units."""

    name: str
    title: str
    currencies: tuple[str, ...]
    lookup: str = "amount_minor"
    currency_lookup: str = "currency"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the three parameters."""
        return (f"{self.name}_currency", f"{self.name}_from", f"{self.name}_to")

    def inputs(self, params: Params) -> Iterable[Input]:
        """Return the currency and two amounts."""
        currency, earliest, latest = self.names
        choices = tuple((code, code) for code in self.currencies)
        yield Input(currency, "Currency", "select", params.get(currency, ""), choices)
        yield Input(earliest, f"{self.title} from", "amount", params.get(earliest, ""))
        yield Input(latest, f"{self.title} to", "amount", params.get(latest, ""))

    def read(self, params: Params) -> Applied | None:
        """Return the span, both ends included."""
        currency, least, most = (params.get(name, "").strip() for name in self.names)
        if not (currency or least or most):
            return None
        if currency not in self.currencies:
            raise FilterFault(f"{self.title}: choose a currency.")
        condition, ends = Q(**{self.currency_lookup: currency}), []
        for text, operator, word in ((least, "gte", "from"), (most, "lte", "to")):
            if text:
                money = self._money(text, currency)
                condition &= Q(**{f"{self.lookup}__{operator}": money.minor})
                ends.append(f"{word} {money.format()}")
        return Applied(condition, " ".join(ends) or currency)

    def _money(self, text: str, currency: str) -> Money:
        try:
            return Money.parse(text, currency)
        except AppError as refusal:
            raise FilterFault(f"{self.title}: {refusal.detail}") from refusal


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def _day_text(day: date | None, otherwise: str) -> str:
    return f"{day:%-d %b %Y}" if day else otherwise
