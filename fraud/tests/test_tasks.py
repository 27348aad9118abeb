"""The job that trains: each waiting run once, in a process of its own."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction

from fraud import installing, tasks
from fraud.models import TrainingRun
from fraud.operations import modelling
from fraud.operations.importing import import_history
from fraud.streams.generated import Shape, generate


@pytest.mark.django_db(transaction=True)
def test_the_job_trains_waiting_runs_in_processes_of_their_own_and_only_once(
    now, monkeypatch: pytest.MonkeyPatch
):
    installing.install(now=now)
    import_history(stream="small", events=generate(Shape(until=now, days=50, customers=60, stream="small")))
    run = modelling.train(learner="logistic", stream="small", now=now + timedelta(days=1))
    monkeypatch.setenv("FLOWLET_DB_NAME", str(connection.settings_dict["NAME"]))

    trained = [tasks.train_queued(), tasks.train_queued()]

    assert trained == [1, 0]
    assert TrainingRun.objects.get(pk=run.pk).artefact.status == "CANDIDATE"


@pytest.mark.django_db(transaction=True)
def test_a_training_that_dies_is_given_up_with_its_reason_and_not_taken_again(
    now, monkeypatch: pytest.MonkeyPatch
):
    installing.install(now=now)
    run = modelling.train(learner="logistic", stream="small", now=now)
    monkeypatch.setenv("FLOWLET_DB_NAME", "there_is_no_such_database")

    trained = [tasks.train_queued(), tasks.train_queued()]

    assert trained == [0, 0]
    run.refresh_from_db()
    assert (run.state, run.failure) == ("FAILED", "the process of the training ended with 1")


@pytest.mark.django_db
def test_the_oldest_waiting_run_is_taken_first_and_each_once_until_its_worker_must_be_gone(now):
    installing.install(now=now)
    older, newer = (modelling.train(learner="logistic", stream="small", now=now) for _ in range(2))

    taken = [modelling.take_run(now=now) for _ in range(3)]
    later = modelling.take_run(now=now + timedelta(minutes=16))

    assert taken == [older, newer, None]
    assert later == older


@pytest.mark.django_db(transaction=True)
def test_a_run_that_another_worker_takes_at_this_moment_is_passed_over(now):
    installing.install(now=now)
    older, newer = (modelling.train(learner="logistic", stream="small", now=now) for _ in range(2))

    def other_worker() -> list[TrainingRun | None]:
        with closing(connection):
            return [modelling.take_run(now=now) for _ in range(2)]

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        ours = modelling.take_run(now=now)
        theirs = pool.submit(other_worker).result(timeout=20)

    assert (ours, theirs) == (older, [newer, None])
