"""What a report asks for: registered names only, checked before anything reaches the database; and its rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models import Value as Constant
from django.db.models.functions import TruncMonth

from analytics.errors import BadDefinition, TooManyRows
from analytics.facts.base import FACTS, Dimension, Fact, Measure
from flowlet.backoffice.cells import words
from flowlet.backoffice.exports import Value
from flowlet.core.money import Money

MEASURES_MAX, DIMENSIONS_MAX, FILTERS_MAX, ROWS_MAX, YEARS_MAX = 6, 3, 50, 50_000, 10
GRAINS = {"": "Whole period", "day": "By day", "month": "By month"}
PERIODS = {
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "last_90_days": "Last 90 days",
    "this_month": "This month so far",
    "last_month": "Last month",
    "fixed": "From … to …",
}
_CODES = ("kind", "rail", "status", "reason", "account", "category", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A checked question; `first` and `last` are set for the period `fixed` only."""

    fact: str
    measures: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    grain: str = ""
    period: str = "last_30_days"
    first: date | None = None
    last: date | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON values, version 1."""
        return {
            "version": 1,
            "fact": self.fact,
            "measures": list(self.measures),
            "dimensions": list(self.dimensions),
            "grain": self.grain,
            "period": self.period,
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "",
            "filters": {name: list(values) for name, values in self.filters.items()},
        }

    def span(self, today: date) -> tuple[date, date]:
        """Return the first and last day it looks at."""
        if self.period == "fixed" and self.first and self.last:
            return self.first, self.last
        month = today.replace(day=1)
        if self.period == "this_month":
            return month, today
        if self.period == "last_month":
            return (month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)
        return today - timedelta(days=int(self.period.split("_")[1]) - 1), today


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column of a report."""

    title: str
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A definition with what it names, ready to be asked."""

    definition: Definition
    fact: Fact
    measures: list[Measure]
    dimensions: list[tuple[str, Dimension]]

    @property
    def heads(self) -> list[Head]:
        """Return the columns in order."""
        grain = {"day": [Head(title="Day")], "month": [Head(title="Month")]}.get(self.definition.grain, [])
        return [
            *grain,
            *(Head(title=dimension.title) for _, dimension in self.dimensions),
            *(Head(title=measure.title, right=True) for measure in self.measures),
        ]


def read(raw: Mapping[str, Any], *, may: Callable[[str], bool]) -> Question:
    """
    Check a stored or sent definition for a reader: `may` tells what he is allowed to see.

    A measure in money brings the currency with it, because money of two currencies is never added up.

    :raises BadDefinition: at the first name that is unknown, forbidden or too much
    """
    name = str(raw.get("fact", ""))
    if name not in FACTS or not FACTS.get(name).measures:
        raise BadDefinition(pointer="/fact", why="Choose what the report is about.")
    fact = FACTS.get(name)
    if not may(fact.permission):
        raise BadDefinition(pointer="/fact", why="You may not see these figures.")
    measures = _names(raw, "measures", known=fact.measures, most=MEASURES_MAX)
    if not measures:
        raise BadDefinition(pointer="/measures", why="Choose at least one measure.")
    dimensions = _names(raw, "dimensions", known=fact.dimensions, most=DIMENSIONS_MAX)
    if any(fact.measures[one].unit == "MONEY" for one in measures) and "currency" not in dimensions:
        dimensions = (*dimensions, "currency")
    definition = Definition(
        fact=name,
        measures=measures,
        dimensions=dimensions,
        grain=_choice(raw, "grain", GRAINS),
        **_period(raw),
        filters=_filters(raw, fact),
    )
    return Question(
        definition=definition,
        fact=fact,
        measures=[fact.measures[one] for one in measures],
        dimensions=[(one, fact.dimensions[one]) for one in dimensions],
    )


def _names(raw: Mapping[str, Any], key: str, *, known: Mapping[str, object], most: int) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(str(one) for one in raw.get(key, ())))
    for one in given:
        if one not in known:
            raise BadDefinition(pointer=f"/{key}", why=f"There is no {key[:-1]} {one[:40]!r} here.")
    if len(given) > most:
        raise BadDefinition(pointer=f"/{key}", why=f"At most {most} {key}, please.")
    return given


def _choice(raw: Mapping[str, Any], key: str, known: Mapping[str, str]) -> str:
    given = str(raw.get(key, ""))
    if given not in known:
        raise BadDefinition(pointer=f"/{key}", why=f"There is no {key} {given[:40]!r}.")
    return given


def _period(raw: Mapping[str, Any]) -> dict[str, Any]:
    period = _choice({"period": raw.get("period") or "last_30_days"}, "period", PERIODS)
    if period != "fixed":
        return {"period": period}
    days = {}
    for key in ("first", "last"):
        try:
            days[key] = date.fromisoformat(str(raw.get(key, "")))
        except ValueError:
            raise BadDefinition(pointer=f"/{key}", why="Give both days of the period.") from None
    if days["last"] < days["first"]:
        raise BadDefinition(pointer="/last", why="The last day lies before the first.")
    if (days["last"] - days["first"]).days > YEARS_MAX * 366:
        raise BadDefinition(pointer="/last", why=f"At most {YEARS_MAX} years, please.")
    return {"period": period, **days}


def _filters(raw: Mapping[str, Any], fact: Fact) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, values in dict(raw.get("filters") or {}).items():
        if name not in fact.dimensions:
            raise BadDefinition(pointer="/filters", why=f"There is no dimension {str(name)[:40]!r} here.")
        if not isinstance(values, list | tuple) or len(values) > FILTERS_MAX:
            raise BadDefinition(
                pointer="/filters", why=f"A filter is a list of at most {FILTERS_MAX} values."
            )
        texts = tuple(str(value) for value in values)
        if any("\0" in text for text in texts):
            raise BadDefinition(pointer="/filters", why="This value cannot be searched.")
        found[str(name)] = texts
    return found


def count_rows(question: Question, *, today: date) -> int:
    """
    Return how many rows the answer has.

    :raises TooManyRows: if that is more than a file should hold
    """
    rows = int(_grouped(question, today).count())
    if rows > ROWS_MAX:
        raise TooManyRows(rows=f"{rows:,}", maximum=f"{ROWS_MAX:,}")
    return rows


def answer(question: Question, *, today: date, limit: int | None = None) -> Iterator[list[Value]]:
    """Yield the rows in the order of the heads: days or months first, then by dimensions. Money is exact."""
    rows = _grouped(question, today)
    for row in rows[:limit] if limit is not None else rows.iterator():
        yield _row(question, row)


def _grouped(question: Question, today: date) -> QuerySet[Any]:
    definition = question.definition
    rows = question.fact.model._default_manager.filter(date__range=definition.span(today))  # noqa: SLF001 - Django's documented model API
    for name, values in definition.filters.items():
        rows = rows.filter(**{f"{question.fact.dimensions[name].column}__in": values})
    groups: dict[str, Any] = {}
    if definition.grain:
        groups["grain"] = F("date") if definition.grain == "day" else TruncMonth("date")
    groups |= {f"d_{name}": F(dimension.column) for name, dimension in question.dimensions}
    sums = {f"s_{column}": Sum(column) for measure in question.measures for column in measure.sums}
    if not groups:
        groups["whole"] = Constant(1)
    return rows.values(**groups).annotate(**sums).order_by(*groups)


def _row(question: Question, row: Mapping[str, Any]) -> list[Value]:
    grain: list[Value] = []
    if question.definition.grain == "day":
        grain = [row["grain"]]
    elif question.definition.grain == "month":
        grain = [f"{row['grain']:%Y-%m}"]
    named: list[Value] = [_word(name, row[f"d_{name}"]) for name, _ in question.dimensions]
    return [*grain, *named, *(_value(measure, row) for measure in question.measures)]


def _word(name: str, value: object) -> str:
    if value in ("", None):
        return "None" if name != "partner" else "The house"
    return words(str(value)) if name in _CODES else str(value)


def _value(measure: Measure, row: Mapping[str, Any]) -> Value:
    sums = [int(row[f"s_{column}"] or 0) for column in measure.sums]
    if measure.kind == "RATIO":
        share = Decimal(sums[0] * 100) / sums[1] if sums[1] else Decimal(0)
        return share.quantize(Decimal("0.01"))
    return Money(sums[0], row["d_currency"]) if measure.unit == "MONEY" else sums[0]
