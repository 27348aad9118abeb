"""Jobs: one table for beat, page and README; each run leaves its mark."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django_celery_beat.schedulers import ModelEntry

from flowlet.backoffice import tasks
from flowlet.backoffice.models import JobRun
from flowlet.celery import app
from flowlet.core import clock
from flowlet.identity.models import User
from flowlet.settings.jobs import JOBS, JOBS_BY_TASK

TASK = "backoffice.expire_approvals"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> int:
        raise ConnectionError("personal data of a customer")

    monkeypatch.setattr(tasks.expire_approvals, "run", fail)


def test_every_job_has_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert set(JOBS_BY_TASK) <= set(app.tasks)
    assert len(JOBS_BY_TASK) == len(JOBS)


@pytest.mark.django_db
def test_a_beat_reaches_the_queue_of_its_job_and_lapses_when_nobody_takes_it() -> None:
    entries = [
        ModelEntry.from_entry(name, app=app, **entry)
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items()  # type: ignore[misc]
    ]

    assert {entry.name: (entry.options["queue"], entry.options["expires"]) for entry in entries} == {
        job.task: (job.queue, job.expires_s) for job in JOBS
    }


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.task)
def test_the_readme_names_every_job_with_its_schedule_and_why_it_may_run_twice(job: object) -> None:
    readme = (Path(settings.BASE_DIR) / "README.md").read_text()

    assert f"| `{job.task}` | {job.schedule_text} | {job.title} | {job.safe} |" in readme  # type: ignore[attr-defined]


def test_a_run_leaves_its_time_and_result(db: None) -> None:
    tasks.expire_approvals.apply()

    run = JobRun.objects.get(task=TASK)
    assert (run.outcome, run.result, run.runs, run.failures) == ("DONE", "0", 1, 0)
    assert clock.now() - run.started_at < timedelta(minutes=1)


def test_a_failed_run_says_what_kind_of_error_and_nothing_of_its_text(db: None, failing: None) -> None:
    tasks.expire_approvals.apply()

    run = JobRun.objects.get(task=TASK)
    assert (run.outcome, run.failures, run.latest_failure) == ("FAILED", 1, "ConnectionError")


def test_the_page_shows_every_job_and_what_failed(db: None, failing: None, root_desk: Client) -> None:
    tasks.expire_approvals.apply()

    page = root_desk.get("/admin/jobs/").content.decode()

    assert page.count("Not run yet") == len(JOBS) - 1
    assert "ConnectionError" in page
    assert "personal data" not in page


def test_finance_does_not_see_the_page(finance: User, desk: Callable[[User], Client]) -> None:
    assert desk(finance).get("/admin/jobs/").status_code == 403
