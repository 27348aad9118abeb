"""Compare customers with the lists in use, open hits, and take a person's decision about them."""

import hashlib
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from compliance import events, policies, queries
from compliance.choices import (
    PENDING_STATUSES,
    HitStatus,
    NotScreenedReason,
    Outcome,
    SubjectState,
    VersionStatus,
)
from compliance.errors import AlreadyScreened, HitAlreadyDecided
from compliance.models.screening import HitDecision, ListedEntity, ListVersion, ScreeningHit, ScreeningSubject
from compliance.names.normal import NormalName, normal_name
from compliance.names.score import ENGINE_VERSION, Comparison, Subject, compare
from compliance.operations import locking
from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.locks import lock
from flowlet.events import outbox
from flowlet.identity.choices import CustomerStatus, RestrictionKind, RestrictionSource, RiskLevel
from flowlet.identity.models import Customer, Restriction
from flowlet.identity.operations import lift_restriction, place_restriction

NOT_SCREENED_REF = "not_screened"
# What stands on a restriction is seen by people who may not know of hits: neutral words only.
UNDER_REVIEW, NOT_PERMITTED, REVIEW_ENDED = "UNDER_REVIEW", "NOT_PERMITTED", "REVIEW_ENDED"


@transaction.atomic
def screen_customer(*, customer_id: int, now: datetime) -> ScreeningSubject:
    """
    Compare a customer with every list in use; each possible match opens a hit and stops money out.

    Safe to run again: a pair that was decided stays decided while neither side changes. Without a list in use, or
    with a name that has nothing to compare, the customer is NOT_SCREENED, which stops money out too (unless the
    setting SCREENING_BLOCKS_UNSCREENED is off): nobody passes because nobody looked.
    """
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    locking.lock_lists_shared()
    subject = queries.subject_of(customer)
    name = normal_name(subject.name)
    reason = _why_not(name)
    if reason:
        return _not_screened(customer, subject, name, reason, now)
    _open_hits(customer, subject, queries.find_candidates(name), now)
    return _screened(customer, subject, name, now)


@transaction.atomic
def screen_against(*, customer_id: int, entity_ids: list[int], now: datetime) -> int:
    """Compare a customer with some entities only, after a list changed; returns how many hits that opened."""
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    locking.lock_lists_shared()
    subject = queries.subject_of(customer)
    opened = _open_hits(customer, subject, entity_ids, now)
    _screened(customer, subject, normal_name(subject.name), now)
    return opened


def _why_not(name: NormalName) -> NotScreenedReason | None:
    if not name.telling:
        return NotScreenedReason.NOTHING_TO_COMPARE
    if not ListVersion.objects.filter(status=VersionStatus.LIVE).exists():
        return NotScreenedReason.NO_LIST
    return None


def fingerprint_of(customer: Customer, subject: Subject) -> str:
    """
    Return the keyed digest over all that is compared of a customer.

    Keyed, because a plain one over a name and a birth date could be tried out day by day.
    """
    text = "|".join((subject.kind, subject.name, str(subject.birth_date or ""), ",".join(subject.countries)))
    whole = hashlib.sha256(text.encode()).hexdigest()
    return crypto.blind_index("screening", customer.partner_id, whole).hex()


def _save_subject(
    customer: Customer, subject: Subject, name: NormalName, **state: object
) -> ScreeningSubject:
    row, _ = ScreeningSubject.objects.update_or_create(
        customer=customer,
        defaults={
            "fingerprint": fingerprint_of(customer, subject),
            "sorted_words": name.sorted_words,
            "joined_words": name.joined_words,
            "key": name.key,
            "engine_version": ENGINE_VERSION,
            **state,
        },
    )
    return row


def _not_screened(
    customer: Customer, subject: Subject, name: NormalName, reason: NotScreenedReason, now: datetime
) -> ScreeningSubject:
    row = _save_subject(
        customer,
        subject,
        name,
        state=SubjectState.NOT_SCREENED,
        not_screened_reason=reason,
        screened_at=None,
    )
    if getattr(settings, "SCREENING_BLOCKS_UNSCREENED", True) and customer.status == CustomerStatus.ACTIVE:
        _stop_money_out(customer, NOT_SCREENED_REF, UNDER_REVIEW, now)
    return row


def _screened(customer: Customer, subject: Subject, name: NormalName, now: datetime) -> ScreeningSubject:
    pending = ScreeningHit.objects.filter(
        customer=customer, status__in=[*PENDING_STATUSES, HitStatus.TRUE_MATCH]
    )
    row = _save_subject(
        customer,
        subject,
        name,
        state=SubjectState.HIT if pending.exists() else SubjectState.CLEAR,
        not_screened_reason="",
        screened_at=now,
    )
    _lift(customer, RestrictionKind.NO_OUT, NOT_SCREENED_REF, REVIEW_ENDED, now)
    return row


def _open_hits(customer: Customer, subject: Subject, entity_ids: list[int], now: datetime) -> int:
    """Store a hit for each entity that is alike enough; returns how many wait for a person because of this."""
    numbers = queries.get_numbers(now)
    opened = 0
    alike = queries.find_alike(normal_name(subject.name), entity_ids)
    for entity in queries.list_entities(alike):
        comparison = compare(subject, queries.listed_of(entity))
        status = policies.status_for(
            points=comparison.points, name_points=comparison.name_points, threshold=numbers.threshold
        )
        if status is not None:
            opened += _open_hit(customer, subject, entity, comparison, status, numbers, now)
    return opened


def _open_hit(
    customer: Customer,
    subject: Subject,
    entity: ListedEntity,
    comparison: Comparison,
    status: HitStatus,
    numbers: policies.Numbers,
    now: datetime,
) -> bool:
    hit, fresh = ScreeningHit.objects.get_or_create(
        customer=customer,
        entity=entity,
        subject_fingerprint=fingerprint_of(customer, subject),
        entity_fingerprint=entity.fingerprint,
        defaults={
            "matched_name": comparison.matched_name,
            "points": comparison.points,
            "name_points": comparison.name_points,
            "threshold": numbers.threshold,
            "comparison": _stored(comparison),
            "main_reason": comparison.main_reason,
            "engine_version": ENGINE_VERSION,
            "status": status,
            "opened_at": now,
            "due_at": numbers.due_at(now),
            "closed_at": None if status == HitStatus.OPEN else now,
        },
    )
    if not fresh:
        return False
    trail.record(
        action="hit.open",
        object_type="hit",
        object_id=hit.public_id,
        partner_id=customer.partner_id,
        changes={"status": [None, hit.status], "points": [None, hit.points]},
    )
    if status != HitStatus.OPEN:
        return False
    if customer.status == CustomerStatus.ACTIVE:
        _stop_money_out(customer, hit.public_id, UNDER_REVIEW, now)
    _publish(events.REVIEW_OPENED, customer, now)
    return True


def _stored(comparison: Comparison) -> dict[str, object]:
    return {
        "rows": [asdict(row) for row in comparison.rows],
        "words": list(comparison.words),
        "matched_kind": comparison.matched_kind,
    }


def decide_hit(*, hit_id: str, outcome: str, reason_code: str, now: datetime, note: str = "") -> ScreeningHit:
    """
    Store a person's decision about a hit (`hit_…`) and let it take effect at once.

    FALSE_POSITIVE lifts the restriction of this hit; others of the same customer stay. TRUE_MATCH freezes the
    customer and rates him PROHIBITED. ESCALATED keeps money out stopped until somebody else decides.

    :raises NotFound: if there is no such hit
    :raises ReasonNotForOutcome: if the reason does not go with the outcome
    :raises NoteRequired: for a true match or an escalation without words
    :raises NoteTooLong: if the note is too long
    :raises HitAlreadyDecided: if somebody was quicker; says who and when
    """
    policies.check_decision(outcome=outcome, reason_code=reason_code, note=note)
    with transaction.atomic():
        customer_id = queries.get_hit(hit_id).customer_id
        # Everybody who changes a hit holds its customer first, so what is read below stays true until commit.
        customer = lock(Customer.objects.filter(pk=customer_id)).get()
        hit = queries.get_hit(hit_id)
        _check_undecided(hit, outcome)
        old = hit.status
        _record_decision(hit, outcome, reason_code, note, now)
        _set_status(hit, HitStatus(outcome), now)
        _take_effect(customer, hit, Outcome(outcome), now)
        _refresh_state(customer)
        trail.record(
            action="hit.decide",
            object_type="hit",
            object_id=hit.public_id,
            partner_id=customer.partner_id,
            changes={"status": [old, hit.status]},
            reason_code=reason_code,
            note=note,
        )
        if outcome != Outcome.ESCALATED:
            _publish(events.REVIEW_CLOSED, customer, now)
    return hit


def _check_undecided(hit: ScreeningHit, outcome: str) -> None:
    if policies.may_follow(hit.status, outcome):
        return
    latest = HitDecision.objects.filter(hit=hit).order_by("-decided_at", "-id").first()
    when = latest.decided_at if latest else hit.closed_at
    raise HitAlreadyDecided(
        who=latest.actor_label if latest else "The list update",
        when=f"{when:%d %b %Y at %H:%M:%S} UTC" if when else "",
        outcome=hit.get_status_display().lower(),
    )


def _record_decision(hit: ScreeningHit, outcome: str, reason_code: str, note: str, now: datetime) -> None:
    actor = trail.current_actor()
    HitDecision.objects.create(
        hit=hit,
        outcome=outcome,
        reason_code=reason_code,
        note=note.strip() or None,
        actor_ref=actor.ref,
        actor_label=actor.label or actor.ref,
        decided_at=now,
    )


def _set_status(hit: ScreeningHit, status: HitStatus, now: datetime) -> None:
    hit.status = status
    hit.closed_at = None if status in PENDING_STATUSES else now
    hit.save(update_fields=["status", "closed_at"])


def _take_effect(customer: Customer, hit: ScreeningHit, outcome: Outcome, now: datetime) -> None:
    active = customer.status == CustomerStatus.ACTIVE
    if outcome == Outcome.ESCALATED and active:
        _stop_money_out(customer, hit.public_id, UNDER_REVIEW, now)
    if outcome == Outcome.TRUE_MATCH:
        if active:
            # The freeze comes first: between the two there must be no moment without either.
            _restrict(customer, RestrictionKind.FROZEN, hit.public_id, NOT_PERMITTED, now)
        Customer.objects.filter(pk=customer.pk).update(
            risk_level=RiskLevel.PROHIBITED, version=F("version") + 1
        )
    if outcome in (Outcome.TRUE_MATCH, Outcome.FALSE_POSITIVE):
        _lift(customer, RestrictionKind.NO_OUT, hit.public_id, REVIEW_ENDED, now)


@transaction.atomic
def end_hit(*, hit_id: str, status: HitStatus, now: datetime) -> None:
    """
    Close a pending hit because the list changed: DELISTED (no longer listed) or SUPERSEDED (listed otherwise).

    A hit that a person has decided stays as it was decided. Lifts what this hit held.
    """
    customer = lock(Customer.objects.filter(pk=queries.get_hit(hit_id).customer_id)).get()
    hit = queries.get_hit(hit_id)
    if hit.status not in PENDING_STATUSES:
        return
    old = hit.status
    _set_status(hit, status, now)
    _lift(customer, RestrictionKind.NO_OUT, hit.public_id, REVIEW_ENDED, now)
    _refresh_state(customer)
    trail.record(
        action="hit.end",
        object_type="hit",
        object_id=hit.public_id,
        partner_id=customer.partner_id,
        changes={"status": [old, status]},
        reason_code=status,
    )
    _publish(events.REVIEW_CLOSED, customer, now)


@transaction.atomic
def pass_by_hand(*, customer_id: int, note: str, now: datetime) -> ScreeningSubject:
    """
    Let a customer through whose name has nothing to compare, after a person looked; the note says at what.

    :raises NoteRequired: if the note is empty
    :raises AlreadyScreened: if the customer is not waiting for that
    """
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    row = queries.find_subject(customer_id)
    if row is None or row.not_screened_reason != NotScreenedReason.NOTHING_TO_COMPARE:
        raise AlreadyScreened
    policies.check_note(note)
    row.state, row.not_screened_reason, row.screened_at = SubjectState.CLEAR, "", now
    row.save(update_fields=["state", "not_screened_reason", "screened_at"])
    _lift(customer, RestrictionKind.NO_OUT, NOT_SCREENED_REF, REVIEW_ENDED, now)
    trail.record(
        action="customer.pass_screening",
        object_type="customer",
        object_id=customer.public_id,
        customer=customer.public_id,
        partner_id=customer.partner_id,
        reason_code="CHECKED_BY_HAND",
        note=note,
    )
    return row


def _refresh_state(customer: Customer) -> None:
    holding = ScreeningHit.objects.filter(
        customer=customer, status__in=[*PENDING_STATUSES, HitStatus.TRUE_MATCH]
    )
    state = SubjectState.HIT if holding.exists() else SubjectState.CLEAR
    ScreeningSubject.objects.filter(customer=customer).exclude(state=SubjectState.NOT_SCREENED).update(
        state=state
    )


def _stop_money_out(customer: Customer, source_ref: str, reason_code: str, now: datetime) -> None:
    _restrict(customer, RestrictionKind.NO_OUT, source_ref, reason_code, now)


def _restrict(
    customer: Customer, kind: RestrictionKind, source_ref: str, reason_code: str, now: datetime
) -> None:
    place_restriction(
        customer_id=customer.pk,
        kind=kind,
        source=RestrictionSource.SCREENING,
        source_ref=source_ref,
        reason_code=reason_code,
        now=now,
    )


def _lift(
    customer: Customer, kind: RestrictionKind, source_ref: str, reason_code: str, now: datetime
) -> None:
    """Lift what this hit (or the missing screening) holds, if it holds anything; what others hold stays."""
    held = Restriction.objects.filter(
        customer=customer,
        kind=kind,
        source=RestrictionSource.SCREENING,
        source_ref=source_ref,
        lifted_at__isnull=True,
    )
    for restriction_id in held.values_list("pk", flat=True):
        lift_restriction(restriction_id=restriction_id, reason_code=reason_code, now=now)


def _publish(type_: str, customer: Customer, now: datetime) -> None:
    outbox.publish(
        type=type_,
        object_type="customer",
        object_id=customer.public_id,
        partner_id=customer.partner_id,
        data={"id": customer.public_id},
        at=now,
    )
