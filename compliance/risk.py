"""The risk rating: points for each factor with its reason, the level they make. Pure; numbers and lists are data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flowlet.core.countries import country_name
from flowlet.identity.choices import RiskLevel, Tier

# The first version. FATF's lists are those of its statements of 24 October 2025; a later statement is a new version.
FIRST_PARAMETERS: dict[str, Any] = {
    "points": {
        "residence_high": 60,
        "residence_raised": 20,
        "nationality_high": 60,
        "nationality_raised": 15,
        "document_high": 40,
        "document_raised": 10,
        "countries_differ": 5,
        "politically_exposed": 60,
        "possible_match": 40,
        "young": 5,
        "new_relation": 5,
        "higher_tier": 10,
    },
    "levels": {"MEDIUM": 25, "HIGH": 60},
    "young_below": 21,
    "new_relation_days": 30,
    "lists": {
        "high": {
            "title": "High-risk jurisdictions subject to a call for action",
            "source": "FATF",
            "date": "2025-10-24",
            "countries": ["IR", "KP", "MM"],
        },
        "raised": {
            "title": "Jurisdictions under increased monitoring",
            "source": "FATF",
            "date": "2025-10-24",
            "countries": [
                "AO",
                "BG",
                "BO",
                "CD",
                "CI",
                "CM",
                "DZ",
                "HT",
                "KE",
                "LA",
                "LB",
                "MC",
                "NA",
                "NP",
                "SS",
                "SY",
                "VE",
                "VG",
                "VN",
                "YE",
            ],
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """What is known of a customer when he is rated."""

    residence: str
    nationality: str
    document_country: str
    politically_exposed: bool
    has_open_hit: bool
    is_true_match: bool
    birth_date: date
    relation_days: int
    tier: str
    today: date


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor: what it looked at, what it saw, and the points it gave."""

    code: str
    title: str
    seen: str
    points: int


@dataclass(frozen=True, slots=True)
class Rating:
    """Points, level and the factors they come from; the points are the factors' sum."""

    points: int
    level: RiskLevel
    factors: tuple[Factor, ...]


def rate(facts: RiskFacts, parameters: Mapping[str, Any]) -> Rating:
    """
    Rate a customer by one version's parameters.

    The level follows from the points, then the floors: who is or says to be politically exposed is at least HIGH, a true
    match PROHIBITED.
    """
    points = parameters["points"]
    factors = [
        _country("residence", "Residence", facts.residence, parameters),
        _country("nationality", "Nationality", facts.nationality, parameters),
        _country("document", "Country of the document", facts.document_country, parameters),
        _when(
            "countries_differ",
            "Residence and nationality",
            facts.residence != facts.nationality,
            ("Two countries", "One country"),
            points,
        ),
        _when(
            "politically_exposed",
            "Politically exposed",
            facts.politically_exposed,
            ("The applicant says so", "The applicant says no"),
            points,
        ),
        _when(
            "possible_match",
            "Watch lists",
            facts.has_open_hit or facts.is_true_match,
            ("True match" if facts.is_true_match else "Possible match, not decided", "No match"),
            points,
        ),
        _when(
            "young",
            "Age",
            _years(facts.birth_date, facts.today) < parameters["young_below"],
            (f"Below {parameters['young_below']}", f"{parameters['young_below']} or older"),
            points,
        ),
        _when(
            "new_relation",
            "Age of the relation",
            facts.relation_days < parameters["new_relation_days"],
            (f"Below {parameters['new_relation_days']} days", f"{facts.relation_days} days"),
            points,
        ),
        _when(
            "higher_tier",
            "Tier applied for",
            facts.tier == Tier.PLUS,
            ("Plus", "Standard"),
            points,
        ),
    ]
    total = sum(factor.points for factor in factors)
    return Rating(total, _level(total, facts, parameters["levels"]), tuple(factors))


def _country(code: str, title: str, country: str, parameters: Mapping[str, Any]) -> Factor:
    for grade in ("high", "raised"):
        known = parameters["lists"][grade]
        if country in known["countries"]:
            seen = f"{country_name(country)}: {known['source']}, {known['title'].lower()}, {known['date']}"
            return Factor(code, title, seen, parameters["points"][f"{code}_{grade}"])
    return Factor(code, title, country_name(country), 0)


def _when(code: str, title: str, is_so: bool, words: tuple[str, str], points: Mapping[str, int]) -> Factor:  # noqa: FBT001 - reads as a sentence where it is called
    return Factor(code, title, words[0] if is_so else words[1], points[code] if is_so else 0)


def _level(total: int, facts: RiskFacts, levels: Mapping[str, int]) -> RiskLevel:
    if facts.is_true_match:
        return RiskLevel.PROHIBITED
    if total >= levels["HIGH"] or facts.politically_exposed:
        return RiskLevel.HIGH
    return RiskLevel.MEDIUM if total >= levels["MEDIUM"] else RiskLevel.LOW


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
