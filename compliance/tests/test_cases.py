"""Cases: what people may do to one, and that no path closes it without two of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from compliance import policies_cases as policies
from compliance.choices_monitoring import CaseState
from compliance.errors import NoteRequired
from compliance.errors_monitoring import CaseReasonMismatch, CaseStateConflict, NothingChanged, WaitedEnough
from compliance.models.cases import Case, CaseEvent
from compliance.models.monitoring import Alert, DirtyWindow, ScenarioVersion
from compliance.operations.cases import add_note, put_on_hold, resume_case, take_case
from compliance.operations.cases_deciding import propose_decision
from compliance.operations.monitoring import run_scenarios
from compliance.operations.monitoring_feed import feed_activities
from compliance.operations.monitoring_versions import propose_version
from compliance.queries_cases import get_case_facts
from compliance.tests.watching import at, cash_in, make_lead
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.approvals.errors import ApprovalDecided, NotYourApproval, OwnApproval
from flowlet.backoffice.approvals.operations import approve, expire_approvals, reject
from flowlet.backoffice.models import Approval
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.identity.models import Partner, User
from wallets.tests.factories import at_once, make_customer, make_wallet

_PASSWORD = "correct-horse-battery"


def proposed(case: Case, maker: User, now: datetime, **more: Any) -> Approval:
    """Return the request that a proposal to confirm made."""
    take_case(case_id=case.public_id, user_id=maker.pk, now=now)
    values = {
        "outcome": "CONFIRMED",
        "reason_code": "PATTERN_UNEXPLAINED",
        "note": "No source shown.",
        **more,
    }
    done = propose_decision(case_id=case.public_id, user_id=maker.pk, now=now, **values)
    assert done.approval is not None
    return done.approval


def test_a_second_person_closes_a_case_and_its_timeline_says_who_did_what(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    add_note(case_id=case.public_id, user_id=officer.pk, note="Called the partner.", now=now)
    request = proposed(case, officer, now)

    done = approve(
        approval_id=request.pk, checker_id=lead.pk, seen_hash=request.content_hash, note="Agreed.", now=now
    )

    case.refresh_from_db()
    lines = list(CaseEvent.objects.filter(case=case).order_by("pk"))
    assert (done.status, case.state, case.closed_at) == ("EXECUTED", "CLOSED_CONFIRMED", now)
    assert [line.kind for line in lines] == ["OPENED", "NOTE", "TAKEN", "PROPOSED", "CLOSED"]
    assert [line.actor_label for line in lines] == ["Monitoring", *["Ilse Marten"] * 3, "Grete Holm"]
    assert lines[1].note == "Called the partner."
    acts = AuditRecord.objects.filter(object_id=case.public_id).order_by("pk")
    assert [one.action for one in acts] == [
        "case.open",
        "case.note",
        "case.take",
        "case.propose",
        "case.close",
    ]
    assert set(acts.values_list("customer", flat=True)) == {""}


def test_the_maker_cannot_check_even_with_the_right_to(case: Case, lead: User, now: datetime) -> None:
    request = proposed(case, lead, now)

    with pytest.raises(OwnApproval):
        approve(approval_id=request.pk, checker_id=lead.pk, seen_hash=request.content_hash, now=now)

    case.refresh_from_db()
    assert case.state == "PROPOSED"


def test_whoever_wrote_to_the_case_cannot_check_it(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    add_note(case_id=case.public_id, user_id=lead.pk, note="Looks like a shop to me.", now=now)
    request = proposed(case, officer, now)

    with pytest.raises(OwnApproval):
        approve(approval_id=request.pk, checker_id=lead.pk, seen_hash=request.content_hash, now=now)


def test_an_officer_may_propose_but_not_check(case: Case, officer: User, lead: User, now: datetime) -> None:
    request = proposed(case, lead, now)

    with pytest.raises(NotYourApproval):
        approve(approval_id=request.pk, checker_id=officer.pk, seen_hash=request.content_hash, now=now)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE compliance_case SET state = 'CLOSED_REFUTED', closed_at = now(), proposed_outcome = 'REFUTED'",
        "UPDATE compliance_case SET state = 'CLOSED_CONFIRMED', closed_at = now()",
        "DELETE FROM compliance_case",
        "TRUNCATE compliance_case CASCADE",
    ],
)
def test_raw_sql_cannot_close_or_remove_a_case(case: Case, officer: User, now: datetime, sql: str) -> None:
    proposed(case, officer, now)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


def test_raw_sql_cannot_make_the_maker_his_own_checker(case: Case, officer: User, now: datetime) -> None:
    request = proposed(case, officer, now)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)"
            " VALUES (%s, %s, %s, 'APPROVE', %s, '', now())",
            [request.pk, officer.pk, officer.pk, request.content_hash],
        )


def test_raw_sql_cannot_close_a_case_by_the_vote_of_somebody_who_wrote_to_it(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    add_note(case_id=case.public_id, user_id=lead.pk, note="I looked at this.", now=now)
    request = proposed(case, officer, clock.now())  # the database's own clock says whether it has expired

    with (
        pytest.raises(IntegrityError, match="whoever wrote"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO backoffice_approvalvote (approval_id, maker_id, checker_id, decision, seen_hash, note, voted_at)"
            " VALUES (%s, %s, %s, 'APPROVE', %s, '', now())",
            [request.pk, officer.pk, lead.pk, request.content_hash],
        )
        cursor.execute(
            "UPDATE compliance_case SET state = 'CLOSED_CONFIRMED', closed_at = now() WHERE id = %s",
            [case.pk],
        )


def test_a_closed_case_stays_and_the_next_pattern_opens_another(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    request = proposed(case, officer, now)
    approve(approval_id=request.pk, checker_id=lead.pk, seen_hash=request.content_hash, now=now)

    wallet = case.customer.wallets.get()
    cash_in(wallet, 880_000, at(4), "later")
    feed_activities()
    run_scenarios(now=now)

    later = Case.objects.exclude(pk=case.pk).get()
    alert = Alert.objects.get(case_link__case=later)
    assert later.state == "OPEN"
    assert alert.follows == Alert.objects.get(case_link__case=case)
    assert alert.evidence.count() == 1
    with pytest.raises(IntegrityError, match="stays as it was"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(title="Another")


def test_new_evidence_voids_a_proposal_and_the_case_goes_back_to_work(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    request = proposed(case, officer, now)
    cash_in(case.customer.wallets.get(), 880_000, at(4), "later")
    feed_activities()
    run_scenarios(now=now)

    done = approve(approval_id=request.pk, checker_id=lead.pk, seen_hash=request.content_hash, now=now)

    case.refresh_from_db()
    assert (done.status, case.state, case.approval) == ("VOID", "INVESTIGATING", None)


def test_a_rejected_proposal_returns_with_the_words_and_can_be_made_again(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    request = proposed(case, officer, now)
    reject(
        approval_id=request.pk,
        checker_id=lead.pk,
        seen_hash=request.content_hash,
        note="Ask for the contract first.",
        now=now,
    )

    again = proposed(case, officer, now, outcome="REFUTED", reason_code="SOURCE_PROVEN")
    done = approve(approval_id=again.pk, checker_id=lead.pk, seen_hash=again.content_hash, now=now)

    case.refresh_from_db()
    assert (done.status, case.state) == ("EXECUTED", "CLOSED_REFUTED")
    assert CaseEvent.objects.get(kind="RETURNED").note == "Ask for the contract first."


def test_a_proposal_that_nobody_decides_in_time_returns_with_its_expiry(
    case: Case, officer: User, now: datetime
) -> None:
    request = proposed(case, officer, now)

    assert expire_approvals(now=request.expires_at) == 1

    case.refresh_from_db()
    assert (case.state, case.approval) == ("INVESTIGATING", None)
    assert CaseEvent.objects.get(kind="RETURNED").data == {"status": "Expired"}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_one_finds_it_decided(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    request = proposed(case, officer, now)
    checkers = [lead, make_lead("Vigdis Aas")]

    def decide(number: int) -> Approval:
        return approve(
            approval_id=request.pk,
            checker_id=checkers[number].pk,
            seen_hash=request.content_hash,
            now=now,
        )

    answers = at_once(decide, 2)

    assert sorted(type(one).__name__ for one in answers) == sorted(
        [Approval.__name__, ApprovalDecided.__name__]
    )
    assert Case.objects.get().state == "CLOSED_CONFIRMED"
    assert CaseEvent.objects.filter(kind="CLOSED").count() == 1


@pytest.mark.django_db(transaction=True)
def test_runs_side_by_side_raise_each_alert_once(partner: Partner, now: datetime) -> None:
    for number in range(6):
        wallet = make_wallet(make_customer(partner, f"Person Number{number}"), "USD")
        for n in range(3):
            cash_in(wallet, 900_000, at(n), f"{number}-{n}")
    feed_activities()
    feed_activities()

    def run(_number: int) -> int:
        return sum(one.alerts_new for one in run_scenarios(now=now))

    raised = at_once(run, 4)

    assert sum(raised) == Alert.objects.count() == Case.objects.count() == 6
    assert not DirtyWindow.objects.exists()


def test_what_does_not_fit_is_refused_with_a_reason(case: Case, officer: User, now: datetime) -> None:
    act = {"case_id": case.public_id, "user_id": officer.pk, "now": now}

    with pytest.raises(CaseReasonMismatch):
        propose_decision(outcome="REFUTED", reason_code="FALSE_ANSWERS", note="x", **act)
    with pytest.raises(NoteRequired):
        propose_decision(outcome="REFUTED", reason_code="SOURCE_PROVEN", note=" ", **act)
    with pytest.raises(CaseStateConflict):  # nobody took it yet
        propose_decision(outcome="REFUTED", reason_code="SOURCE_PROVEN", note="x", **act)
    with pytest.raises(CaseStateConflict):
        resume_case(note="", **act)
    with pytest.raises(NoteRequired):
        add_note(note="", **act)


def test_waiting_stops_the_clock_for_ten_days_in_all(case: Case, officer: User, now: datetime) -> None:
    act = {"case_id": case.public_id, "user_id": officer.pk}
    take_case(now=now, **act)
    due = case.due_at

    put_on_hold(note="Waits for the partner.", now=now, **act)
    resume_case(note="", now=now + timedelta(days=4), **act)
    put_on_hold(note="Waits again.", now=now + timedelta(days=5), **act)
    done = resume_case(note="", now=now + timedelta(days=20), **act)

    assert done.due_at == due + timedelta(days=10)
    with pytest.raises(WaitedEnough):
        put_on_hold(note="Once more.", now=now + timedelta(days=21), **act)


@pytest.mark.parametrize(
    ("severity", "opened", "due"),
    [
        ("HIGH", (6, 10), (9, 10)),
        ("MEDIUM", (5, 9), (10, 9)),
        ("LOW", (2, 8), (16, 8)),
        ("MEDIUM", (7, 8), (11, 8)),
    ],
)
def test_due_times_count_business_days(severity: str, opened: Sequence[int], due: Sequence[int]) -> None:
    start = datetime(2026, 11, opened[0], opened[1], tzinfo=UTC)  # the 2nd is a Monday

    assert policies.due_at(severity, start) == datetime(2026, 11, due[0], due[1], tzinfo=UTC)


def test_the_facts_of_a_case_hold_alerts_movements_and_totals(case: Case) -> None:
    facts = get_case_facts(case.public_id)

    assert facts.customer == case.customer
    assert [one.title for one in facts.alerts] == ["Structuring below the reporting limit"]
    assert "3 cash deposits between 1 Jun 2026 and 3 Jun 2026" in facts.alerts[0].sentence
    assert [one.amount.minor for one in facts.activities] == [900_000, 900_001, 900_002]
    assert facts.totals == {"USD": (Money(2_700_003, "USD"), Money(0, "USD"))}
    assert (facts.first_at, facts.latest_at) == (at(0), at(2))


def test_other_parameters_need_two_people_and_everybody_is_looked_at_again(
    case: Case, officer: User, lead: User, now: datetime
) -> None:
    version = propose_version(
        scenario="structuring",
        parameters={"count_min": 4},
        user_id=officer.pk,
        reason_code="TOO_MANY_ALERTS",
        note="Three a week is a small shop.",
        now=now,
    )
    assert version.approval is not None
    assert run_scenarios(now=now) == []

    approve(
        approval_id=version.approval.pk,
        checker_id=lead.pk,
        seen_hash=version.approval.content_hash,
        now=now,
    )
    run_scenarios(now=now)

    versions = ScenarioVersion.objects.filter(scenario="structuring").order_by("number")
    assert list(versions.values_list("status", flat=True)) == ["RETIRED", "LIVE"]
    assert Alert.objects.get().status == "DISMISSED"
    assert case.state == CaseState.OPEN


def test_a_version_cannot_go_live_or_change_by_raw_sql(officer: User, now: datetime) -> None:
    version = propose_version(
        scenario="fan_in",
        parameters={"days": 5},
        user_id=officer.pk,
        reason_code="MISSED_PATTERN",
        note="Faster rings.",
        now=now,
    )

    for sql in (
        "UPDATE compliance_scenarioversion SET status = 'LIVE', live_at = now() WHERE id = %s",
        "UPDATE compliance_scenarioversion SET parameters = '{}' WHERE id = %s",
        "DELETE FROM compliance_scenarioversion WHERE id = %s",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [version.pk])
    with pytest.raises(NothingChanged):
        propose_version(
            scenario="fan_in",
            parameters={"days": 7},
            user_id=officer.pk,
            reason_code="ROLL_BACK",
            note="As it is.",
            now=now,
        )
