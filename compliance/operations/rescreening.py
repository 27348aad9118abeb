"""After a list went live: look again at every customer whom the change could concern. Safe to run again after a crash."""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby

from django.db import transaction

from compliance import queries
from compliance.choices import PENDING_STATUSES, HitStatus, NotScreenedReason, RunStatus, SubjectState
from compliance.models.screening import (
    ListedEntity,
    ListVersion,
    ScreeningHit,
    ScreeningRun,
    ScreeningSubject,
)
from compliance.operations.screening import end_hit, screen_against, screen_customer
from flowlet.audit import trail
from flowlet.identity.choices import CustomerStatus
from flowlet.identity.models import Customer

Progress = Callable[[str, int, int], None]


def _silent(_step: str, _done: int, _total: int) -> None:
    """Show nothing."""


def rescreen(*, version_id: int, now: datetime, progress: Progress = _silent) -> ScreeningRun:
    """
    Compare customers with what is new in a live version, and end hits whose entity is listed no longer or otherwise.

    Each customer is a transaction of his own. Customers who were never screened are screened against everything.
    Returns the run, COMPLETE; a run that is complete already is returned as it is.
    """
    version = ListVersion.objects.get(pk=version_id)
    run, _ = ScreeningRun.objects.get_or_create(version=version, defaults={"started_at": now})
    if run.status == RunStatus.COMPLETE:
        return run
    work = _work(version_id)
    run.population, run.checked = len(work), 0
    for customer_id, entity_ids in work.items():
        run.opened += _look_again(customer_id, entity_ids, now)
        run.checked += 1
        progress("Screening", run.checked, run.population)
    # New hits first, old ones after: a customer whose entity was described anew is never free in between.
    run.closed += _end_hits(version, now)
    return _finish(run, now)


def _work(version_id: int) -> dict[int, list[int] | None]:
    """Return each customer to look at with the entities to compare; None stands for all lists."""
    with transaction.atomic():
        pairs = list(queries.find_pairs(version_id))
    work: dict[int, list[int] | None] = {
        customer_id: [pair.entity_id for pair in group]
        for customer_id, group in groupby(pairs, key=lambda pair: pair.customer_id)
    }
    waiting = ScreeningSubject.objects.filter(
        state=SubjectState.NOT_SCREENED, not_screened_reason=NotScreenedReason.NO_LIST
    ).values_list("customer_id", flat=True)
    # From the customers, not from our own table: somebody may have been created by a door that forgot to screen.
    forgotten = Customer.objects.exclude(pk__in=ScreeningSubject.objects.values("customer_id"))
    work.update(dict.fromkeys((*waiting, *forgotten.values_list("pk", flat=True)), None))
    active = set(
        Customer.objects.filter(pk__in=list(work), status=CustomerStatus.ACTIVE).values_list("pk", flat=True)
    )
    return {customer_id: work[customer_id] for customer_id in sorted(work) if customer_id in active}


def _look_again(customer_id: int, entity_ids: list[int] | None, now: datetime) -> int:
    if entity_ids is not None:
        return screen_against(customer_id=customer_id, entity_ids=entity_ids, now=now)
    before = ScreeningHit.objects.filter(customer_id=customer_id).count()
    screen_customer(customer_id=customer_id, now=now)
    return ScreeningHit.objects.filter(customer_id=customer_id).count() - before


def _end_hits(version: ListVersion, now: datetime) -> int:
    """End the hits of entities that left the list or are described otherwise now."""
    ended = ScreeningHit.objects.filter(
        status__in=PENDING_STATUSES, entity__source_id=version.source_id, entity__is_live=False
    ).select_related("entity")
    live = set(
        ListedEntity.objects.filter(source_id=version.source_id, is_live=True).values_list("uid", flat=True)
    )
    closed = 0
    for hit in ended.order_by("pk"):
        status = HitStatus.SUPERSEDED if hit.entity.uid in live else HitStatus.DELISTED
        end_hit(hit_id=hit.public_id, status=status, now=now)
        closed += 1
    return closed


@transaction.atomic
def _finish(run: ScreeningRun, now: datetime) -> ScreeningRun:
    run.status, run.finished_at = RunStatus.COMPLETE, now
    run.save()
    trail.record(
        action="list.rescreen",
        object_type="screening_run",
        object_id=run.public_id,
        changes={
            "checked": [None, run.checked],
            "opened": [None, run.opened],
            "closed": [None, run.closed],
        },
    )
    return run
