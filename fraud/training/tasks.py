"""Celery entry points of training: only the worker of the queue `training` imports this (`--include`)."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from fraud.operations.modelling import TRAIN_TASK
from fraud.training.runner import run_training


@shared_task(name=TRAIN_TASK)
def train(*, run_id: int, **_: object) -> None:
    """Train what was asked for."""
    with acting(Actor("SYSTEM", "job:fraud.train")):
        run_training(run_id=run_id, now=now())
