"""
Fraud's history for the demo: twelve weeks of labelled movements as another system would hand them over, and trainings of
three models on them, which the worker takes up after the start.
"""

from datetime import datetime, timedelta

from flowlet.audit.trail import acting
from flowlet.backoffice.people import Person
from flowlet.demo.people import DESKS
from flowlet.identity.models import User
from fraud.operations.importing import import_history
from fraud.operations.modelling import train
from fraud.streams.generated import Shape, generate
from fraud.values import LIVE

DAYS, CUSTOMERS = 84, 220
LEARNERS = ("boosted", "forest", "anomaly")


def fill(*, now: datetime) -> int:
    """Import the history and queue the trainings as the demo's analyst; return how many movements there are."""
    analyst = User.objects.get(email=next(desk.email for desk in DESKS if desk.role == "analyst"))
    with acting(Person(analyst).actor):
        shape = Shape(until=now - timedelta(days=1), days=DAYS, customers=CUSTOMERS, stream=LIVE)
        count = import_history(stream=LIVE, events=generate(shape))
        for learner in LEARNERS:
            train(learner=learner, now=now)
    return count
