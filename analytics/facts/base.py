"""What a day fact is: a table, the one query that fills it, what events touch it, and how it is proven."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal

from django.conf import settings
from django.db import models

from flowlet.core.registry import Registry


class DayFact(models.Model):
    """One row per day, partner and the fact's dimensions; replaced slice by slice, never counted up."""

    date = models.DateField()
    partner = models.ForeignKey(
        "identity.Partner", models.PROTECT, null=True, related_name="+", db_index=False
    )
    built_at = models.DateTimeField()

    class Meta:
        abstract = True


def grain(name: str, *columns: str) -> models.UniqueConstraint:
    """Return the constraint that allows one row per day, partner and these columns."""
    return models.UniqueConstraint(fields=["date", "partner", *columns], name=name, nulls_distinct=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A column that figures can be split by; `title` for people."""

    title: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """
    A figure of a fact.

    `sums` are the columns that are added up; a RATIO divides the first sum by the second. `definition` says what is
    counted and what is left out. MONEY is in minor units and never added over currencies.
    """

    title: str
    sums: tuple[str, ...]
    definition: str
    unit: Literal["COUNT", "MONEY", "PERCENT"] = "COUNT"
    kind: Literal["ADDITIVE", "RATIO"] = "ADDITIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    One day fact.

    `source` is the query that fills it: it yields date, partner, then `columns` in order, for days %(first)s to
    %(last)s and, unless %(all)s, the partner %(partner)s only. `touched` maps an event's type, or `payment.*` for all of a family, to a query that yields
    the (date, partner) an event %(object_id)s touches. `proof` yields (date, subject, fact, books) for each difference.
    """

    model: type[DayFact]
    title: str
    permission: str
    columns: tuple[str, ...]
    source: str
    touched: Mapping[str, str]
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    proof: str = ""

    def touched_by(self, event_type: str) -> str:
        """Return the query for what an event of this type touches, or ''."""
        family = f"{event_type.partition('.')[0]}.*"
        return self.touched.get(event_type) or self.touched.get(family, "")

    @property
    def table(self) -> str:
        """Return the name of the fact's table."""
        return str(self.model._meta.db_table)  # noqa: SLF001 - Django's documented model API


FACTS: Registry[Fact] = Registry("analytics.facts")


def parameters(*, first: date, last: date, partner_id: int | None, everyone: bool) -> dict[str, Any]:
    """Return what a fact's source query asks for."""
    return {
        "first": first,
        "last": last,
        "partner": partner_id,
        "all": everyone,
        "zone": settings.REPORTING_TIME_ZONE,
    }


OF_PARTNER: Callable[[str], str] = (
    "(%(all)s OR {0}.partner_id IS NOT DISTINCT FROM %(partner)s::bigint)".format
)


class Titles:
    """Codes of dimensions in words are found by the reader; this holds what is common."""

    PARTNER: ClassVar = Dimension(title="Partner", column="partner__name")
    CURRENCY: ClassVar = Dimension(title="Currency", column="currency")
