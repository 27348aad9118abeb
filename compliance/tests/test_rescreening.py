"""After a list went live: new entities find old customers, ended ones let go, and a crash loses nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from compliance import queries
from compliance.choices import HitStatus, RunStatus, SubjectState
from compliance.models.screening import ListVersion, ScreeningHit, ScreeningRun, ScreeningSubject
from compliance.names.normal import normal_name
from compliance.operations.lists import load_list
from compliance.operations.rescreening import rescreen
from compliance.operations.screening import decide_hit, screen_customer
from compliance.tests.conftest import sample, without
from flowlet.identity.models import Customer, Restriction, User
from flowlet.identity.queries import active_restrictions

Make = Callable[..., Customer]
Files = dict[str, bytes]


def deliver(files: Files, now: datetime) -> ScreeningRun:
    version, _ = load_list(code="ofac-sdn", files=files, now=now)
    return rescreen(version_id=version.pk, now=now)


def described_anew() -> Files:
    files = sample()
    return {**files, "sdn": files["sdn"].replace(b"DOB 1984; POB Niger", b"DOB 1985; POB Niger")}


def test_a_customer_is_found_when_an_entity_is_added(
    blocking: None, new_customer: Make, now: datetime
) -> None:
    deliver(without(sample(), "11366"), now)
    customer, other = new_customer("Gerhard", "Wisser"), new_customer("Mirela", "Sandvik")

    run = deliver(sample(), now + timedelta(days=1))

    hit = ScreeningHit.objects.get()
    assert (hit.customer, hit.status) == (customer, HitStatus.OPEN)
    assert (run.status, run.population, run.checked, run.opened) == (RunStatus.COMPLETE, 1, 1, 1)
    assert active_restrictions(customer_id=customer.pk).count() == 1
    assert not active_restrictions(customer_id=other.pk).exists()


def test_a_hit_ends_when_its_entity_is_listed_no_longer(suspect: Customer, now: datetime) -> None:
    run = deliver(without(sample(), "32391"), now + timedelta(days=1))

    assert ScreeningHit.objects.get().status == HitStatus.DELISTED
    assert run.closed == 1
    assert not active_restrictions(customer_id=suspect.pk).exists()
    assert ScreeningSubject.objects.get(customer=suspect).state == SubjectState.CLEAR


def test_a_cleared_hit_comes_back_when_the_entity_is_described_anew(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    cleared = ScreeningHit.objects.get()
    decide_hit(hit_id=cleared.public_id, outcome="FALSE_POSITIVE", reason_code="COMMON_NAME", now=now)

    deliver(described_anew(), now + timedelta(days=1))

    old, new = ScreeningHit.objects.order_by("pk")
    assert (old.status, new.status) == (HitStatus.FALSE_POSITIVE, HitStatus.OPEN)
    assert active_restrictions(customer_id=suspect.pk).get().source_ref == new.public_id


def test_an_open_hit_is_replaced_and_the_customer_is_never_free_in_between(
    suspect: Customer, now: datetime
) -> None:
    deliver(described_anew(), now + timedelta(days=1))

    old, new = ScreeningHit.objects.order_by("pk")
    held = Restriction.objects.filter(customer=suspect).order_by("pk")
    assert (old.status, new.status) == (HitStatus.SUPERSEDED, HitStatus.OPEN)
    assert [row.source_ref for row in held] == [old.public_id, new.public_id]
    assert held[1].pk > held[0].pk
    assert (held[0].lifted_at is None, held[1].lifted_at is None) == (False, True)


def test_a_confirmed_match_stays_confirmed_when_the_entity_leaves_the_list(
    suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()
    decide_hit(hit_id=hit.public_id, outcome="TRUE_MATCH", reason_code="SAME_FACTS", note="Sure.", now=now)

    deliver(without(sample(), "32391"), now + timedelta(days=1))

    assert ScreeningHit.objects.get().status == HitStatus.TRUE_MATCH
    assert active_restrictions(customer_id=suspect.pk).get().kind == "FROZEN"


def test_customers_who_came_before_any_list_are_screened_and_released(
    blocking: None, new_customer: Make, now: datetime
) -> None:
    clean, listed = new_customer("Mirela", "Sandvik"), new_customer("Gerhard", "Wisser")

    run = deliver(sample(), now)

    reasons = {row.reason_code for row in active_restrictions(customer_id=listed.pk)}
    assert run.population == run.checked == 2
    assert not active_restrictions(customer_id=clean.pk).exists()
    assert reasons == {"UNDER_REVIEW"}


def test_a_customer_whom_no_door_screened_is_found_by_the_run(
    live_list: ListVersion, new_customer: Make, now: datetime
) -> None:
    forgotten = new_customer("Mirela", "Sandvik")
    ScreeningSubject.objects.all().delete()

    deliver(without(sample(), "11366"), now)

    assert ScreeningSubject.objects.get(customer=forgotten).state == SubjectState.CLEAR


def test_a_closed_customer_is_left_alone(blocking: None, new_customer: Make, now: datetime) -> None:
    deliver(without(sample(), "11366"), now)
    customer = new_customer("Gerhard", "Wisser")
    Customer.objects.filter(pk=customer.pk).update(status="CLOSED")

    assert deliver(sample(), now).population == 0


def test_a_run_goes_on_after_a_crash_and_a_complete_one_is_not_repeated(
    blocking: None, new_customer: Make, now: datetime
) -> None:
    deliver(without(sample(), "11366", "32391"), now)
    new_customer("Gerhard", "Wisser")
    new_customer("Ousmane Illiassou", "Djibo")
    version, _ = load_list(code="ofac-sdn", files=sample(), now=now)

    def power_cut(_step: str, done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rescreen(version_id=version.pk, now=now, progress=power_cut)
    halfway = ScreeningHit.objects.count()
    run = rescreen(version_id=version.pk, now=now)

    assert (halfway, ScreeningHit.objects.count()) == (1, 2)
    assert run.status == RunStatus.COMPLETE
    assert rescreen(version_id=version.pk, now=now) == run
    assert ScreeningHit.objects.count() == 2


def test_the_relation_is_the_same_from_both_sides(
    live_list: ListVersion, new_customer: Make, now: datetime
) -> None:
    names = [
        ("Gerhard", "Wisser"),
        ("Ousmane", "Djibo"),
        ("Ahmed", "Hassan"),
        ("Mirela", "Sandvik"),
        ("Li", "Wei"),
    ]
    customers = [new_customer(*name) for name in names]

    from_list = {(pair.customer_id, pair.entity_id) for pair in queries.find_pairs(live_list.pk)}
    from_customers = {
        (customer.pk, entity)
        for customer in customers
        for entity in queries.find_candidates(normal_name(customer.name))
    }

    assert from_list == from_customers != set()


def test_re_screening_what_changed_equals_screening_everything(
    blocking: None, new_customer: Make, now: datetime
) -> None:
    half = [line.split(b",")[0].decode() for line in sample()["sdn"].split(b"\r\n")[:18]]
    deliver(without(sample(), *half), now)
    people = [
        "Gerhard Wisser",
        "Ainhoa Mugica",
        "Fermin Vila",
        "Ratko Mladic",
        "Mirela Sandvik",
        "Abu Zubaydah",
    ]
    customers = [new_customer(*name.split(" ", 1)) for name in people]
    deliver(sample(), now)
    by_change = set(ScreeningHit.objects.values_list("customer_id", "entity_id", "points"))

    for customer in customers:
        screen_customer(customer_id=customer.pk, now=now)

    assert set(ScreeningHit.objects.values_list("customer_id", "entity_id", "points")) == by_change != set()
