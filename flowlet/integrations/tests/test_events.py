"""What becomes of stored events: processed once by whoever listens, in any order; nothing is dropped."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from flowlet.core.errors import Conflict, NotFound
from flowlet.core.messages import DELIVERY_RECEIVERS
from flowlet.integrations import events
from flowlet.integrations.events import RETRY_S, VENDOR_EVENTS, process_due, receive, retry_event
from flowlet.integrations.models import VendorCall, VendorEvent
from flowlet.integrations.webhooks import Verified


@pytest.fixture
def handler(monkeypatch):
    """Listen to one type for one test; what is heard and what is answered are the test's."""
    heard, answers = [], []

    def listen(event, now):
        heard.append(event)
        answer = answers.pop(0) if answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(VENDOR_EVENTS._handlers, ("stripe", "thing.done"), [listen])
    listen.heard, listen.answers = heard, answers
    return listen


def _verified(event_id="evt_1", kind="thing.done"):
    return Verified(event_id, kind, "pi_1", None, {"id": event_id, "name": "Mirela Sandvik"})


@pytest.mark.django_db
def test_an_event_is_processed_once(handler, now):
    receive(vendor="stripe", verified=_verified(), now=now)
    receive(vendor="stripe", verified=_verified(), now=now)

    counts = [process_due(now=now), process_due(now=now + timedelta(hours=2))]

    assert counts == [1, 0]
    assert [event.event_id for event in handler.heard] == ["evt_1"]
    assert handler.heard[0].payload["name"] == "Mirela Sandvik"
    event = VendorEvent.objects.get()
    assert (event.status, event.processed_at, event.next_try_at) == ("PROCESSED", now, None)


@pytest.mark.django_db
def test_the_second_storing_says_that_it_was_here_before(now):
    first = receive(vendor="stripe", verified=_verified(), now=now)
    second = receive(vendor="stripe", verified=_verified(), now=now)
    same_id_of_another_vendor = receive(vendor="openai", verified=_verified(), now=now)

    assert first
    assert second is None
    assert same_id_of_another_vendor


@pytest.mark.django_db
def test_a_failing_event_is_tried_again_later_and_then_shown_to_a_person(handler, now):
    handler.answers.extend([RuntimeError("no")] * (len(RETRY_S) + 1))
    receive(vendor="stripe", verified=_verified(), now=now)
    at = now

    for wait in RETRY_S:
        assert process_due(now=at) == 1
        assert process_due(now=at + timedelta(seconds=wait - 1)) == 0
        at += timedelta(seconds=wait)
    process_due(now=at)

    event = VendorEvent.objects.get()
    assert (event.status, event.problem, event.next_try_at) == ("FAILED", "RuntimeError", None)


@pytest.mark.django_db
def test_one_event_that_fails_does_not_stop_the_next(handler, now):
    handler.answers.append(RuntimeError("no"))
    receive(vendor="stripe", verified=_verified("evt_1"), now=now)
    receive(vendor="stripe", verified=_verified("evt_2"), now=now)

    process_due(now=now)

    assert VendorEvent.objects.get(event_id="evt_2").status == "PROCESSED"


@pytest.mark.django_db
def test_an_event_that_comes_before_our_own_call_returned_finds_its_object_later(handler, now):
    handler.answers.extend([False, True])
    receive(vendor="stripe", verified=_verified(), now=now)

    process_due(now=now)
    early = VendorEvent.objects.get().status
    process_due(now=now + timedelta(seconds=RETRY_S[0]))

    assert early == "RECEIVED"
    assert VendorEvent.objects.get().status == "PROCESSED"


@pytest.mark.django_db
def test_unknown_objects_and_unknown_types_are_kept(handler, now):
    handler.answers.extend([False] * (len(RETRY_S) + 1))
    receive(vendor="stripe", verified=_verified(), now=now)
    receive(vendor="stripe", verified=_verified("evt_2", "thing.unheard_of"), now=now)

    for number in range(len(RETRY_S) + 1):
        process_due(now=now + timedelta(hours=number))

    statuses = dict(VendorEvent.objects.values_list("event_id", "status"))
    assert statuses == {"evt_1": "UNMATCHED", "evt_2": "UNKNOWN_TYPE"}


@pytest.mark.django_db
def test_a_person_can_have_a_kept_event_processed_again_and_that_is_audited(handler, now):
    handler.answers.extend([False] * (len(RETRY_S) + 1))
    public_id = receive(vendor="stripe", verified=_verified(), now=now)
    for number in range(len(RETRY_S) + 1):
        process_due(now=now + timedelta(hours=number))

    retry_event(public_id=public_id, note="Payment was entered by hand.", now=now + timedelta(days=1))
    process_due(now=now + timedelta(days=1))

    assert VendorEvent.objects.get().status == "PROCESSED"
    with pytest.raises(Conflict):
        retry_event(public_id=public_id, note="Once more.", now=now)
    with pytest.raises(NotFound):
        retry_event(public_id="vev_nothing", note="", now=now)


@pytest.mark.django_db
def test_the_database_keeps_a_vendors_word_as_it_came(handler, now):
    receive(vendor="stripe", verified=_verified(), now=now)
    process_due(now=now)

    for change in (
        "UPDATE integrations_vendorevent SET type = 'other'",
        "UPDATE integrations_vendorevent SET status = 'RECEIVED'",
        "DELETE FROM integrations_vendorevent",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


@pytest.mark.django_db
def test_the_database_refuses_edits_of_the_call_log(now):
    VendorCall.objects.create(
        vendor="stripe", operation="x", outcome="UNKNOWN", elapsed_ms=1, called_at=now, our_reference="pay_1"
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        VendorCall.objects.update(outcome="DONE")


@pytest.mark.django_db
def test_payloads_are_encrypted_at_rest(now):
    receive(vendor="stripe", verified=_verified(), now=now)

    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM integrations_vendorevent")
        stored = bytes(cursor.fetchone()[0])

    assert b"Mirela" not in stored


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_event(handler, now):
    for number in range(20):
        receive(vendor="stripe", verified=_verified(f"evt_{number}"), now=now)
    counts = []

    def work():
        counts.append(process_due(now=now, limit=20))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(counts) == 20
    assert sorted(event.event_id for event in handler.heard) == sorted(f"evt_{n}" for n in range(20))


@pytest.mark.django_db(transaction=True)
def test_the_same_event_at_the_same_instant_leaves_one_row(now):
    results = []
    start = threading.Barrier(4)

    def store():
        start.wait()
        results.append(receive(vendor="stripe", verified=_verified(), now=now))
        connection.close()

    threads = [threading.Thread(target=store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([result for result in results if result]) == 1
    assert VendorEvent.objects.count() == 1


@pytest.mark.django_db
def test_a_dead_workers_event_comes_back(handler, now):
    receive(vendor="stripe", verified=_verified(), now=now)
    with connection.cursor() as cursor:
        cursor.execute(events._CLAIM, {"now": now, "lease": now + timedelta(seconds=300), "limit": 10})

    meanwhile = process_due(now=now + timedelta(seconds=299))
    afterwards = process_due(now=now + timedelta(seconds=301))

    assert (meanwhile, afterwards) == (0, 1)


@pytest.mark.django_db
def test_delivery_reports_reach_whoever_wrote_the_message(monkeypatch, now):
    reports = []
    monkeypatch.setitem(
        DELIVERY_RECEIVERS._entries, "test", lambda report, at: reports.append(report) or True
    )
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003", "ref": "msg_1"}
    verified = Verified("SM1:undelivered", "message.undelivered", "SM1", None, fields)
    receive(vendor="twilio", verified=verified, now=now)

    process_due(now=now)

    assert (reports[0].our_reference, reports[0].state.status, reports[0].state.code) == (
        "msg_1",
        "UNDELIVERED",
        "unreachable",
    )
    assert VendorEvent.objects.get().status == "PROCESSED"
