"""What the database refuses, whoever asks: raw SQL against opinions and hits."""

from datetime import datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from compliance.models.screening import HitDecision, ListVersion, ScreeningHit, ScreeningPolicy, ScreeningRun
from compliance.operations.screening import decide_hit
from flowlet.identity.models import Customer, User


def attack(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def cleared(suspect: Customer, as_officer: User, now: datetime) -> ScreeningHit:
    hit = ScreeningHit.objects.get()
    return decide_hit(hit_id=hit.public_id, outcome="FALSE_POSITIVE", reason_code="COMMON_NAME", now=now)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE compliance_hitdecision SET outcome = 'TRUE_MATCH'",
        "UPDATE compliance_hitdecision SET note = NULL",
        "DELETE FROM compliance_hitdecision",
        "TRUNCATE compliance_hitdecision",
        "TRUNCATE compliance_screeninghit CASCADE",
        (
            "INSERT INTO compliance_hitdecision (public_id, hit_id, outcome, reason_code, actor_ref, actor_label,"
            " decided_at) SELECT 'hde_x', hit_id, outcome, reason_code, actor_ref, actor_label, decided_at"
            " FROM compliance_hitdecision"
        ),
        "DELETE FROM compliance_screeninghit",
        "UPDATE compliance_screeninghit SET points = 1",
        "UPDATE compliance_screeninghit SET comparison = '{}'",
        "UPDATE compliance_screeninghit SET subject_fingerprint = 'x'",
        "UPDATE compliance_screeninghit SET entity_id = entity_id + 1",
        "UPDATE compliance_screeninghit SET status = 'OPEN', closed_at = NULL",
        "UPDATE compliance_screeninghit SET status = 'TRUE_MATCH'",
        "UPDATE compliance_screeninghit SET status = 'DELISTED'",
        "UPDATE compliance_screeninghit SET closed_at = NULL",
    ],
)
def test_raw_sql_on_a_decided_hit_is_refused(cleared: ScreeningHit, sql: str) -> None:
    with pytest.raises(DatabaseError):
        attack(sql)

    cleared.refresh_from_db()
    assert cleared.status == "FALSE_POSITIVE"
    assert HitDecision.objects.count() == 1


@pytest.mark.parametrize("status", ["FALSE_POSITIVE", "TRUE_MATCH", "ESCALATED"])
def test_raw_sql_cannot_decide_without_an_opinion(suspect: Customer, status: str) -> None:
    closed = "NULL" if status == "ESCALATED" else "now()"

    with pytest.raises(DatabaseError, match="no decision of a person"):
        attack(f"UPDATE compliance_screeninghit SET status = '{status}', closed_at = {closed}")


def test_the_same_four_keys_twice_are_refused(suspect: Customer) -> None:
    columns = ", ".join(
        field.column
        for field in ScreeningHit._meta.concrete_fields
        if field.column not in ("id", "public_id")
    )

    with pytest.raises(IntegrityError, match="hit_four_keys_once"):
        attack(
            f"INSERT INTO compliance_screeninghit (public_id, {columns})"
            f" SELECT 'hit_x', {columns} FROM compliance_screeninghit"
        )


def test_a_run_cannot_be_complete_before_everybody_was_checked(live_list: ListVersion, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ScreeningRun.objects.create(
            version=live_list, population=2, checked=1, status="COMPLETE", started_at=now, finished_at=now
        )


@pytest.mark.parametrize(("threshold", "hours"), [(5999, 24), (9501, 24), (8000, 0), (8000, 241)])
def test_numbers_out_of_bounds_are_refused(db: None, now: datetime, threshold: int, hours: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ScreeningPolicy.objects.create(
            threshold=threshold, due_hours=hours, valid_from=now, changed_by="x", reason="x"
        )
