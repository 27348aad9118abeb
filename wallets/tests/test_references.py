"""The codes of incoming transfers by themselves: check digits, and finding them in what banks write."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wallets.references import BASES, code_of, is_code, mentions, printed

_SIGNS = string.digits + string.ascii_uppercase
bases = st.integers(0, BASES - 1)


def test_the_check_digits_are_those_of_the_standard():
    # ISO 11649 in its own words: the number with its check digits, RF at the end as 2715, leaves 1.
    code = code_of(539_007_547_034)

    assert code == "RF18539007547034"
    assert int("539007547034" + "2715" + "18") % 97 == 1
    assert printed(code) == "RF18 5390 0754 7034"


@given(bases, st.integers(2, 15), st.sampled_from(_SIGNS))
@example(0, 15, "O")
def test_every_single_mistyped_sign_is_found(base, place, sign):
    code = code_of(base)

    typed = code[:place] + sign + code[place + 1 :]

    assert is_code(code)
    assert is_code(typed) is (typed == code)


@given(bases, st.integers(2, 14))
def test_every_two_signs_that_changed_places_are_found(base, place):
    code = code_of(base)

    typed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    assert is_code(typed) is (typed == code)


@given(bases, st.sampled_from(["", " ", "-", "\n"]), st.sampled_from([str.upper, str.lower]))
def test_a_code_is_found_however_it_is_written(base, between, case):
    code = code_of(base)

    text = case(between.join(printed(code).split()))

    assert mentions(["Invoice 77", f"Savings for May {text}, thanks"]).codes == {code}


@pytest.mark.parametrize(
    ("text", "codes", "mistyped"),
    [
        ("RF18 5390 0754 7034", {"RF18539007547034"}, set()),
        ("RF18 5390 0754 7035", set(), {"RF18539007547035"}),
        ("RF18 5390 0754 703", set(), {"RF1853900754703"}),
        ("RF18 5390 O754 7034", set(), {"RF185390O7547034"}),
        ("RF18 5390 0754 7034 and RF18539007547034", {"RF18539007547034"}, set()),
        ("BRIEF18539007547034", set(), set()),
        ("from DE89 3704 0044 0532 0130 00", {"DE89370400440532013000"}, set()),
        ("from DE88 3704 0044 0532 0130 00", set(), set()),
        ("", set(), set()),
    ],
)
def test_words_of_a_bank_are_read(text, codes, mistyped):
    found = mentions([text])

    assert (found.codes, found.mistyped) == (codes, mistyped)


def test_a_code_does_not_reach_over_two_fields():
    assert mentions(["RF18 5390", "0754 7034"]).codes == frozenset()
