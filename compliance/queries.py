"""Reads of compliance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Prefetch, QuerySet

from compliance.choices import PENDING_STATUSES, VersionStatus
from compliance.models.screening import (
    ListedEntity,
    ListedFact,
    ListedName,
    ListVersion,
    ScreeningHit,
    ScreeningPolicy,
    ScreeningSubject,
)
from compliance.names.align import score_names
from compliance.names.facts import DateRange
from compliance.names.normal import NormalName, from_words
from compliance.names.score import COMPANY, NAME_FLOOR_FOR_FACTS, PERSON, Listed, Subject
from compliance.policies import Numbers
from flowlet.core.errors import NotFound
from flowlet.identity.choices import CustomerKind
from flowlet.identity.models import Customer

CANDIDATE_SIMILARITY = 0.3  # of trigrams; recall first, the score decides afterwards


@dataclass(frozen=True, slots=True)
class Pair:
    """A customer and an entity that must be compared."""

    customer_id: int
    entity_id: int


def get_numbers(now: datetime) -> Numbers:
    """Return the numbers of screening in force."""
    row = ScreeningPolicy.objects.filter(valid_from__lte=now).order_by("-valid_from").first()
    return Numbers(threshold=row.threshold, due_hours=row.due_hours) if row else Numbers()


def live_versions() -> QuerySet[ListVersion]:
    """Return the lists in use, by source."""
    return (
        ListVersion.objects.filter(status=VersionStatus.LIVE).select_related("source").order_by("source_id")
    )


def get_hit(public_id: str) -> ScreeningHit:
    """
    Return one hit with its customer and entity.

    :raises NotFound: if there is none of that id
    """
    hit = ScreeningHit.objects.select_related("customer", "entity").filter(public_id=public_id).first()
    if hit is None:
        raise NotFound
    return hit


def list_open_hits() -> QuerySet[ScreeningHit]:
    """Return what waits for an officer, first due first."""
    return ScreeningHit.objects.filter(status__in=PENDING_STATUSES).order_by("due_at", "id")


def find_candidates(name: NormalName) -> list[int]:
    """
    Return the ids of live entities whose names could be this one, in no order; needs a transaction.

    The relation is symmetric and does not depend on other rows, and there is no LIMIT: with "the best k" a growing
    list would push true candidates out.
    """
    sql = """
        SELECT DISTINCT n.entity_id FROM compliance_listedname n JOIN compliance_listedentity e ON e.id = n.entity_id
        WHERE e.is_live AND (n.sorted_words %% %(sorted)s OR n.joined_words %% %(joined)s OR n.key = %(key)s)"""
    with connection.cursor() as cursor:
        _set_threshold()
        cursor.execute(sql, {"sorted": name.sorted_words, "joined": name.joined_words, "key": name.key})
        return [row[0] for row in cursor.fetchall()]


def find_alike(name: NormalName, entity_ids: Sequence[int]) -> list[int]:
    """
    Return those of the entities that have a live name alike enough for facts to matter, by id.

    One light query and the name score; what falls out here can become a hit by no fact (`names.score`).
    """
    names = ListedName.objects.filter(entity_id__in=entity_ids, entity__is_live=True).values_list(
        "entity_id", "words"
    )
    alike = {
        entity_id
        for entity_id, words in names.iterator()
        if score_names(name, from_words(words)).points >= NAME_FLOOR_FOR_FACTS
    }
    return sorted(alike)


def find_pairs(version_id: int) -> Iterator[Pair]:
    """
    Yield the customers that the entities new in this version could be: the same relation, from the list's side.

    Sorted by customer. Needs a transaction.
    """
    sql = """
        SELECT DISTINCT s.customer_id, n.entity_id
        FROM compliance_listedname n JOIN compliance_listedentity e ON e.id = n.entity_id
        JOIN compliance_screeningsubject s
          ON s.sorted_words %% n.sorted_words OR s.joined_words %% n.joined_words OR s.key = n.key
        WHERE e.is_live AND e.from_version_id = %s AND s.state <> 'NOT_SCREENED'
        ORDER BY s.customer_id, n.entity_id"""
    with connection.cursor() as cursor:
        _set_threshold()
        cursor.execute(sql, [version_id])
        rows = cursor.fetchall()
    yield from (Pair(*row) for row in rows)


def _set_threshold() -> None:
    """Set it for this transaction only: a pooler may hand the connection to somebody else afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(CANDIDATE_SIMILARITY)]
        )


def list_entities(ids: Sequence[int]) -> QuerySet[ListedEntity]:
    """Return entities with names and facts loaded, by id."""
    return (
        ListedEntity.objects.filter(pk__in=ids)
        .prefetch_related(
            Prefetch("names", ListedName.objects.order_by("id")),
            Prefetch("facts", ListedFact.objects.order_by("id")),
        )
        .order_by("pk")
    )


def subject_of(customer: Customer) -> Subject:
    """Return what is compared of a customer."""
    birth = date.fromisoformat(customer.birth_date) if customer.birth_date else None
    countries = tuple(sorted({code for code in (customer.country, customer.nationality) if code}))
    kind = PERSON if customer.kind == CustomerKind.PERSON else COMPANY
    return Subject(kind=kind, name=customer.name, birth_date=birth, countries=countries)


def listed_of(entity: ListedEntity) -> Listed:
    """Return what is compared of an entity whose names and facts are loaded."""
    facts = list(entity.facts.all())
    births = tuple(
        DateRange(fact.date_from, fact.date_to, fact.is_circa)
        for fact in facts
        if fact.date_from and fact.date_to
    )
    return Listed(
        kind=entity.kind,
        names=tuple((name.kind, name.text) for name in entity.names.all()),
        births=births,
        countries=tuple(sorted({fact.country for fact in facts if fact.country})),
    )


def find_subject(customer_id: int) -> ScreeningSubject | None:
    """Return what screening knows of a customer, if anything."""
    return ScreeningSubject.objects.filter(customer_id=customer_id).first()


def list_hits_of(customer_id: int) -> QuerySet[ScreeningHit]:
    """Return all hits of a customer, newest first."""
    return (
        ScreeningHit.objects.filter(customer_id=customer_id)
        .select_related("entity__source")
        .order_by("-opened_at", "-id")
    )
