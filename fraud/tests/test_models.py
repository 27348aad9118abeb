import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from json import loads

import numpy as np
import pytest
import xgboost
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.identity.operations import create_user
from fraud import installing
from fraud.choices import ModelStatus, RunState
from fraud.errors import ArtefactRefused, EventUnknown, NothingToRollBackTo, PromotionRefused
from fraud.features.sets import features_of
from fraud.gate.registry import CHECKS, Evidence, judge
from fraud.models import Decision, GateRun, Label, ModelArtefact, ModelScore, TrainingRun
from fraud.operations import modelling
from fraud.operations.crowning import ask_for_champion
from fraud.operations.importing import import_history
from fraud.operations.labelling import record_label
from fraud.queries import CODES
from fraud.serving import loader, score
from fraud.serving.bundle import Calibration
from fraud.serving.trees import Trees
from fraud.streams.generated import Shape, generate
from fraud.tests.patient import decide
from fraud.training import calibration, metrics, runner
from fraud.training.learners.registry import LEARNERS

# One worker takes all: the history is imported once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("fraud models")]
_SMALL = {
    "logistic": {},
    "boosted": {"trees": 40},
    "forest": {"trees": 20, "depth_max": 8},
    "anomaly": {"trees": 30},
}


@pytest.fixture(scope="module")
def history(once_per_module):
    until = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    events = generate(Shape(until=until, days=60, customers=70, stream="small"))
    with once_per_module.unblock():
        installing.install(now=until)
        import_history(stream="small", events=events)
    return events


def _train(learner, now, **values):
    values = {"stream": "small", "parameters": _SMALL[learner], **values}
    run = modelling.train(learner=learner, now=now, **values)
    return runner.run_training(run_id=run.pk, now=now), TrainingRun.objects.get(pk=run.pk)


def _champion(learner, now):
    artefact, run = _train(learner, now)
    assert artefact is not None, run.failure
    return modelling.promote(
        artefact_id=artefact.pk,
        to="CHAMPION",
        reason_code="TEST",
        now=now,
    )


def _tamper(artefact):
    """Change a stored byte as only somebody could who switches the triggers and constraints off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE fraud_modelfile DROP CONSTRAINT model_file_digest")
        cursor.execute(
            "UPDATE fraud_modelfile SET content = set_byte(content, 200, (get_byte(content, 200) + 1) %% 256) "
            "WHERE artefact_id = %s AND name = 'model.onnx'",
            [artefact.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    loader.forget()


@pytest.mark.parametrize("learner", list(_SMALL))
def test_each_learner_gives_a_candidate_that_serves_what_was_trained(history, now, learner):
    artefact, run = _train(learner, now)

    assert run.state == RunState.DONE, run.failure
    assert artefact.status == ModelStatus.CANDIDATE
    assert run.counts["rows"] > 1_000
    model = loader.load(artefact)
    assert list(model.manifest.features) == list(features_of(artefact.feature_set))
    assert {row.name.rpartition(".")[2] for row in artefact.files.all()} <= {"onnx", "json"}
    if learner != "anomaly":
        assert artefact.metrics["average_precision"] > 0.2
        line = next(line for line in artefact.gate_runs.get().results if line["check"] == "export")
        assert line["passed"], line


def test_the_same_data_gives_the_same_model_byte_for_byte(history, now):
    first, first_run = _train("boosted", now)
    second, second_run = _train("boosted", now)

    assert first_run.data_digest == second_run.data_digest
    assert {row.name: row.sha256 for row in first.files.all()} == {
        row.name: row.sha256 for row in second.files.all()
    }


def test_a_label_known_after_the_cut_off_is_not_learnt_from(history, now):
    before = now - timedelta(days=10)
    _, without = _train("logistic", now, as_of=before)
    event = next(item for item in history if before < item.request.event_at + timedelta(days=7) <= now)
    record_label(
        stream="small",
        source_kind="history",
        source_id=event.request.source_id,
        verdict="FRAUD",
        source="ANALYST",
        now=now,
    )

    _, again = _train("logistic", now, as_of=before)

    assert again.data_digest == without.data_digest


def test_too_little_data_fails_the_run_with_counts_and_makes_no_artefact(installed, now):
    artefact, run = _train("boosted", now, stream="empty")

    assert artefact is None
    assert run.state == RunState.FAILED
    assert "0 labelled rows with 0 frauds" in run.failure
    assert not ModelArtefact.objects.exists()


def test_a_finished_run_is_never_taken_up_again(history, now):
    artefact, run = _train("logistic", now)

    assert runner.run_training(run_id=run.pk, now=now + timedelta(hours=1)) is None
    assert list(ModelArtefact.objects.all()) == [artefact]


def test_a_run_that_lost_its_worker_is_taken_up_after_fifteen_minutes_and_not_before(history, now):
    run = modelling.train(learner="logistic", stream="small", now=now)
    TrainingRun.objects.filter(pk=run.pk).update(state="RUNNING", heartbeat_at=now)

    assert runner.run_training(run_id=run.pk, now=now + timedelta(minutes=15)) is None
    assert runner.run_training(run_id=run.pk, now=now + timedelta(minutes=16)) is not None


def test_a_champion_scores_with_reasons_that_add_up_and_replays_bit_for_bit(history, now):
    champion = _champion("boosted", now)
    for number, event in enumerate(history[-40:]):
        decide(request=replace(event.request, source_id=f"now-{number}", event_at=now), now=now)

    model = loader.load(champion)
    for stored in Decision.objects.filter(stream="small"):
        assert stored.degraded == []
        log_odds = sum(reason["share"] for reason in stored.reasons)
        assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(stored.probability, abs=1e-5)
        said = ModelScore.objects.get(decision_id=stored.pk).score
        vector = np.array(stored.vector, dtype=np.float32)
        assert score.score_one(model, CODES, vector) == said
        assert score.calibrated(said, model.manifest.calibration) == stored.probability


def test_challenger_and_shadow_score_and_do_not_act(history, now):
    _champion("logistic", now)
    for learner in ("forest", "anomaly"):
        artefact, _ = _train(learner, now)
        modelling.promote(
            artefact_id=artefact.pk,
            to="CHALLENGER",
            reason_code="TEST",
            now=now,
        )

    decision = decide(request=replace(history[-1].request, source_id="now", event_at=now), now=now)

    stored = Decision.objects.get(public_id=decision.public_id)
    assert stored.model.learner == "logistic"
    roles = ModelScore.objects.filter(decision_id=stored.pk).values_list("artefact__learner", "role")
    assert set(roles) == {("logistic", "CHAMPION"), ("forest", "CHALLENGER"), ("anomaly", "CHALLENGER")}


def test_a_tampered_champion_is_refused_and_the_last_good_one_decides_flagged(history, now):
    good = _champion("logistic", now)
    bad = _champion("boosted", now + timedelta(hours=1))
    request = replace(history[-1].request, event_at=now)
    assert decide(request=replace(request, source_id="a"), now=now).degraded == ()
    _tamper(bad)

    with pytest.raises(ArtefactRefused, match="SHA-256"):
        loader.load(bad)
    decision = decide(request=replace(request, source_id="b"), now=now)

    assert decision.degraded == ("PREVIOUS_MODEL",)
    assert Decision.objects.get(public_id=decision.public_id).model_id == good.pk


def test_without_any_good_model_rules_decide_conservatively_and_flagged(history, now):
    _tamper(_champion("logistic", now))
    request = replace(history[-1].request, event_at=now, base_minor=500_001)

    decision = decide(request=replace(request, source_id="b"), now=now)

    assert decision.degraded == ("RULES_ONLY",)
    assert decision.action == "REVIEW"


def test_a_model_made_for_other_features_is_refused(history, now):
    artefact, _ = _train("logistic", now)
    artefact.feature_digest = "0" * 64

    with pytest.raises(ArtefactRefused, match="made for features"):
        loader.load(artefact)


def test_rolling_back_puts_the_previous_champion_back_at_once_and_is_audited(history, now):
    first = _champion("logistic", now)
    second = _champion("boosted", now + timedelta(hours=1))

    back = modelling.roll_back(
        stream="small", reason_code="FALSE_ALARMS", now=now + timedelta(hours=2), note="x"
    )

    second.refresh_from_db()
    assert (back.pk, back.status, second.status) == (first.pk, "CHAMPION", "CANDIDATE")
    record = AuditRecord.objects.filter(action="fraud_model.move").latest("pk")
    assert (record.object_id, record.reason_code) == (first.public_id, "FALSE_ALARMS")
    with pytest.raises(NothingToRollBackTo):
        modelling.roll_back(stream="small", reason_code="FALSE_ALARMS", now=now + timedelta(hours=3))


def _live(learner, now):
    run = TrainingRun.objects.create(
        stream="live",
        learner=learner,
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
        learner=learner,
        feature_set="live_v1",
        feature_digest="f",
        metadata={},
        metrics={},
        digest=f"{learner}{run.pk}",
        status="CANDIDATE",
        created_at=now,
    )


@pytest.fixture
def analyst(db):
    return create_user(
        email="analyst@house.example",
        full_name="Runa Dahl",
        password="correct-horse-battery",
        roles=["analyst"],
    )


def _ask(artefact, analyst, now):
    return ask_for_champion(
        artefact_id=artefact.pk, maker_id=analyst.pk, reason_code="BETTER", note="See the gate", now=now
    )


def _agree(asked, lead, now):
    with acting(Actor("STAFF", lead.public_id, lead.full_name)):
        return approve(approval_id=asked.pk, checker_id=lead.pk, seen_hash=asked.content_hash, now=now)


def _gate(artefact, now, *, passed=True, against=None, results=()):
    return GateRun.objects.create(
        artefact=artefact, against=against, results=list(results), passed=passed, digest="g", created_at=now
    )


def test_a_live_champion_needs_additive_reasons_two_people_and_a_fresh_passed_gate(
    now, analyst, second_officer
):
    with pytest.raises(PromotionRefused, match="additive"):
        _ask(_live("forest", now), analyst, now)
    first, second = _live("boosted", now), _live("boosted", now)
    with pytest.raises(PromotionRefused, match="has not been through"):
        _ask(first, analyst, now)
    for artefact in (first, second):
        _gate(artefact, now)
    with pytest.raises(PromotionRefused, match="two people"):
        modelling.promote(artefact_id=first.pk, to="CHAMPION", reason_code="TEST", now=now)

    done = _agree(_ask(first, analyst, now), second_officer, now)

    first.refresh_from_db()
    assert (done.status, first.status) == ("EXECUTED", "CHAMPION")
    assert (first.requested_by, first.approved_by) == (analyst.public_id, second_officer.public_id)
    with pytest.raises(PromotionRefused, match="another champion"):
        _ask(second, analyst, now)
    _gate(second, now, passed=False, against=first, results=[{"check": "calibration", "passed": False}])
    with pytest.raises(PromotionRefused, match="failed at calibration"):
        _ask(second, analyst, now)


def test_a_gate_run_after_the_request_voids_it(now, analyst, second_officer):
    model = _live("boosted", now)
    _gate(model, now)
    asked = _ask(model, analyst, now)
    GateRun.objects.create(artefact=model, results=[], passed=True, digest="other", created_at=now)

    assert _agree(asked, second_officer, now).status == "VOID"


def test_raw_sql_crowns_nobody_without_a_second_person(now):
    model = _live("boosted", now)
    _gate(model, now)

    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        ModelArtefact.objects.filter(pk=model.pk).update(
            status="CHAMPION", promoted_at=now, requested_by="a", approved_by="b"
        )


_GOOD = Evidence(
    forward_days=7,
    forward_frauds=100,
    average_precision=0.7,
    difference_mean=0.0,
    difference_low=-0.01,
    calibration_error=0.005,
    calibration_noise=0.001,
    brier=0.0102,
    champion_brier=0.01,
    export_difference=1e-5,
    reasons_difference=1e-4,
    row_ms=0.5,
    reasons_ms=1.5,
    feature_auc_max=0.98,
    feature_auc_name="x",
    parity_compared=10,
    parity_differences=0,
)


def test_a_model_at_every_limit_passes_the_gate():
    assert all(line.passed for line in judge(_GOOD))


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("forward_data", {"forward_days": 6.9}),
        ("forward_data", {"forward_frauds": 99}),
        ("not_worse", {"difference_mean": -0.001}),
        ("not_worse", {"difference_low": -0.011}),
        ("calibration", {"calibration_error": 0.0051}),
        ("calibration", {"brier": 0.0103}),
        ("export", {"export_difference": 2e-5}),
        ("export", {"reasons_difference": 2e-4}),
        ("latency", {"row_ms": 0.51}),
        ("latency", {"reasons_ms": 1.51}),
        ("leak_alarm", {"average_precision": 0.86}),
        ("leak_alarm", {"feature_auc_max": 0.99}),
        ("parity", {"parity_differences": 1}),
    ],
)
def test_each_check_fails_on_a_model_made_to_fail_it(check, values):
    failed = [line.check for line in judge(replace(_GOOD, **values))]
    by_name = {line.check: line.passed for line in judge(replace(_GOOD, **values))}

    assert sorted(failed) == sorted(CHECKS)
    assert [name for name, passed in by_name.items() if not passed] == [check]


def test_a_check_that_cannot_be_measured_fails_closed():
    lines = {line.check: line for line in judge(replace(_GOOD, export_difference=None))}

    assert not lines["export"].passed
    assert "could not be measured" in lines["export"].found


def test_tree_shares_equal_xgboosts_own_within_float_noise():
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(800, 6)).astype(np.float32)
    rows[generator.random(rows.shape) < 0.2] = np.nan
    frauds = (np.nan_to_num(rows[:, 0]) * np.nan_to_num(rows[:, 1]) > 0.4).astype(np.int64)
    learner = LEARNERS.get("boosted")
    fitted = learner.fit(rows, frauds, parameters={**learner.defaults, "trees": 30}, seed=0)
    trees = Trees(fitted.files("d")["trees.json"], 6)

    expected = fitted.model.get_booster().predict(xgboost.DMatrix(rows[:50]), pred_contribs=True)

    found = np.array([[*trees.contributions(row), trees.bias] for row in rows[:50]])
    assert np.abs(found - expected).max() < 1e-5


def test_a_stronger_label_wins_a_weaker_one_is_stored_without_effect(installed, request_for, now):
    request = request_for()
    decide(request=request, now=now)
    say = {"source_kind": "payment", "source_id": request.source_id}

    partner = record_label(**say, verdict="FRAUD", source="PARTNER", now=now)
    analyst = record_label(**say, verdict="GENUINE", source="ANALYST", now=now + timedelta(hours=1))
    weaker = record_label(**say, verdict="FRAUD", source="DISPUTE", now=now + timedelta(hours=2))

    assert (partner.effective, analyst.effective, weaker.effective) == (True, True, False)
    labels = Label.objects.filter(stream="live")
    standing = labels.get(superseded_at__isnull=True)
    assert (standing.pk, standing.verdict) == (analyst.label_id, "GENUINE")
    assert labels.count() == 3


def test_a_label_for_an_event_of_another_stream_is_not_found(installed, request_for, now):
    request = request_for()
    decide(request=request, now=now)

    with pytest.raises(EventUnknown):
        record_label(
            stream="other",
            source_kind="payment",
            source_id=request.source_id,
            verdict="FRAUD",
            source="ANALYST",
            now=now,
        )


def test_the_command_trains_and_its_last_line_is_json(history, now):
    out = StringIO()

    call_command(
        "fraud_train",
        stream="small",
        model="logistic",
        as_of=now,
        span_from=None,
        span_to=None,
        champion=True,
        stdout=out,
    )

    told = loads(out.getvalue().splitlines()[-1])
    assert ModelArtefact.objects.get(public_id=told["model"]).status == "CHAMPION"
    assert told["counts"]["frauds"] > 0


def test_the_command_without_data_exits_with_two(installed, now):
    with pytest.raises(CommandError) as refused:
        call_command("fraud_train", stream="nobody", model="logistic", as_of=now)

    assert refused.value.returncode == 2


def test_nothing_that_serves_loads_scikit_learn_or_xgboost():
    script = (
        "import django, sys; django.setup(); import flowlet.urls, fraud.operations.deciding, fraud.operations.modelling;"
        "import fraud.admin; print([m for m in ('sklearn', 'xgboost', 'skl2onnx', 'scipy', 'fraud.training') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_ranking_metrics_on_a_worked_example():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    frauds = np.array([1, 0, 1, 0])

    assert metrics.average_precision(scores, frauds) == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.area_under_curve(scores, frauds) == 0.75
    assert metrics.precision_at(scores, frauds, 1) == 1.0
    assert metrics.precision_at(scores, frauds, 4) == 0.5
    assert metrics.average_precision(np.zeros(4), frauds) == 0.5


def test_platt_scaling_finds_honest_probabilities_again():
    generator = np.random.default_rng(5)
    honest = generator.uniform(0.01, 0.6, 20_000)
    frauds = (generator.random(20_000) < honest).astype(np.int64)
    odds = honest / (1 - honest)
    distorted = odds**2 / (1 + odds**2)

    found = calibration.fit(distorted, frauds)

    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert metrics.calibration_error(calibration.probabilities(distorted, found), frauds) < 0.01
    assert score.calibrated(0.5, Calibration(0.0, -2.0)) == pytest.approx(0.1192, abs=1e-4)
