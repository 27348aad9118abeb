"""The machine-readable zone: ICAO's own specimens, check digits, dates, names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.documents import mrz
from compliance.documents.form import country_of, given_names_agree, names_agree, surname_agrees
from compliance.tests.kyc_factories import make_form

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"


@pytest.mark.parametrize(("lines", "shape"), [(TD3, "TD3"), (TD1, "TD1"), (TD2, "TD2")])
def test_the_specimens_of_icao_are_read_with_every_digit_right(lines, shape):
    zone = mrz.parse(lines)

    assert (zone.format, zone.surname, zone.given_names) == (shape, "ERIKSSON", "ANNA MARIA")
    assert (zone.issuer, zone.nationality, zone.birth, zone.expiry, zone.sex) == (
        "UTO",
        "UTO",
        "740812",
        "120415",
        "F",
    )
    assert all(digit.right for digit in zone.digits)


def test_a_number_longer_than_nine_goes_on_in_the_optional_field():
    # ICAO Doc 9303 part 5, figure of the long document number: D23145890734, check digit 9.
    zone = mrz.parse(("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", TD1[2]))

    assert zone.number == "D23145890734"
    assert [digit.right for digit in zone.digits] == [True, True, True, True]


def test_a_number_of_nine_and_an_empty_optional_field_may_carry_a_filler():
    upper, lower = mrz.make_td3(
        issuer="NOR",
        surname="SANDVIK",
        given_names="MIRELA",
        number="C1234567",
        birth=date(1990, 5, 17),
        sex="F",
        expiry=date(2031, 3, 1),
    )

    filled = lower[:42] + "<" + lower[43]

    assert all(digit.right for digit in mrz.parse((upper, lower)).digits)
    assert all(digit.right for digit in mrz.parse((upper, filled)).digits)


@given(st.text(alphabet=LETTERS, min_size=1, max_size=40))
def test_a_check_digit_is_the_weighted_sum_by_sevens_threes_and_ones(text):
    values = {char: place for place, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}

    should = sum(values[char] * (7, 3, 1)[place % 3] for place, char in enumerate(text)) % 10

    assert mrz.check_digit(text) == str(should)


@given(st.text(alphabet="0123456789", min_size=1, max_size=30), st.data())
def test_one_wrong_digit_among_digits_is_always_found(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([char for char in "0123456789" if char != text[place]]))
    changed = text[:place] + other + text[place + 1 :]

    # Weights 7, 3 and 1 have no common divisor with 10, so no single change goes unseen.
    assert mrz.check_digit(changed) != mrz.check_digit(text)


@given(st.integers(0, 43), st.sampled_from(LETTERS))
def test_whatever_stands_in_a_line_it_is_read_or_refused(place, char):
    lower = TD3[1][:place] + char + TD3[1][place + 1 :]

    zone = mrz.parse((TD3[0], lower))

    assert {digit.field for digit in zone.digits} >= {"document number", "whole"}


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        TD3[:1],
        (TD3[0], TD3[1][:-1]),
        (TD3[0], TD1[0]),
        (TD3[0].lower(), TD3[1]),
        (TD3[0], "é" * 44),
    ],
)
def test_what_has_another_shape_is_unreadable(lines):
    with pytest.raises(mrz.UnreadableMrz):
        mrz.parse(lines)


@pytest.mark.parametrize(
    ("text", "born"),
    [
        ("740812", date(1974, 8, 12)),
        ("261101", date(2026, 11, 1)),
        ("261103", date(1926, 11, 3)),
        ("74<<<<", None),
        ("990231", None),
    ],
)
def test_a_birth_date_lies_in_the_latest_century_that_is_not_in_the_future(text, born):
    assert mrz.birth_date(text, today=date(2026, 11, 2)) == born


def test_an_expiry_date_lies_in_this_century():
    assert mrz.expiry_date("690101") == date(2069, 1, 1)


@pytest.mark.parametrize(
    ("said", "printed", "agree"),
    [
        ("Müller", "MUELLER", True),
        ("Müller", "MULLER", True),
        ("Ødegård", "OEDEGAARD", True),
        ("O'Connor-Smith", "O CONNOR SMITH", True),
        ("O'Connor-Smith", "OCONNOR SMITH", True),
        ("van der Berg", "VAN DER BERG", True),
        ("Sandvik", "SANDVIG", False),
        ("", "SANDVIK", False),
    ],
)
def test_a_family_name_agrees_with_the_ways_in_which_it_is_printed(said, printed, agree):
    assert names_agree(said, printed, is_cut=False, may_lack_words=False) is agree


@pytest.mark.parametrize(
    ("said", "printed", "agree"),
    [
        ("Anna Maria", "ANNA", True),
        ("Anna", "ANNA MARIA", True),
        ("Maria", "ANNA MARIA", False),
        ("Anna Sofia", "ANNA MARIA", False),
    ],
)
def test_a_middle_name_may_be_missing_but_not_differ(said, printed, agree):
    assert names_agree(said, printed, is_cut=False, may_lack_words=True) is agree


def test_a_name_that_had_no_room_is_compared_as_far_as_it_goes():
    long = "Nilavadhanananda Chayapa Dejthamrong"
    upper = ("P<THA" + "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<KRASUANG")[:44]
    zone = mrz.parse((upper, TD3[1]))
    form = make_form(family_name=long.split(maxsplit=1)[0], given_name="Chayapa Dejthamrong Krasuang")

    assert zone.name_is_cut
    assert surname_agrees(form, zone)
    assert given_names_agree(form, zone)


def test_countries_of_icao_become_those_of_iso():
    assert [country_of(code) for code in ("D", "NOR", "RKS", "UTO", "")] == ["DE", "NO", "XK", "", ""]
