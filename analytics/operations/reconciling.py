"""Comparing facts with the books."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from analytics.facts.base import FACTS, Fact
from analytics.models import DirtySlice, FactDifference, Reconciliation


@transaction.atomic
def reconcile_facts(*, now: datetime) -> int:
    """
    Compare every fact that has a proof with the ledger, replace the differences that are kept, return their number.

    A fact with marked slices is behind and not wrong: it keeps what was found before, until its marks are worked off.
    """
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    behind = set(DirtySlice.objects.values_list("fact", flat=True).distinct())
    for name, fact in FACTS.items():
        if fact.proof and name not in behind:
            FactDifference.objects.filter(fact=name).delete()
            FactDifference.objects.bulk_create(_differences(name, fact, now))
    count = FactDifference.objects.count()
    Reconciliation.objects.create(finished_at=now, differences=count)
    return count


def _differences(name: str, fact: Fact, now: datetime) -> list[FactDifference]:
    with connection.cursor() as cursor:
        cursor.execute(fact.proof, {"zone": settings.REPORTING_TIME_ZONE})
        return [
            FactDifference(
                fact=name, date=day, subject=subject, fact_minor=ours, books_minor=books, found_at=now
            )
            for day, subject, ours, books in cursor.fetchall()
        ]
