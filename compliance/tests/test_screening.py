"""Screening a customer and deciding about a hit: both sides of every rule."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from compliance import policies, queries
from compliance.choices import HitStatus, Outcome, ReasonCode, SubjectState
from compliance.errors import (
    AlreadyScreened,
    HitAlreadyDecided,
    NoteRequired,
    NoteTooLong,
    ReasonNotForOutcome,
)
from compliance.models.screening import (
    HitDecision,
    ListVersion,
    ScreeningHit,
    ScreeningPolicy,
    ScreeningSubject,
)
from compliance.operations.lists import load_list
from compliance.operations.screening import decide_hit, pass_by_hand, screen_customer
from compliance.tests.conftest import sample
from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import Actor, acting
from flowlet.core.errors import NotFound
from flowlet.events.models import Event
from flowlet.identity import operations as identity
from flowlet.identity.models import Customer, Partner, User
from flowlet.identity.queries import active_restrictions

Make = Callable[..., Customer]


def kinds(customer: Customer) -> list[tuple[str, str]]:
    """Return what is in force against a customer, as (kind, reason)."""
    return [(row.kind, row.reason_code) for row in active_restrictions(customer_id=customer.pk)]


def state(customer: Customer) -> str:
    return ScreeningSubject.objects.get(customer=customer).state


def clear(hit: ScreeningHit, now: datetime, reason: str = ReasonCode.DIFFERENT_PERSON) -> ScreeningHit:
    return decide_hit(hit_id=hit.public_id, outcome=Outcome.FALSE_POSITIVE, reason_code=reason, now=now)


def test_a_new_customer_without_a_match_is_clear_and_free(live_list: ListVersion, new_customer: Make) -> None:
    customer = new_customer("Mirela", "Sandvik")

    assert state(customer) == SubjectState.CLEAR
    assert kinds(customer) == []
    assert not ScreeningHit.objects.exists()


def test_a_possible_match_opens_a_hit_and_stops_money_out(suspect: Customer, now: datetime) -> None:
    hit = ScreeningHit.objects.get()

    restriction = active_restrictions(customer_id=suspect.pk).get()
    assert hit.status == HitStatus.OPEN
    assert hit.matched_name == "Ousmane Illiassou DJIBO"
    assert hit.points == hit.name_points == 10_000
    assert hit.due_at == now + timedelta(hours=24)
    assert (restriction.kind, restriction.source, restriction.source_ref) == (
        "NO_OUT",
        "SCREENING",
        hit.public_id,
    )
    assert state(suspect) == SubjectState.HIT


def test_a_hit_says_why_in_shares_that_sum_to_its_points(suspect: Customer) -> None:
    hit = ScreeningHit.objects.get()

    rows = {row["field"]: row for row in hit.comparison["rows"]}
    assert sum(row["share"] for row in rows.values()) == hit.points
    assert sum(word["share"] for word in hit.comparison["words"]) == hit.name_points
    assert rows["birth_date"]["how"] == "CLOSE"
    assert rows["country"]["how"] == "SAME"
    assert hit.main_reason == "Same name, close birth date"


def test_what_happens_is_audited_and_told_in_neutral_words(suspect: Customer) -> None:
    audited = AuditRecord.objects.get(action="hit.open")
    told = list(Event.objects.filter(object_id=suspect.public_id).order_by("sequence"))

    assert audited.customer == ""  # the customer's time line is open to people who may not know of hits
    assert [event.type for event in told] == [
        "customer.created",
        "customer.restricted",
        "customer.review_opened",
    ]
    assert [event.visibility for event in told] == ["PARTNER", "PARTNER", "INTERNAL"]
    outside = " ".join(str(event.data) for event in told if event.visibility == "PARTNER").lower()
    assert not any(word in outside for word in ("hit", "sanction", "screen", "match", "ofac"))


def test_clearing_lifts_the_restriction_and_keeps_the_opinion(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()

    decided = decide_hit(
        hit_id=hit.public_id,
        outcome=Outcome.FALSE_POSITIVE,
        reason_code=ReasonCode.BIRTH_DATE_DIFFERS,
        note="Passport seen.",
        now=now,
    )

    opinion = HitDecision.objects.get()
    assert decided.status == HitStatus.FALSE_POSITIVE
    assert decided.closed_at == now
    assert (opinion.actor_label, opinion.note) == (as_officer.full_name, "Passport seen.")
    assert kinds(suspect) == []
    assert state(suspect) == SubjectState.CLEAR
    assert Event.objects.filter(type="customer.released").exists()
    record = AuditRecord.objects.get(action="hit.decide")
    assert (record.reason_code, record.actor_label) == ("BIRTH_DATE_DIFFERS", as_officer.full_name)


def test_clearing_one_hit_leaves_what_another_holds(
    live_list: ListVersion, new_customer: Make, now: datetime
) -> None:
    # Two brothers are listed whose names differ in a word; the customer's name lies between.
    customer = new_customer("Nicola Antonio", "Zagaria")
    first, second = ScreeningHit.objects.order_by("pk")

    clear(first, now)
    after_one = kinds(customer)
    clear(second, now)

    assert after_one == [("NO_OUT", "UNDER_REVIEW")]
    assert kinds(customer) == []


def test_a_true_match_freezes_and_rates_the_customer(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()

    decide_hit(
        hit_id=hit.public_id,
        outcome=Outcome.TRUE_MATCH,
        reason_code=ReasonCode.SAME_DOCUMENT,
        note="Same passport number.",
        now=now,
    )

    suspect.refresh_from_db()
    assert kinds(suspect) == [("FROZEN", "NOT_PERMITTED")]
    assert suspect.risk_level == "PROHIBITED"
    assert state(suspect) == SubjectState.HIT


def test_an_escalated_hit_still_stops_money_out_and_can_be_decided(
    suspect: Customer, officer: User, second_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()
    with acting(Actor("STAFF", officer.public_id, officer.full_name)):
        decide_hit(
            hit_id=hit.public_id,
            outcome="ESCALATED",
            reason_code=ReasonCode.NEEDS_LEAD,
            note="Unsure.",
            now=now,
        )
    held = kinds(suspect)

    with acting(Actor("STAFF", second_officer.public_id, second_officer.full_name)):
        clear(hit, now)

    assert held == [("NO_OUT", "UNDER_REVIEW")]
    assert kinds(suspect) == []
    assert HitDecision.objects.count() == 2


def test_a_second_decision_is_refused_and_names_who_and_when(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()
    clear(hit, now)

    with pytest.raises(HitAlreadyDecided) as refused:
        decide_hit(hit_id=hit.public_id, outcome="TRUE_MATCH", reason_code="SAME_FACTS", note="No.", now=now)

    assert refused.value.http_status == 409
    assert (
        refused.value.detail
        == f"{as_officer.full_name} decided this hit on 02 Nov 2026 at 09:30:00 UTC: cleared."
    )
    assert kinds(suspect) == []


@pytest.mark.parametrize(
    ("outcome", "reason", "note", "error"),
    [
        ("FALSE_POSITIVE", "SAME_DOCUMENT", "x", ReasonNotForOutcome),
        ("FALSE_POSITIVE", "", "x", ReasonNotForOutcome),
        ("TRUE_MATCH", "COMMON_NAME", "x", ReasonNotForOutcome),
        ("DELISTED", "COMMON_NAME", "x", ReasonNotForOutcome),
        ("TRUE_MATCH", "SAME_FACTS", "  ", NoteRequired),
        ("ESCALATED", "NEEDS_LEAD", "", NoteRequired),
        ("FALSE_POSITIVE", "COMMON_NAME", "x" * 4001, NoteTooLong),
        ("TRUE_MATCH", "SAME_FACTS", "x" * 4001, NoteTooLong),
    ],
)
def test_a_decision_with_a_wrong_reason_or_note_changes_nothing(
    suspect: Customer, now: datetime, outcome: str, reason: str, note: str, error: type[Exception]
) -> None:
    hit = ScreeningHit.objects.get()

    with pytest.raises(error):
        decide_hit(hit_id=hit.public_id, outcome=outcome, reason_code=reason, note=note, now=now)

    hit.refresh_from_db()
    assert hit.status == HitStatus.OPEN
    assert not HitDecision.objects.exists()


def test_a_note_of_exactly_the_limit_is_stored(suspect: Customer, now: datetime) -> None:
    note = "x" * policies.NOTE_LENGTH_MAX

    decide_hit(
        hit_id=ScreeningHit.objects.get().public_id,
        outcome="FALSE_POSITIVE",
        reason_code="COMMON_NAME",
        note=note,
        now=now,
    )

    assert HitDecision.objects.get().note == note


def test_a_hit_that_does_not_exist_is_not_found(db: None, now: datetime) -> None:
    with pytest.raises(NotFound):
        decide_hit(hit_id="hit_0", outcome="FALSE_POSITIVE", reason_code="COMMON_NAME", now=now)


def test_screening_again_does_not_reopen_what_was_cleared(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    clear(ScreeningHit.objects.get(), now)

    screen_customer(customer_id=suspect.pk, now=now + timedelta(days=1))

    assert ScreeningHit.objects.get().status == HitStatus.FALSE_POSITIVE
    assert kinds(suspect) == []
    assert state(suspect) == SubjectState.CLEAR


def test_screening_again_opens_a_hit_when_a_fact_of_the_customer_changed(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    clear(ScreeningHit.objects.get(), now)
    suspect.birth_date = "1984-01-01"
    suspect.save()

    screen_customer(customer_id=suspect.pk, now=now + timedelta(days=1))

    old, new = ScreeningHit.objects.order_by("pk")
    assert (old.status, new.status) == (HitStatus.FALSE_POSITIVE, HitStatus.OPEN)
    assert old.subject_fingerprint != new.subject_fingerprint
    assert kinds(suspect) == [("NO_OUT", "UNDER_REVIEW")]


def test_screening_twice_in_a_row_changes_nothing(suspect: Customer, now: datetime) -> None:
    screen_customer(customer_id=suspect.pk, now=now)

    assert ScreeningHit.objects.count() == 1
    assert len(kinds(suspect)) == 1
    assert AuditRecord.objects.filter(action="hit.open").count() == 1


def test_a_contradicting_birth_date_leaves_a_row_that_says_so(
    live_list: ListVersion, new_customer: Make
) -> None:
    customer = new_customer("Gerard", "Wisser", birth_date=date(2001, 1, 1))

    hit = ScreeningHit.objects.get()
    assert hit.status == HitStatus.AUTO_CLEARED
    assert hit.points < hit.threshold <= hit.name_points
    assert (kinds(customer), state(customer)) == ([], SubjectState.CLEAR)


def test_what_the_machine_cleared_can_be_taken_up_by_a_person(
    live_list: ListVersion, new_customer: Make, as_officer: User, now: datetime
) -> None:
    customer = new_customer("Gerard", "Wisser", birth_date=date(2001, 1, 1))
    hit = ScreeningHit.objects.get()

    decide_hit(
        hit_id=hit.public_id, outcome="ESCALATED", reason_code="NEEDS_DOCUMENTS", note="Odd papers.", now=now
    )

    assert kinds(customer) == [("NO_OUT", "UNDER_REVIEW")]
    with pytest.raises(HitAlreadyDecided):
        decide_hit(
            hit_id=hit.public_id, outcome="ESCALATED", reason_code="NEEDS_LEAD", note="Again.", now=now
        )


def test_a_business_meets_a_listed_organisation(live_list: ListVersion, new_customer: Make) -> None:
    listed = queries.ListedEntity.objects.filter(kind="COMPANY").order_by("pk")[5]

    customer = new_customer(legal_name=f"{listed.name} GmbH")

    assert ScreeningHit.objects.get(customer=customer).entity == listed


def test_a_business_named_like_a_listed_person_is_not_stopped(
    live_list: ListVersion, new_customer: Make
) -> None:
    customer = new_customer(legal_name="Gerhard Wisser")

    hit = ScreeningHit.objects.get()
    assert (hit.status, kinds(customer)) == (HitStatus.AUTO_CLEARED, [])


def test_without_a_list_nobody_sends_money_and_receiving_stays_possible(
    blocking: None, new_customer: Make
) -> None:
    customer = new_customer("Mirela", "Sandvik")

    assert state(customer) == SubjectState.NOT_SCREENED
    assert kinds(customer) == [("NO_OUT", "UNDER_REVIEW")]


def test_the_block_of_unscreened_customers_can_be_switched_off(new_customer: Make, db: None) -> None:
    customer = new_customer("Mirela", "Sandvik")

    assert (state(customer), kinds(customer)) == (SubjectState.NOT_SCREENED, [])


def test_a_customer_who_waited_for_a_list_is_screened_and_released(
    blocking: None, new_customer: Make, now: datetime
) -> None:
    customer = new_customer("Mirela", "Sandvik")
    load_list(code="ofac-sdn", files=sample(), now=now)

    screen_customer(customer_id=customer.pk, now=now)

    assert (state(customer), kinds(customer)) == (SubjectState.CLEAR, [])


def test_a_name_without_words_waits_for_a_person(
    live_list: ListVersion, new_customer: Make, as_officer: User, now: datetime
) -> None:
    customer = new_customer("\u2603", "\u2603")
    held = kinds(customer)
    with pytest.raises(NoteRequired):
        pass_by_hand(customer_id=customer.pk, note=" ", now=now)

    pass_by_hand(customer_id=customer.pk, note="Passport seen: no name recorded.", now=now)

    assert held == [("NO_OUT", "UNDER_REVIEW")]
    assert (kinds(customer), state(customer)) == ([], SubjectState.CLEAR)
    with pytest.raises(AlreadyScreened):
        pass_by_hand(customer_id=customer.pk, note="Again.", now=now)


def test_the_threshold_in_force_decides(live_list: ListVersion, new_customer: Make, now: datetime) -> None:
    ScreeningPolicy.objects.create(
        threshold=9500, due_hours=4, valid_from=now - timedelta(days=1), changed_by="Lead", reason="Too many"
    )
    ScreeningPolicy.objects.create(
        threshold=6000, due_hours=2, valid_from=now + timedelta(days=1), changed_by="Lead", reason="Later"
    )

    new_customer("Gerard", "Wisser")
    exact = new_customer("Gerhard", "Wisser")

    hit = ScreeningHit.objects.get()
    assert (hit.customer, hit.threshold, hit.due_at) == (exact, 9500, now + timedelta(hours=4))


@pytest.mark.parametrize(
    ("points", "name_points", "status"),
    [(8000, 8000, "OPEN"), (7999, 7999, None), (7999, 8000, "AUTO_CLEARED"), (8000, 7000, "OPEN")],
)
def test_the_threshold_is_met_exactly(points: int, name_points: int, status: str | None) -> None:
    assert policies.status_for(points=points, name_points=name_points, threshold=8000) == status


def test_a_customer_is_not_created_when_screening_breaks(
    live_list: ListVersion, partner: Partner, now: datetime
) -> None:
    live_list.source.entities.filter(uid="11366").update(fingerprint="x" * 64)
    ScreeningPolicy.objects.create(threshold=8000, due_hours=240, valid_from=now, changed_by="x", reason="x")

    with pytest.raises(OverflowError):
        identity.create_customer(
            partner_id=partner.pk,
            kind="PERSON",
            given_name="Gerhard",
            family_name="Wisser",
            country="DE",
            now=datetime.max.replace(tzinfo=now.tzinfo),
        )

    assert not Customer.objects.exists()
