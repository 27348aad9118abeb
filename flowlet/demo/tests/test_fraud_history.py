"""The demo's fraud history: labelled, and with trainings that wait for a worker."""

from collections.abc import Callable

import pytest

from flowlet.core import clock
from flowlet.demo import fraud_history
from flowlet.demo.people import DESKS
from flowlet.identity.operations import create_user
from fraud.models import HistoryEvent, Label, TrainingRun

pytestmark = pytest.mark.django_db


def test_the_history_is_labelled_and_three_trainings_wait(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., list[object]]
) -> None:
    desk = next(desk for desk in DESKS if desk.role == "analyst")
    analyst = create_user(
        email=desk.email, full_name=desk.name, password="correct-horse-battery", roles=["analyst"]
    )
    monkeypatch.setattr(fraud_history, "CUSTOMERS", 30)

    with django_capture_on_commit_callbacks() as sent:
        count = fraud_history.fill(now=clock.now())

    assert HistoryEvent.objects.filter(stream="live").count() == count > 1_000
    assert Label.objects.filter(verdict="FRAUD").exists()
    runs = TrainingRun.objects.order_by("pk").values_list("learner", "state", "requested_by")
    assert list(runs) == [(name, "QUEUED", analyst.public_id) for name in fraud_history.LEARNERS]
    assert len(sent) == len(fraud_history.LEARNERS)
