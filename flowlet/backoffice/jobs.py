"""What scheduled jobs did last: Celery's signals write one row for each task name."""

import time
from datetime import datetime, timedelta
from typing import Any

from celery.signals import task_failure, task_postrun, task_prerun
from django.db import DatabaseError, connection

from flowlet.core import clock
from flowlet.settings.jobs import JOBS_BY_TASK

# A job that runs every second writes its row at most this often, unless it fails or did something.
QUIET_S = 10.0
_started: dict[str, tuple[datetime, float]] = {}
_failed: dict[str, str] = {}
_written: dict[str, float] = {}
_unwritten: dict[str, int] = {}

_UPSERT = """
    INSERT INTO backoffice_jobrun
        (task, outcome, started_at, duration_ms, result, runs, failures, latest_failure_at, latest_failure)
    VALUES (%(task)s, %(outcome)s, %(started_at)s, %(duration_ms)s, %(result)s, %(runs)s, %(failures)s,
            %(failure_at)s, %(failure)s)
    ON CONFLICT (task) DO UPDATE SET
        outcome = EXCLUDED.outcome, started_at = EXCLUDED.started_at, duration_ms = EXCLUDED.duration_ms,
        result = EXCLUDED.result, runs = backoffice_jobrun.runs + EXCLUDED.runs,
        failures = backoffice_jobrun.failures + EXCLUDED.failures,
        latest_failure_at = COALESCE(EXCLUDED.latest_failure_at, backoffice_jobrun.latest_failure_at),
        latest_failure = CASE WHEN EXCLUDED.failures > 0 THEN EXCLUDED.latest_failure
                              ELSE backoffice_jobrun.latest_failure END
"""


def connect() -> None:
    """Listen to this process's tasks; called once when the app is ready."""
    task_prerun.connect(_before, dispatch_uid="backoffice.jobs.before")
    task_failure.connect(_on_failure, dispatch_uid="backoffice.jobs.failure")
    task_postrun.connect(_after, dispatch_uid="backoffice.jobs.after")


def overdue_after(task: str, started_at: datetime) -> datetime:
    """Return when the next run of a job should have been seen at the latest: three beats, a day and an hour, or a minute."""
    job = JOBS_BY_TASK[task]
    gap = timedelta(hours=25) if job.at is not None else timedelta(seconds=max(3 * job.every_s, 60))
    return started_at + gap


def _before(task_id: str, task: Any, **_: object) -> None:
    if task.name in JOBS_BY_TASK:
        _started[task_id] = (clock.now(), time.monotonic())


def _on_failure(task_id: str, exception: BaseException, **_: object) -> None:
    # The kind of error only: its text may hold what a customer typed.
    _failed[task_id] = type(exception).__name__


def _after(task_id: str, task: Any, retval: object, **_: object) -> None:
    begun, failure = _started.pop(task_id, None), _failed.pop(task_id, "")
    if begun is None:
        return
    result = retval if isinstance(retval, int | str) and not failure else ""
    now = time.monotonic()
    idle = not failure and result in {0, ""}
    if idle and now - _written.get(task.name, -QUIET_S) < QUIET_S:
        _unwritten[task.name] = _unwritten.get(task.name, 0) + 1
        return
    row = {
        "task": task.name,
        "outcome": "FAILED" if failure else "DONE",
        "started_at": begun[0],
        "duration_ms": int((now - begun[1]) * 1000),
        "result": str(result)[:200],
        "runs": 1 + _unwritten.get(task.name, 0),
        "failures": int(bool(failure)),
        "failure_at": begun[0] if failure else None,
        "failure": failure[:200],
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, row)
    except DatabaseError:
        return  # the job itself has told of a lost database; its next run writes the row
    _written[task.name] = now
    _unwritten.pop(task.name, None)
