"""The outbox: with its fact or not at all, numbered per object, relayed at least once."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from conftest import NOW
from flowlet.core.registry import UnknownEntry
from flowlet.events import outbox
from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS, relay
from flowlet.events.tasks import relay_events
from flowlet.events.types import EVENT_TYPES, declare

pytestmark = pytest.mark.django_db

if "test.happened" not in EVENT_TYPES:
    declare("test.happened", "Something happened in a test.")


def _publish(object_id="obj_1", **data):
    return outbox.publish(
        type="test.happened", object_type="thing", object_id=object_id, partner_id=None, data=data, at=NOW
    )


def test_events_of_one_object_count_from_one_without_gaps():
    for number in range(3):
        _publish(number=number)
    _publish("obj_2")
    with pytest.raises(ValueError, match="undo"), transaction.atomic():
        _publish()
        raise ValueError("undo")
    _publish()

    sequences = Event.objects.filter(object_id="obj_1").order_by("id").values_list("sequence", flat=True)
    assert list(sequences) == [1, 2, 3, 4]
    assert Event.objects.get(object_id="obj_2").sequence == 1


def test_an_unregistered_type_cannot_be_published():
    with pytest.raises(UnknownEntry):
        outbox.publish(type="test.unknown", object_type="t", object_id="o", partner_id=None, data={}, at=NOW)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE events_event SET data = '{}'",
        "UPDATE events_event SET type = 'x', relayed_at = now()",
        "UPDATE events_event SET sequence = 9",
        "DELETE FROM events_event",
        "TRUNCATE events_event CASCADE",
    ],
)
def test_the_database_refuses_to_change_an_event(attack):
    _publish(a=1)

    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(attack)

    assert refusal.value.__cause__.diag.constraint_name == "append_only"


@pytest.fixture
def heard():
    seen: list[tuple[str, int]] = []
    RECEIVERS.register("test.heard")(lambda event, _now: seen.append((event.object_id, event.sequence)))
    yield seen
    RECEIVERS._entries.pop("test.heard")


def test_relaying_hands_each_event_over_and_then_rests(heard):
    _publish()
    _publish()

    assert relay(now=NOW) == 2
    assert heard == [("obj_1", 1), ("obj_1", 2)]
    assert relay(now=NOW) == 0


def test_the_job_drains_more_than_one_batch(heard, monkeypatch):
    monkeypatch.setattr("flowlet.events.tasks._BATCH", 2)
    for _ in range(5):
        _publish()

    assert relay_events() == 5
    assert [sequence for _, sequence in heard] == [1, 2, 3, 4, 5]
    assert relay_events() == 0


def test_a_receiver_that_fails_leaves_the_event_for_the_next_round(heard):
    _publish()

    def fail(_event, _now):
        raise RuntimeError("down")

    RECEIVERS.register("test.zfail")(fail)
    with pytest.raises(RuntimeError):
        relay(now=NOW)
    RECEIVERS._entries.pop("test.zfail")

    assert relay(now=NOW) == 1
    assert heard == [("obj_1", 1), ("obj_1", 1)]


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_object_never_share_a_number():
    def write() -> None:
        for _ in range(10):
            with transaction.atomic():
                _publish("obj_3")
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sequences = sorted(Event.objects.filter(object_id="obj_3").values_list("sequence", flat=True))
    assert sequences == list(range(1, 61))
