"""Keeping facts true: marks from events, working out marked slices again, building spans anew."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from analytics.facts.base import FACTS, Fact, parameters
from analytics.models import DirtySlice
from flowlet.core.locks import lock
from flowlet.events.models import Event

# DO UPDATE and not DO NOTHING: the update waits for a job that holds the mark and then makes a new one, because that
# job may have read the rows before this event's were there.
_MARK = """
INSERT INTO analytics_dirtyslice (fact, date, partner_id, marked_at)
SELECT %(fact)s, touched.date, touched.partner_id, %(now)s FROM ({touched}) AS touched(date, partner_id)
ON CONFLICT (fact, date, partner_id) DO UPDATE SET marked_at = analytics_dirtyslice.marked_at
"""


def mark(event: Event, now: datetime) -> None:
    """Mark every slice that an event touches; safe to run again, in any order."""
    for name, fact in FACTS.items():
        touched = fact.touched_by(event.type)
        if touched:
            values = {
                "fact": name,
                "now": now,
                "object_id": event.object_id,
                "zone": settings.REPORTING_TIME_ZONE,
            }
            with connection.cursor() as cursor:
                cursor.execute(_MARK.format(touched=touched), values)


def refresh_slices(*, now: datetime, limit: int = 200) -> int:
    """Work out up to `limit` marked slices again, oldest marks first, and return how many; each in one transaction."""
    done = 0
    while done < limit and _refresh_one(now):
        done += 1
    return done


@transaction.atomic
def _refresh_one(now: datetime) -> bool:
    oldest = DirtySlice.objects.order_by("marked_at", "pk").values("pk")[:50]
    found = lock(DirtySlice.objects.filter(pk__in=oldest), skip_locked=True).first()
    if found is None:
        return False
    fact = FACTS.get(found.fact)
    _replace(fact, first=found.date, last=found.date, partner_id=found.partner_id, everyone=False, now=now)
    found.delete()
    return True


@transaction.atomic
def rebuild(*, fact: str, first: date, last: date, now: datetime) -> int:
    """
    Build a fact anew for all partners from `first` to `last` day, both included, and return the number of rows.

    :raises UnknownEntry: if there is no such fact
    """
    return _replace(FACTS.get(fact), first=first, last=last, partner_id=None, everyone=True, now=now)


def _replace(
    fact: Fact, *, first: date, last: date, partner_id: int | None, everyone: bool, now: datetime
) -> int:
    values = parameters(first=first, last=last, partner_id=partner_id, everyone=everyone)
    columns = ", ".join(("date", "partner_id", *fact.columns))
    with connection.cursor() as cursor:
        # One writer per fact: a rebuild and a slice of its span would meet at the unique constraint otherwise.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"fact:{fact.table}"])
        cursor.execute(
            f"DELETE FROM {fact.table} WHERE date BETWEEN %(first)s AND %(last)s"  # noqa: S608 - registered names only
            " AND (%(all)s OR partner_id IS NOT DISTINCT FROM %(partner)s::bigint)",
            values,
        )
        cursor.execute(
            f"INSERT INTO {fact.table} ({columns}, built_at) SELECT rows.*, %(now)s FROM ({fact.source}) AS rows",  # noqa: S608 - registered names only
            {**values, "now": now},
        )
        return int(cursor.rowcount)


def days_back(now: datetime, days: int) -> tuple[date, date]:
    """Return the first and last of the latest `days` days, today included."""
    return now.date() - timedelta(days=days - 1), now.date()
