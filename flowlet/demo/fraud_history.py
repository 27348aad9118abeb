"""
Fraud's history for the demo: twelve weeks of labelled movements as another system would hand them over, the models that
were trained on them, and how two people put one after the other in charge.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO

from django.core.management import call_command

from flowlet.audit.trail import acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.people import Person
from flowlet.demo.people import DESKS
from flowlet.identity.models import User
from fraud.errors import PromotionRefused
from fraud.models import ModelArtefact
from fraud.operations import modelling
from fraud.operations.crowning import ask_for_champion
from fraud.operations.importing import import_history
from fraud.streams.generated import Shape, generate
from fraud.values import LIVE

DAYS, CUSTOMERS = 84, 220


@dataclass(frozen=True, slots=True)
class Training:
    """What was trained so many days before the end of the story, and why it was put in charge, if it was."""

    learner: str
    days_ago: int
    reason: str = ""
    asked: str = ""
    agreed: str = ""
    parameters: tuple[tuple[str, int], ...] = ()


STORY = (
    Training("forest", 16, parameters=(("trees", 50),)),
    Training("anomaly", 16),
    Training(
        "boosted",
        9,
        "FIRST",
        "Ranks far better than the baseline; calibration holds in every bin.",
        "Went through its gate and the largest errors. Agreed.",
    ),
    Training(
        "boosted",
        1,
        "FRESHER",
        "Knows the frauds of the last week and ranks no worse.",
        "Compared both on the forward test. Agreed.",
    ),
)


def fill(*, now: datetime, before_deciding: Callable[[], object] = lambda: None) -> int:
    """
    Import the history, train, and let analyst and lead put models in charge; return how many movements there are.

    `before_deciding` is called each time before a model begins to judge payments.
    """
    analyst, lead = (_person(role) for role in ("analyst", "lead"))
    with acting(Person(analyst).actor):
        # As the partners' customers pay: mostly without a device, often for the first time to somebody. A model that
        # never saw that would ask for a second factor each time.
        shape = Shape(
            until=now - timedelta(days=1), days=DAYS, customers=CUSTOMERS, no_device=6, new_payee_every=3
        )
        count = import_history(stream=LIVE, events=generate(shape))
    for training in STORY:
        at = now - timedelta(days=training.days_ago)
        artefact = _trained(training, analyst, at)
        if training.reason:
            before_deciding()
            _crown(artefact, training, analyst, lead, at)
    return count


def _person(role: str) -> User:
    return User.objects.get(email=next(desk.email for desk in DESKS if desk.role == role))


def _trained(training: Training, analyst: User, at: datetime) -> ModelArtefact:
    with acting(Person(analyst).actor):
        run = modelling.train(learner=training.learner, parameters=dict(training.parameters), now=at)
    # By its name: nothing here may import what trains.
    call_command("fraud_train", run=run.pk, at=at, stdout=StringIO())
    return ModelArtefact.objects.get(run=run)


def _crown(artefact: ModelArtefact, training: Training, analyst: User, lead: User, at: datetime) -> None:
    """Let two people put a model in charge; one that its gate refuses stays a candidate, as it would in life."""
    with acting(Person(analyst).actor):
        try:
            request = ask_for_champion(
                artefact_id=artefact.pk,
                maker_id=analyst.pk,
                reason_code=training.reason,
                note=training.asked,
                now=at + timedelta(hours=2),
            )
        except PromotionRefused:
            return
    with acting(Person(lead).actor):
        done = approve(
            approval_id=request.pk,
            checker_id=lead.pk,
            seen_hash=request.content_hash,
            note=training.agreed,
            now=at + timedelta(hours=5),
        )
    if done.status != "EXECUTED":
        raise RuntimeError(f"the story's champion was not put in charge: {done.status}")
