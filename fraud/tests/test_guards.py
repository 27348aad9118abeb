from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from flowlet.backoffice.models import Approval, ApprovalVote
from fraud.models import (
    Decision,
    FeatureSet,
    GateRun,
    HistoryEvent,
    Label,
    ModelArtefact,
    PolicyVersion,
    RuleVersion,
    TrainingRun,
)
from fraud.operations.labelling import record_label
from fraud.tests.patient import decide

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


@pytest.fixture
def labelled(request_for, now):
    request = request_for(sandbox_risk="elevated")
    decide(request=request, now=now)
    record_label(
        source_kind="payment", source_id=request.source_id, verdict="FRAUD", source="PARTNER", now=now
    )
    return request


@pytest.fixture
def artefact(now):
    run = TrainingRun.objects.create(
        stream="live",
        learner="boosted",
        feature_set="live_v1",
        as_of=now,
        span_from=now - timedelta(days=1),
        span_to=now,
        state="DONE",
        finished_at=now,
        created_at=now,
    )
    return ModelArtefact.objects.create(
        run=run,
        stream="live",
        learner="boosted",
        feature_set="live_v1",
        feature_digest="f",
        metadata={},
        metrics={},
        digest="d",
        status="CANDIDATE",
        created_at=now,
    )


def _refused(sql, *values, error=IntegrityError, match=""):
    with pytest.raises(error, match=match), transaction.atomic(), connection.cursor() as cursor:
        # Pending foreign keys would stop a TRUNCATE before our guard does.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, values)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("historyevent", "base_minor", "1"),
        ("decision", "action", "'ALLOW'"),
        ("decisionkey", "decision_id", "0"),
        ("rulehit", "live", "false"),
        ("featureset", "code", "'other'"),
        ("label", "verdict", "'GENUINE'"),
        ("ruleversion", "parameters", "'{}'"),
        ("policyversion", "costs", "'{\"loss_share\": 0}'"),
    ],
)
def test_raw_sql_cannot_change_delete_or_empty_what_only_grows(labelled, table, column, value):
    assert {"historyevent": HistoryEvent, "decision": Decision, "featureset": FeatureSet}.get(
        table, HistoryEvent
    ).objects.exists()

    _refused(f"UPDATE fraud_{table} SET {column} = {value}", match="refused")
    _refused(f"DELETE FROM fraud_{table}", match="refused")
    _refused(f"TRUNCATE fraud_{table} CASCADE", error=DatabaseError, match="refused")


def test_a_label_may_be_superseded_once(labelled, now):
    label = Label.objects.get()
    Label.objects.filter(pk=label.pk).update(superseded_at=now)

    _refused("UPDATE fraud_label SET superseded_at = NULL", match="superseded, once")
    _refused("UPDATE fraud_label SET superseded_at = now()", match="superseded, once")


def test_a_label_cannot_be_known_before_its_event(labelled, now):
    event = HistoryEvent.objects.get()

    _refused(
        "INSERT INTO fraud_label (stream, event_id, event_at, customer_key, terminal_key, device_key, counterparty_key,"
        " verdict, source, rank, known_at, recorded_by, mark, superseded_at) "
        "VALUES ('live', %s, now(), 0, 0, 0, 0, 'FRAUD', 'PARTNER', 4, %s, '', 0, %s)",
        event.pk,
        event.event_at - timedelta(seconds=1),
        now,
        match="label_known_after_event",
    )


def test_a_label_needs_an_event_of_its_own_stream(labelled, now):
    event = HistoryEvent.objects.get()

    with pytest.raises(IntegrityError, match="does not exist"), transaction.atomic():
        Label.objects.create(
            stream="other",
            event_id=event.pk,
            event_at=now,
            customer_key=0,
            verdict="FRAUD",
            source="PARTNER",
            rank=4,
            known_at=now,
        )


def test_the_transaction_of_a_row_is_the_databases_word(labelled):
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_id::text = pg_current_xact_id()::text FROM fraud_historyevent")
        assert cursor.fetchone()[0] is True


def test_a_decision_where_nothing_worked_cannot_be_stored_as_allow(labelled):
    columns = "public_id, stream, event_id, product, customer, source_kind, source_id, amount_minor, currency, action,"
    _refused(
        f"INSERT INTO fraud_decision ({columns} feature_set, vector, reasons, coarse_reasons, degraded, sample, unknown,"
        " elapsed_us, decided_at) SELECT 'fdc_x', stream, 0, product, customer, source_kind, 'x', 1, currency, 'ALLOW',"
        " feature_set, vector, reasons, coarse_reasons, '{NOTHING_WORKED}', sample, unknown, 1, decided_at"
        " FROM fraud_decision",
        match="decision_never_silent_allow",
    )


def test_two_live_versions_of_a_rule_or_policy_are_refused(labelled, now):
    with pytest.raises(IntegrityError, match="rule_live_once"), transaction.atomic():
        RuleVersion.objects.create(
            code="card_testing", version=2, kind="CODED", status="LIVE", approval="a", created_at=now
        )
    with pytest.raises(IntegrityError, match="policy_live_once"), transaction.atomic():
        PolicyVersion.objects.create(
            product="CARD", version=2, costs={}, status="LIVE", approval="a", created_at=now
        )


@pytest.mark.parametrize(
    ("kind", "approval", "backtest", "constraint"),
    [("CODED", "", "", "rule_live_approved"), ("BUILT", "apr_1", "", "rule_live_backtested")],
)
def test_a_live_rule_needs_its_approval_and_a_built_one_its_back_test(
    now, kind, approval, backtest, constraint
):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        RuleVersion.objects.create(
            code="x",
            version=1,
            kind=kind,
            status="LIVE",
            approval=approval,
            backtest_digest=backtest,
            created_at=now,
        )


def test_nobody_is_champion_of_the_live_stream_past_gate_and_second_person(
    artefact, now, officer, second_officer
):
    crown = "UPDATE fraud_modelartefact SET status = 'CHAMPION', promoted_at = now(), requested_by = %s, approved_by = %s"
    approval = Approval.objects.create(
        action="fraud.promote_champion",
        object_type="fraud_model",
        object_id=artefact.public_id,
        payload={},
        evidence={},
        content_hash="h",
        maker=officer,
        reason_code="BETTER",
        note="",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )

    _refused(crown, "a", "b", match="passed gate")
    GateRun.objects.create(artefact=artefact, results=[], passed=False, digest="g", created_at=now)
    _refused(crown, "a", "b", match="passed gate")
    GateRun.objects.create(artefact=artefact, results=[], passed=True, digest="g", created_at=now)
    _refused(crown, "a", "b", match="second person")
    by = f"{crown}, approval_id = {approval.pk}"
    _refused(by, "a", "b", match="second person")
    ApprovalVote.objects.create(
        approval=approval,
        maker=officer,
        checker=second_officer,
        decision="APPROVE",
        seen_hash="h",
        voted_at=now,
    )
    _refused(by, "a", "a", match="model_two_people")
    _refused(by, "a", "", match="model_champion_approved")
    with connection.cursor() as cursor:
        cursor.execute(by, ["a", "b"])


def test_a_models_parts_and_a_finished_run_are_fixed(artefact):
    _refused("UPDATE fraud_modelartefact SET metrics = '{\"average_precision\": 1}'", match="standing")
    _refused("DELETE FROM fraud_modelartefact", match="standing")
    _refused("UPDATE fraud_trainingrun SET counts = '{}'", match="finished")
    _refused("DELETE FROM fraud_trainingrun", match="finished")


def test_a_file_that_is_not_its_digest_cannot_be_stored(artefact):
    _refused(
        "INSERT INTO fraud_modelfile (artefact_id, name, content, sha256) VALUES (%s, 'model.onnx', 'x', 'y')",
        artefact.pk,
        match="model_file_digest",
    )
