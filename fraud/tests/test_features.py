from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.features import derive, online, parity
from fraud.features.batch import Snapshot
from fraud.features.definitions import FEATURES, aggregates_of, digest_of
from fraud.features.sets import SETS, features_of
from fraud.models import Decision, HistoryEvent
from fraud.operations.labelling import record_label
from fraud.tests.patient import decide


def _vector(decision):
    stored = Decision.objects.get(public_id=decision.public_id)
    return dict(zip(features_of(stored.feature_set), stored.vector, strict=True))


_STEP = st.fixed_dictionaries(
    {
        "minutes": st.sampled_from([0, 0, 1, 7, 61, 1_439, 1_440, 1_441, 10_080, 44_000]),
        "late_minutes": st.sampled_from([0, 0, 0, 3, 90]),
        "minor": st.sampled_from([0, 1, 200, 300, 301, 2_500, 2_500, 99_999, 20_000_000]),
        "customer": st.sampled_from(["cus_A", "cus_B"]),
        "counterparty": st.sampled_from(["", "wal_A", "wal_B"]),
        "terminal": st.sampled_from(["", "shop_A", "shop_B"]),
        "device": st.sampled_from(["", "device_A", "device_B"]),
        "country": st.sampled_from(["", "DE", "FR"]),
        "label": st.sampled_from(["", "", "FRAUD", "GENUINE", "UNSURE"]),
        "source": st.sampled_from(["ANALYST", "PARTNER", "DISPUTE"]),
        "label_back": st.integers(0, 6),
    }
)


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(_STEP, min_size=1, max_size=14))
def test_the_batch_path_gives_the_vectors_that_were_decided_from_bit_for_bit(steps, request_for, now):
    with transaction.atomic():
        clock, sources = now, []
        for step in steps:
            clock += timedelta(minutes=step["minutes"])
            request = request_for(
                at=clock - timedelta(minutes=step["late_minutes"]),
                **{
                    name: step[name]
                    for name in ("minor", "customer", "counterparty", "terminal", "device", "country")
                },
            )
            decide(request=request, now=clock, budget_s=5)
            sources.append(request.source_id)
            if step["label"]:
                record_label(
                    source_kind="payment",
                    source_id=sources[max(0, len(sources) - 1 - step["label_back"])],
                    verdict=step["label"],
                    source=step["source"],
                    now=clock,
                )

        found = parity.compare(stream="live", limit=100)

        assert found.compared == len(steps)
        assert found.differences == ()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("installed")
def test_an_event_that_another_transaction_had_not_committed_is_in_neither_path(request_for, now):
    # Given a decision whose transaction is still open
    other = connections.create_connection("default")
    request = request_for(at=now - timedelta(minutes=5))
    main = connections["default"]
    connections["default"] = other
    try:
        other.set_autocommit(False)
        decide(request=request, now=now - timedelta(minutes=5), budget_s=5)
        connections["default"] = main
        # When the next is taken, and the first commits afterwards
        second = decide(request=request_for(), now=now, budget_s=5)
        other.commit()
    finally:
        connections["default"] = main
        other.close()
    third = decide(
        request=request_for(at=now + timedelta(minutes=1)), now=now + timedelta(minutes=1), budget_s=5
    )

    # Then the second counted nothing, the third both, and so does the batch path
    assert HistoryEvent.objects.count() == 3
    assert _vector(second)["customer_count_1d"] == 0
    assert _vector(third)["customer_count_1d"] == 2
    assert parity.compare(stream="live", limit=10) == parity.Parity(3, ())


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_label_of_the_same_transaction_counts_after_it_was_recorded_and_not_before(request_for, now):
    first = request_for()
    decide(request=first, now=now, budget_s=5)
    # A younger transaction ends first: from now on the snapshot no longer tells that ours is still running.
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS fraud_younger (id int); DROP TABLE fraud_younger")
    finally:
        other.close()
    before = decide(request=request_for(), now=now, budget_s=5)
    record_label(source_kind="payment", source_id=first.source_id, verdict="FRAUD", source="ANALYST", now=now)
    after = decide(request=request_for(), now=now, budget_s=5)

    assert _vector(before)["customer_frauds_30d"] == 0
    assert _vector(after)["customer_frauds_30d"] == 1
    assert parity.compare(stream="live", limit=10) == parity.Parity(3, ())


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_label_counts_from_the_instant_it_is_known_and_never_before(request_for, now):
    bad = request_for(terminal="shop", at=now - timedelta(days=5))
    decide(request=bad, now=now - timedelta(days=5))
    before = decide(
        request=request_for(terminal="shop", customer="cus_B", at=now - timedelta(hours=1)),
        now=now - timedelta(hours=1),
    )

    record_label(source_kind="payment", source_id=bad.source_id, verdict="FRAUD", source="ANALYST", now=now)
    after = decide(request=request_for(terminal="shop", customer="cus_C"), now=now)

    assert _vector(before)["terminal_frauds_60d"] == 0
    assert _vector(after)["terminal_frauds_60d"] == 1
    assert _vector(after)["terminal_run_length"] == 1
    assert _vector(after)["terminal_run_age_days"] == pytest.approx(5)
    assert parity.compare(stream="live", limit=10).differences == ()


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_late_event_stands_in_the_history_of_later_decisions_only(request_for, now):
    first = decide(request=request_for(), now=now)
    decide(request=request_for(at=now - timedelta(hours=2)), now=now + timedelta(minutes=1))
    third = decide(request=request_for(at=now + timedelta(minutes=2)), now=now + timedelta(minutes=2))

    assert _vector(first)["customer_count_1d"] == 0
    assert _vector(third)["customer_count_1d"] == 2
    assert parity.compare(stream="live", limit=10).differences == ()


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_windows_are_open_at_their_beginning(request_for, now):
    decide(request=request_for(at=now - timedelta(hours=1)), now=now - timedelta(hours=1))
    exactly = decide(request=request_for(), now=now)
    decide(request=request_for(at=now + timedelta(microseconds=1)), now=now + timedelta(microseconds=1))
    within = decide(request=request_for(at=now + timedelta(hours=1)), now=now + timedelta(hours=1))

    assert _vector(exactly)["customer_count_1h"] == 0
    assert _vector(within)["customer_count_1h"] == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_clock_change_does_not_stretch_a_day(request_for, now):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Europe/Berlin'")
    autumn = now.replace(month=10, day=25, hour=12)
    decide(
        request=request_for(at=autumn - timedelta(hours=24, minutes=30)),
        now=autumn - timedelta(hours=24, minutes=30),
    )

    decision = decide(request=request_for(at=autumn), now=autumn)

    assert _vector(decision)["customer_count_1d"] == 0
    assert _vector(decision)["customer_count_7d"] == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_stream_never_sees_another(request_for, now):
    decide(request=request_for(stream="elsewhere", at=now - timedelta(hours=1)), now=now - timedelta(hours=1))

    assert _vector(decide(request=request_for(), now=now))["customer_count_90d"] == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_a_key_that_is_missing_gives_missing_values_not_zeros(request_for, now):
    vector = _vector(decide(request=request_for(terminal="", device=""), now=now))

    assert np.isnan(vector["terminal_count_1d"])
    assert np.isnan(vector["new_device"])
    assert vector["new_counterparty"] == 1


def test_ratios_to_nothing_are_missing_and_never_infinite():
    zero, one = np.array([0.0]), np.array([1.0])

    assert np.isnan(derive.ratio(one, zero)[0])
    assert derive.ratio(one, one)[0] == 1


def test_the_median_of_latest_amounts_is_the_middle_or_the_mean_of_two():
    rows = np.full((3, 25), -1, dtype=np.int64)
    rows[0, :3] = [9, 1, 5]
    rows[1, :2] = [4, 10]

    assert derive.median(rows)[:2].tolist() == [5.0, 7.0]
    assert np.isnan(derive.median(rows)[2])


def test_two_values_have_no_deviation_and_three_have():
    count, total, squares = (np.array([value]) for value in (3, 60_000, 1_400_000_000))
    value = np.array([40_000])

    assert derive.deviation(value, count, total, squares, scale=10_000, sd_min=0.05)[0] == pytest.approx(2.0)
    assert np.isnan(derive.deviation(value, count - 1, total, squares, scale=10_000, sd_min=0.05)[0])


def test_snapshots_are_read_as_postgresql_reads_them():
    snapshot = Snapshot.read("100:105:101,103")

    found = snapshot.sees(np.array([99, 100, 101, 102, 103, 104, 105]), own=104).tolist()

    # 101 and 103 were running, 105 had not begun, 104 is one's own: its rows are told apart by their numbers.
    assert found == [True, True, False, True, False, False, False]
    assert Snapshot.read("") is None


def test_microseconds_survive_both_ways(now):
    instant = now.replace(microsecond=123_457)

    assert online.from_us(online.to_us(instant)) == instant


@pytest.mark.parametrize("code", list(SETS))
def test_a_set_names_known_features_once_and_has_a_digest_of_its_own(code):
    features = features_of(code)

    assert len(set(features)) == len(features)
    assert all(feature in FEATURES for feature in features)
    assert digest_of(features) != digest_of(features[::-1])
    assert aggregates_of(features) == aggregates_of(features[::-1])


def test_card_v1_has_its_fifty_features():
    assert len(features_of("card_v1")) == 50
