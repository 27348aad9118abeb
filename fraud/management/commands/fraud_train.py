"""Train a model here and now, without the queue."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from flowlet.audit.trail import Actor, acting
from flowlet.core import clock
from fraud.choices import ModelStatus, RunState
from fraud.errors import PromotionRefused, UnknownFeatureSet
from fraud.models import GateRun, ModelArtefact, TrainingRun
from fraud.operations import modelling
from fraud.training.learners.registry import LEARNERS
from fraud.training.runner import run_training
from fraud.values import LIVE

_BAD_INPUT = 2


class Command(BaseCommand):
    """`fraud_train --model boosted`: the last line of the output is JSON. Exit 0 done, 1 refused, 2 bad input."""

    help = "Train a fraud model on stored history with the labels known at --as-of."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what the training needs."""
        parser.add_argument("--stream", default=LIVE)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--model", choices=list(LEARNERS))
        what.add_argument("--run", type=int, help="key of a run that was asked for already")
        parser.add_argument("--taken", action="store_true", help="the caller has taken --run from the queue")
        parser.add_argument("--features", default="", help="feature set; each model has its own default")
        parser.add_argument("--as-of", type=_instant, default=None, help="labels known by then, ISO 8601")
        parser.add_argument("--from", dest="span_from", type=_instant, default=None)
        parser.add_argument("--to", dest="span_to", type=_instant, default=None, help="exclusive")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--at", type=_instant, default=None, help="when it happens; refused in live mode")
        parser.add_argument(
            "--champion", action="store_true", help="put it live at once; never on the live stream"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Train, and promote where asked and allowed."""
        if options["at"] and settings.FLOWLET_MODE == "live":
            raise CommandError(
                "--at tells a story; in live mode a training happens now.", returncode=_BAD_INPUT
            )
        now = options["at"] or clock.now()
        with acting(Actor("SYSTEM", "job:fraud_train")):
            try:
                run_id = options["run"] or _queued(options, now)
            except UnknownFeatureSet as refusal:
                raise CommandError(refusal.detail, returncode=_BAD_INPUT) from refusal
            artefact = run_training(run_id=run_id, now=now, taken=options["taken"])
            if artefact is None:
                failed = TrainingRun.objects.filter(pk=run_id).first()
                if failed is None:
                    raise CommandError(f"there is no run {run_id}", returncode=_BAD_INPUT)
                raise CommandError(failed.failure or f"the run is {failed.state}", returncode=_BAD_INPUT)
            if options["champion"]:
                self._promote(artefact)
        self.stdout.write(json.dumps(self._told(artefact)))

    def _promote(self, artefact: ModelArtefact) -> None:
        if artefact.stream == LIVE:
            raise CommandError("--champion is refused on the live stream: it takes a gate and two people")
        try:
            modelling.promote(
                artefact_id=artefact.pk,
                to=ModelStatus.CHAMPION,
                reason_code="TRAINED",
                now=clock.now(),
            )
        except PromotionRefused as refusal:
            raise CommandError(refusal.detail) from refusal

    def _told(self, artefact: ModelArtefact) -> dict[str, object]:
        run = TrainingRun.objects.get(pk=artefact.run_id)
        gate = GateRun.objects.filter(artefact=artefact).order_by("-pk").first()
        return {
            "model": artefact.public_id,
            "digest": artefact.digest,
            "data_digest": run.data_digest,
            "counts": run.counts,
            "metrics": {name: value for name, value in artefact.metrics.items() if name != "calibration"},
            "gate": None if gate is None else gate.passed,
            "failed": [] if gate is None else [line for line in gate.results if not line["passed"]],
            "done": run.state == RunState.DONE,
        }


def _queued(options: dict[str, Any], now: datetime) -> int:
    run = modelling.train(
        learner=options["model"],
        now=now,
        stream=options["stream"],
        feature_set=options["features"],
        as_of=options["as_of"],
        span_from=options["span_from"],
        span_to=options["span_to"],
        seed=options["seed"],
    )
    return run.pk


def _instant(text: str) -> datetime:
    """Read ISO 8601; bare times are UTC."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)
