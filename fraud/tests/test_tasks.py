"""The task that trains: a process of its own, once for each run."""

from datetime import timedelta

import pytest
from django.db import connection

from fraud import installing
from fraud.models import TrainingRun
from fraud.operations import modelling
from fraud.operations.importing import import_history
from fraud.streams.generated import Shape, generate
from fraud.tasks import train


@pytest.mark.django_db(transaction=True)
def test_the_task_trains_a_queued_run_in_a_process_of_its_own_and_only_once(
    now, monkeypatch: pytest.MonkeyPatch
):
    installing.install(now=now)
    import_history(stream="small", events=generate(Shape(until=now, days=50, customers=60, stream="small")))
    run = modelling.train(learner="logistic", stream="small", now=now + timedelta(days=1), send=False)
    monkeypatch.setenv("FLOWLET_DB_NAME", str(connection.settings_dict["NAME"]))

    told = [train(run_id=run.pk), train(run_id=run.pk), train(run_id=run.pk + 1)]

    assert told == ["trained", "not trained, see the run", "not trained, see the run"]
    assert TrainingRun.objects.get(pk=run.pk).artefact.status == "CANDIDATE"
