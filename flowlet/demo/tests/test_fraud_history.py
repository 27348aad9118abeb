"""The demo's fraud history: labelled movements, real trainings, and champions that two people agreed on."""

from datetime import datetime

import pytest

from flowlet.demo import fraud_history
from flowlet.demo.fraud_history import STORY, Training
from flowlet.demo.people import DESKS, PASSWORD
from flowlet.identity.models import User
from flowlet.identity.operations import create_user
from fraud import installing
from fraud.models import GateRun, HistoryEvent, Label, ModelArtefact, TrainingRun
from fraud.operations.modelling import ADDITIVE, roll_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(now: datetime) -> dict[str, User]:
    installing.install(now=now)
    return {
        desk.role: create_user(email=desk.email, full_name=desk.name, password=PASSWORD, roles=[desk.role])
        for desk in DESKS
        if desk.role in ("analyst", "lead")
    }


def test_the_history_is_labelled_and_a_model_whose_gate_refuses_stays_a_candidate(
    people: dict[str, User], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fraud_history, "CUSTOMERS", 30)
    monkeypatch.setattr(fraud_history, "STORY", (Training("logistic", 1, "FIRST", "Look.", "Agreed."),))

    count = fraud_history.fill(now=now)

    assert HistoryEvent.objects.filter(stream="live").count() == count > 1_000
    frauds = Label.objects.filter(verdict="FRAUD")
    assert frauds.exists()
    assert not frauds.filter(known_at__gte=now).exists()
    run = TrainingRun.objects.get()
    assert (run.state, run.requested_by) == ("DONE", people["analyst"].public_id)
    assert run.finished_at < now
    assert not GateRun.objects.get(artefact=run.artefact).passed
    assert run.artefact.status == "CANDIDATE"


def test_the_story_puts_two_models_in_charge_one_after_the_other_so_that_there_is_one_to_go_back_to(
    people: dict[str, User], now: datetime
) -> None:
    crowned = [training for training in STORY if training.reason]
    assert [training.learner in ADDITIVE for training in crowned] == [True, True]
    assert {training.learner for training in STORY} == {"boosted", "forest", "anomaly"}
    former = None
    for training in crowned:
        artefact = _gated(training.learner, former, now)
        fraud_history._crown(artefact, training, people["analyst"], people["lead"], now)
        former, first = artefact, former

    artefact.refresh_from_db()
    assert (artefact.status, artefact.approved_by) == ("CHAMPION", people["lead"].public_id)
    assert roll_back(stream="live", reason_code="DRIFT", now=now) == first


def _gated(learner: str, against: ModelArtefact | None, now: datetime) -> ModelArtefact:
    run = TrainingRun.objects.create(
        stream="live",
        learner=learner,
        feature_set="live_v1",
        as_of=now,
        span_from=now.replace(year=now.year - 1),
        span_to=now,
        state="DONE",
        finished_at=now,
        created_at=now,
    )
    artefact = ModelArtefact.objects.create(
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
    GateRun.objects.create(
        artefact=artefact, against=against, results=[], passed=True, digest="g", created_at=now
    )
    return artefact
