"""On the real list and the labelled names, where a checkout has them beside it (see `conftest.py`)."""

import csv
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from compliance.list_formats import LISTS
from compliance.management.commands.freeze_rarity import weights
from compliance.models.screening import ListedEntity, ScreeningHit
from compliance.names import rarity
from compliance.names.align import score_names
from compliance.names.normal import normal_name
from compliance.operations.lists import load_list
from compliance.policies import Numbers
from compliance.tests.conftest import FILES, SHARED
from flowlet.identity.models import Customer

OFAC = SHARED / "sanctions" / "ofac-2021-07"
F1_MIN = 0.82


def delivery() -> dict[str, bytes]:
    return {name: (OFAC / f"{name}.csv").read_bytes() for name in FILES}


def test_the_whole_list_is_read_and_no_birth_date_is_lost() -> None:
    parsed = LISTS.get("ofac-sdn").parse(delivery())

    births = [fact for entity in parsed.entities for fact in entity.facts if fact.kind == "BIRTH_DATE"]
    weak = [name for entity in parsed.entities for name in entity.names if name.kind == "WEAK"]
    assert parsed.counts["entities"] == 8976
    assert parsed.counts["names"] == 23_324
    assert len(births) == 5125
    assert all(fact.date_from for fact in births)
    assert len(weak) == 2438
    assert sum(entity.is_cut for entity in parsed.entities) == 5


def test_the_whole_list_goes_live_and_finds_its_people(
    blocking: None, new_customer: Callable[..., Customer], now: datetime
) -> None:
    version, _ = load_list(code="ofac-sdn", files=delivery(), now=now)
    listed = new_customer("Ousmane", "Djibo", birth_date=date(1984, 3, 1), nationality="NE")
    other = new_customer("Mirela", "Sandvik", birth_date=date(1984, 3, 1))

    assert ListedEntity.objects.filter(is_live=True).count() == version.counts["entities"] == 8976
    assert ScreeningHit.objects.get(customer=listed, status="OPEN").entity.uid == "32391"
    assert not ScreeningHit.objects.filter(customer=other).exists()


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, str]]:
    with (SHARED / "names" / "nomenklatura_name_cases.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_labelled_pairs_are_told_apart_at_the_shipped_threshold(pairs: list[dict[str, str]]) -> None:
    found = [
        score_names(normal_name(pair["name1"]), normal_name(pair["name2"])).points >= Numbers().threshold
        for pair in pairs
    ]
    truth = [pair["is_match"] == "true" for pair in pairs]

    right = sum(alarm and match for alarm, match in zip(found, truth, strict=True))
    assert 2 * right / (sum(found) + sum(truth)) >= F1_MIN


def test_the_shipped_weights_are_those_of_the_list_they_name() -> None:
    shipped = Path(rarity.__file__).with_name("rarity.csv").read_text("ascii").splitlines()[1:]

    found = weights(LISTS.get("ofac-sdn").parse(delivery()))

    assert shipped == [f"{word},{weight:.2f}" for word, weight in found.items()]
