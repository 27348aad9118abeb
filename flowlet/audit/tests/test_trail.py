"""The audit trail: written with the act, refused any change, proved by recomputation."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from flowlet.audit import trail
from flowlet.audit.models import AuditNote, AuditRecord
from flowlet.audit.verify import verify

pytestmark = pytest.mark.django_db


def _act(note: str = "") -> AuditRecord:
    with trail.acting(trail.Actor("STAFF", "usr_1", "Ilse Marten"), request_id="req_1", ip="192.0.2.7"):
        number = trail.record(
            action="wallet.freeze",
            object_type="wallet",
            object_id="wal_1",
            changes={"status": ["ACTIVE", "FROZEN"]},
            reason_code="CUSTOMER_ASKED",
            note=note,
        )
    return AuditRecord.objects.get(pk=number)


def test_an_act_names_its_actor_and_is_signed_in_its_transaction() -> None:
    row = _act("She called at noon – naïve 漢字")

    assert (row.actor, row.actor_label, row.request_id, row.ip) == (
        "usr_1",
        "Ilse Marten",
        "req_1",
        "192.0.2.7",
    )
    assert row.origin == AuditRecord.Origin.APP
    assert row.mac is not None
    report = verify()
    assert (report.checked, report.unsigned, report.findings) == (1, 0, [])
    note = AuditNote.objects.get(record=row)
    text = trail.open_note(public_id=note.public_id, ciphertext=note.ciphertext)
    assert text == "She called at noon – naïve 漢字"
    assert "naïve".encode() not in bytes(note.ciphertext)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_auditrecord SET actor = 'usr_2'",
        "UPDATE audit_auditrecord SET mac = NULL",
        "DELETE FROM audit_auditrecord",
        "TRUNCATE audit_auditrecord CASCADE",
        "UPDATE audit_auditnote SET ciphertext = ''",
        "DELETE FROM audit_auditnote",
        "TRUNCATE audit_auditnote",
    ],
)
def test_the_database_refuses_every_change_of_the_trail(attack: str) -> None:
    _act("a note")
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # pending checks would refuse TRUNCATE before ours does

    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)

    assert refusal.value.__cause__.diag.constraint_name == "append_only"
    assert verify().whole


def test_a_row_written_by_raw_sql_cannot_choose_its_time_user_or_digest() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditrecord (epoch, xid, recorded_at, origin, customer, actor_kind, actor,"
            " actor_label, ip, request_id, action, object_type, object_id, outcome, reason_code, changes,"
            " note_digest, db_user, mac) VALUES (9, 1, '2001-01-01', 'APP', '', 'STAFF', 'usr_1', '', '', '',"
            " 'wallet.freeze', 'wallet', 'wal_1', 'DONE', '', '{}', '', 'nobody', '\\x00')"
        )

    row = AuditRecord.objects.get()
    assert row.origin == AuditRecord.Origin.DATABASE
    assert row.recorded_at.year > 2001
    assert row.mac is None
    assert row.db_user != "nobody"
    assert verify().unsigned == 1


@pytest.mark.parametrize(
    "column", ["actor", "object_id", "changes", "reason_code", "note_digest", "request_id"]
)
def test_an_edit_behind_the_triggers_is_found(column: str) -> None:
    row = _act()
    _act()
    _without_triggers(f"UPDATE audit_auditrecord SET {column} = 'forged' WHERE id = {row.pk}")

    report = verify()

    assert [finding.record_id for finding in report.findings] == [row.pk]


def test_text_that_slides_from_one_column_into_the_next_is_found() -> None:
    row = _act()
    _without_triggers(
        f"UPDATE audit_auditrecord SET action = 'wallet.freezewal', object_type = 'let' WHERE id = {row.pk}"
    )

    assert not verify().whole


def test_two_rows_with_swapped_digests_are_found() -> None:
    first, second = _act(), _act()
    _without_triggers(
        "UPDATE audit_auditrecord a SET mac = b.mac, nonce = b.nonce FROM audit_auditrecord b"
        f" WHERE a.id IN ({first.pk}, {second.pk}) AND b.id IN ({first.pk}, {second.pk}) AND a.id <> b.id"
    )

    assert {finding.record_id for finding in verify().findings} == {first.pk, second.pk}


def test_an_act_that_is_rolled_back_leaves_no_row() -> None:
    with pytest.raises(ValueError, match="undo"), transaction.atomic():
        _act()
        raise ValueError("undo")

    assert not AuditRecord.objects.exists()


def test_verify_audit_exits_with_one_when_the_trail_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    row = _act()
    call_command("verify_audit")
    assert "audit trail whole: 1 rows checked" in capsys.readouterr().out
    _without_triggers(f"UPDATE audit_auditrecord SET actor = 'x' WHERE id = {row.pk}")

    with pytest.raises(SystemExit) as stop:
        call_command("verify_audit")

    assert stop.value.code == 1
    assert f"row {row.pk}: altered" in capsys.readouterr().out


def test_verify_audit_exits_with_two_without_a_key(settings: object) -> None:
    settings.AUDIT_MAC_KEYS = ""  # type: ignore[attr-defined]

    with pytest.raises(SystemExit) as stop:
        call_command("verify_audit")

    assert stop.value.code == 2


def _without_triggers(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
