"""Celery entry points of fraud."""

import subprocess
import sys
import time

from celery import shared_task
from django.conf import settings

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from fraud.models import TrainingRun
from fraud.operations import modelling

# Together below the time limit of a task: a worker that is killed must not leave a training behind.
_BEGIN_WITHIN_S = 60
_TRAIN_WITHIN_S = 13 * 60


@shared_task(name="fraud.train_queued")
def train_queued(**_: object) -> int:
    """
    Train what was asked for, the oldest first, each in a process of its own; return how many were trained.

    The learners weigh some hundred megabytes: they live as long as a training. What is not begun within a minute is
    left to the next beat.
    """
    trained = 0
    started = time.monotonic()
    with acting(Actor("SYSTEM", "job:fraud.train_queued")):
        while time.monotonic() - started < _BEGIN_WITHIN_S and (run := modelling.take_run(now=now())):
            failure = _failure_of(run)
            if failure:
                modelling.give_up_run(run_id=run.pk, reason=failure, now=now())
            trained += not failure
    return trained


def _failure_of(run: TrainingRun) -> str:
    """Train in a process of its own; return why it did not come to an end of itself, or ''."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", "fraud_train", "--run", str(run.pk), "--taken"],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TRAIN_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {_TRAIN_WITHIN_S // 60} minutes"
    return "" if done.returncode == 0 else f"the process of the training ended with {done.returncode}"
