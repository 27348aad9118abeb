"""Two people, or a person and a list update, at the same moment: real threads on real connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection

from compliance.errors import HitAlreadyDecided, ListRefused
from compliance.models.screening import HitDecision, ListedEntity, ListVersion, ScreeningHit
from compliance.operations.lists import load_list
from compliance.operations.rescreening import rescreen
from compliance.operations.screening import decide_hit
from compliance.tests.conftest import sample, without
from flowlet.audit.trail import Actor, acting
from flowlet.identity import operations as identity
from flowlet.identity.models import Customer, Partner, Restriction

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], object]) -> list[object]:
    """Start all acts at one moment, each on a connection of its own; returns results and errors in order."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - what went wrong is what the test looks at
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def decision(person: str, hit: str, outcome: str, reason: str, now: datetime) -> Callable[[], object]:
    def act() -> object:
        with acting(Actor("STAFF", person, person)):
            return decide_hit(hit_id=hit, outcome=outcome, reason_code=reason, note="Seen.", now=now)

    return act


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_officers_who_decide_at_once_one_is_told_that_the_other_was_quicker(
    suspect: Customer, now: datetime, attempt: int
) -> None:
    hit = ScreeningHit.objects.get().public_id

    results = together(
        decision("usr_ilse", hit, "FALSE_POSITIVE", "COMMON_NAME", now),
        decision("usr_oskar", hit, "TRUE_MATCH", "SAME_FACTS", now),
    )

    (refused,) = [result for result in results if isinstance(result, Exception)]
    (winner,) = [result for result in results if isinstance(result, ScreeningHit)]
    opinion = HitDecision.objects.get()
    in_force = set(Restriction.objects.filter(lifted_at__isnull=True).values_list("kind", flat=True))
    assert isinstance(refused, HitAlreadyDecided)
    assert opinion.actor_label in refused.detail
    assert winner.status == opinion.outcome
    assert in_force == (set() if opinion.outcome == "FALSE_POSITIVE" else {"FROZEN"})


def test_one_officer_who_clicks_five_times_decides_once(suspect: Customer, now: datetime) -> None:
    hit = ScreeningHit.objects.get().public_id

    results = together(*[decision("usr_ilse", hit, "FALSE_POSITIVE", "COMMON_NAME", now) for _ in range(5)])

    assert sum(isinstance(result, ScreeningHit) for result in results) == 1
    assert sum(isinstance(result, HitAlreadyDecided) for result in results) == 4
    assert HitDecision.objects.count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_a_customer_created_during_a_list_switch_is_screened_against_the_new_list(
    partner: Partner, blocking: None, now: datetime, attempt: int
) -> None:
    first, _ = load_list(code="ofac-sdn", files=without(sample(), "11366"), now=now)
    rescreen(version_id=first.pk, now=now)

    def create() -> object:
        return identity.create_customer(
            partner_id=partner.pk,
            kind="PERSON",
            given_name="Gerhard",
            family_name="Wisser",
            country="DE",
            now=now,
        )

    def switch() -> object:
        version, _ = load_list(code="ofac-sdn", files=sample(), now=now)
        return rescreen(version_id=version.pk, now=now)

    results = together(create, switch, create, create)

    assert not [result for result in results if isinstance(result, Exception)]
    assert ScreeningHit.objects.filter(status="OPEN").count() == 3
    assert Restriction.objects.filter(lifted_at__isnull=True).count() == 3


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_loads_at_once_one_waits_and_the_live_list_is_whole(
    db: None, blocking: None, now: datetime, attempt: int
) -> None:
    other = without(sample(), "11366")

    results = together(
        lambda: load_list(code="ofac-sdn", files=sample(), now=now),
        lambda: load_list(code="ofac-sdn", files=other, now=now),
        lambda: load_list(code="ofac-sdn", files=sample(), now=now),
    )

    live = ListVersion.objects.get(status="LIVE")
    errors = [result for result in results if isinstance(result, Exception)]
    in_use = ListedEntity.objects.filter(is_live=True)
    assert all(isinstance(error, ListRefused) for error in errors)
    assert in_use.count() == in_use.values("uid").distinct().count() == live.counts["entities"]
    assert not ListVersion.objects.filter(status="STAGED").exists()
