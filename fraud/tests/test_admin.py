from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.operations import create_user
from fraud import installing
from fraud.models import Decision, ModelArtefact
from fraud.operations import modelling
from fraud.operations.importing import import_history
from fraud.streams.generated import Shape, generate
from fraud.tests.patient import decide
from fraud.training.runner import run_training
from wallets.tests.factories import NOW

# One worker takes all: the models are trained once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("fraud pages")]


@pytest.fixture
def analyst():
    return create_user(
        email="analyst@house.example",
        full_name="Runa Dahl",
        password="correct-horse-battery",
        roles=["analyst"],
    )


@pytest.fixture(scope="module")
def models(once_per_module):
    with once_per_module.unblock():
        return _models(NOW)


def _models(now):
    installing.install(now=now)
    events = generate(Shape(until=now, days=50, customers=60, stream="small"))
    import_history(stream="small", events=events)
    for hour, learner in enumerate(("logistic", "boosted")):
        run = modelling.train(
            learner=learner,
            stream="small",
            now=now,
            parameters={"trees": 30} if learner == "boosted" else {},
        )
        artefact = run_training(run_id=run.pk, now=now)
        modelling.promote(
            artefact_id=artefact.pk,
            to="CHAMPION",
            reason_code="TEST",
            now=now + timedelta(hours=hour),
        )
    decide(request=replace(events[-1].request, source_id="pay_seen", event_at=now), now=now)
    return {artefact.learner: artefact for artefact in ModelArtefact.objects.all()}


@pytest.mark.parametrize("page", ["modelartefact", "decision", "trainingrun", "ruleversion"])
def test_each_list_opens_within_twelve_queries(models, analyst, page, django_assert_max_num_queries):
    desk = log_in(analyst)
    desk.get("/admin/")

    with django_assert_max_num_queries(12):
        answer = desk.get(reverse(f"admin:fraud_{page}_changelist"))

    assert answer.status_code == 200


def test_the_model_page_shows_metrics_gate_and_calibration(models, analyst):
    model = models["boosted"]

    page = log_in(analyst).get(reverse("admin:fraud_modelartefact_change", args=[model.public_id]))

    text = page.content.decode()
    assert f"{model.metrics['average_precision']:.3f}" in text
    assert "Promotion gate" in text
    assert "Calibration: expected and observed" in text
    assert model.digest in text
    assert "Roll back" in text
    assert "style=" not in text


def test_an_analyst_rolls_back_with_a_reason(models, analyst):
    desk = log_in(analyst)
    address = reverse("admin:do", args=["roll-back-model", models["boosted"].public_id])
    asked = desk.get(address).content.decode()
    form = {
        name: asked.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("form_id", "version")
    }

    desk.post(address, {**form, "reason": "FALSE_ALARMS", "note": "Too many calls"})

    models["logistic"].refresh_from_db()
    assert models["logistic"].status == "CHAMPION"


def test_who_may_not_look_sees_nothing(models, ops):
    assert log_in(ops).get(reverse("admin:fraud_modelartefact_changelist")).status_code == 403


def test_the_decision_page_shows_reasons_and_models(models, analyst):
    decision = Decision.objects.get(source_id="pay_seen")

    text = (
        log_in(analyst)
        .get(reverse("admin:fraud_decision_change", args=[decision.public_id]))
        .content.decode()
    )

    assert "Share of the score" in text
    assert decision.reasons[0]["text"] in text
    assert "What each model said" in text
