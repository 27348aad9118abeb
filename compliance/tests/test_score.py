from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.names.align import POINTS_MAX
from compliance.names.facts import CLOSE, DIFFERS, SAME, UNKNOWN, DateRange, compare_birth, compare_countries
from compliance.names.score import Comparison, Listed, Subject, compare

DAY = date(1967, 4, 3)


def against(
    name: str = "Gerhard Wisser",
    *,
    kind: str = "PERSON",
    birth: date | None = None,
    countries: tuple[str, ...] = (),
    names: tuple[tuple[str, str], ...] = (("PRIMARY", "Gerhard WISSER"),),
    listed_kind: str = "PERSON",
    births: tuple[DateRange, ...] = (),
) -> Comparison:
    listed = Listed(listed_kind, names, births, ("DE", "ZA"))
    return compare(Subject(kind, name, birth, countries), listed)


@pytest.mark.parametrize(
    ("listed", "how", "sign"),
    [
        (DateRange(DAY, DAY), SAME, 1),
        (DateRange(date(1967, 3, 4), date(1967, 3, 4)), CLOSE, 1),  # day and month swapped
        (DateRange(date(1967, 1, 1), date(1967, 12, 31)), CLOSE, 1),  # the year only
        (DateRange(date(1966, 6, 1), date(1966, 6, 1)), CLOSE, 1),  # within a year
        (DateRange(date(1965, 6, 1), date(1965, 6, 1)), DIFFERS, 0),  # two years apart say nothing
        (DateRange(date(1964, 6, 1), date(1964, 6, 1)), DIFFERS, -1),
        (DateRange(date(1970, 1, 1), date(1970, 12, 31), circa=True), DIFFERS, -1),
    ],
)
def test_birth_dates_raise_when_they_agree_and_lower_when_they_contradict(
    listed: DateRange, how: str, sign: int
) -> None:
    agreement = compare_birth(DAY, [listed])

    assert agreement.how == how
    assert (agreement.move > 0) - (agreement.move < 0) == sign


def test_the_best_of_several_listed_birth_dates_counts() -> None:
    spans = [DateRange(date(1950, 1, 1), date(1950, 1, 1)), DateRange(DAY, DAY)]

    assert compare_birth(DAY, spans).how == SAME


def test_a_missing_fact_changes_nothing() -> None:
    assert compare_birth(None, [DateRange(DAY, DAY)]).move == 0
    assert compare_birth(DAY, []).how == UNKNOWN
    assert compare_countries((), ("DE",)).move == 0
    assert compare_countries(("DE",), ()).how == UNKNOWN
    assert against().points == against(birth=DAY).points


def test_another_country_does_not_lower_and_a_shared_one_raises() -> None:
    name = "Gerard Wisser"
    alone, other = against(name), against(name, countries=("FR",))
    shared = against(name, countries=("ZA",))

    assert alone.points == other.points < shared.points


def test_facts_do_not_make_a_hit_of_names_that_are_not_alike() -> None:
    found = against("Ana Lopez", birth=DAY, countries=("DE",), births=(DateRange(DAY, DAY),))

    assert found.points == found.name_points < 3000


def test_a_person_and_a_company_of_one_name_stay_below_an_alert() -> None:
    found = against("Gerhard Wisser", kind="COMPANY", countries=("DE",))

    assert found.name_points == POINTS_MAX
    assert found.points < 8000


def test_a_single_listed_word_alerts_a_longer_name_only_with_a_fact() -> None:
    names = (("WEAK", "Wisser"),)
    alone = against("Gerhard Wisser", names=names)
    backed = against("Gerhard Wisser", names=names, birth=DAY, births=(DateRange(DAY, DAY),))

    assert alone.points < 8000 <= backed.points


def test_among_equal_names_the_main_one_is_shown() -> None:
    found = against(names=(("STRONG", "WISSER Gerhard"), ("PRIMARY", "Gerhard WISSER")))

    assert found.matched_name == "Gerhard WISSER"


@given(
    st.sampled_from(["Gerhard Wisser", "G Wisser", "Wiser", "Ana Lopez", "", "Wisser Ltd"]),
    st.sampled_from(["PERSON", "COMPANY"]),
    st.none() | st.dates(date(1930, 1, 1), date(2005, 1, 1)),
    st.lists(st.sampled_from(["DE", "FR", "ZA"]), max_size=2),
    st.sampled_from(["PRIMARY", "STRONG", "WEAK"]),
    st.lists(
        st.tuples(st.dates(date(1930, 1, 1), date(2005, 1, 1)), st.integers(0, 400), st.booleans()),
        max_size=3,
    ),
)
def test_the_shares_of_a_comparison_sum_to_its_points(
    name: str,
    kind: str,
    birth: date | None,
    countries: list[str],
    listed_kind: str,
    spans: list[tuple[date, int, bool]],
) -> None:
    births = tuple(
        DateRange(start, date.fromordinal(start.toordinal() + days), circa) for start, days, circa in spans
    )
    found = compare(
        Subject(kind, name, birth, tuple(countries)),
        Listed("PERSON", ((listed_kind, "Gerhard WISSER"), ("WEAK", "Wisser")), births, ("DE",)),
    )

    assert sum(row.share for row in found.rows) == found.points
    assert sum(word["share"] for word in found.words) == found.name_points
    assert 0 <= found.points <= POINTS_MAX
