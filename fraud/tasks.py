"""Celery entry points of fraud."""

import subprocess
import sys

from celery import shared_task
from django.conf import settings

from fraud.operations.modelling import TRAIN_TASK


@shared_task(name=TRAIN_TASK)
def train(*, run_id: int, **_: object) -> str:
    """
    Train what was asked for, in a process of its own, and return how it ended.

    The learners weigh some hundred megabytes: they live as long as a training. A run is taken once; one that was
    killed is taken again after fifteen minutes.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", "fraud_train", "--run", str(run_id)],
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return "trained" if done.returncode == 0 else "not trained, see the run"
