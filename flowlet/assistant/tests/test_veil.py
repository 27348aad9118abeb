"""What is hidden, what may leave, and that everything comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet.assistant.veil import Veil, is_common

KNOWN = {"NAME": ["Mirela Sandvik"], "EMAIL": ["m@x.example"], "PHONE": ["+4915112345678"]}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("I am Mirela Sandvik", "I am [NAME_1]"),
        ("i am mirela", "i am [NAME_1]"),
        ("MIRELA's card", "[NAME_1]'s card"),
        ("write to m@x.example or a.b@c.org", "write to [EMAIL_1] or [EMAIL_2]"),
        ("call +49 151 1234 5678", "call [PHONE_1]"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN_1] please"),
        ("my card 4242-4242-4242-4242 is lost", "my card [CARD_1] is lost"),
        ("account 1234567 and 1234567", "account [NUMBER_1] and [NUMBER_1]"),
        ("I paid 25 EUR on 3 May", "I paid 25 EUR on 3 May"),
        ("see pay_01K8Z5NB7C1F9GQ4M2XSJ6W8TZ", "see [ID_1]"),
        ("open www.example.com/a now", "open [LINK_1] now"),
        ("sent to Rose Price yesterday", "sent to [NAME_1] yesterday"),
        ("Why did grzegorz not pay?", "Why did [WORD_1] not pay?"),
        ("[NAME_1] is a token", "(NAME_1) is a [WORD_1]"),
    ],
)
def test_what_names_somebody_is_hidden_and_comes_back(text, hidden):
    veil = Veil(KNOWN)

    shown = veil.hide(text)

    if "(NAME_1)" in hidden:
        assert "[NAME_1]" not in shown
        assert "(" in shown
        return
    assert shown == hidden
    assert veil.show(shown) == text


def test_one_value_is_one_token_and_two_values_are_two():
    veil = Veil(KNOWN)

    assert veil.hide("a@b.example, c@d.example, a@b.example") == "[EMAIL_1], [EMAIL_2], [EMAIL_1]"
    assert veil.token("NAME", "Bo Lund") == veil.token("NAME", "bo lund") == "[NAME_1]"
    assert veil.hide("and Bo Lund") == "and [NAME_1]"


def test_a_token_that_is_none_of_ours_vanishes():
    assert Veil().show("[NAME_7] and [IBAN_1]") == "… and …"


@pytest.mark.parametrize("word", ["payment", "payments", "paid", "Refunds", "don't", "card's", "eur", "25"])
def test_common_words_leave(word):
    assert is_common(word)


@pytest.mark.parametrize("word", ["sandvik", "oslo", "quorvella", "acme", "jürgen", "12345"])
def test_other_words_stay(word):
    assert not is_common(word)


@given(st.text(max_size=200))
def test_whatever_is_typed_nothing_known_leaves(text):
    veil = Veil(KNOWN)

    hidden = veil.hide(f"{text} mirela {text} Sandvik {text}")

    assert not veil.leaks(hidden)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_only_common_words_and_tokens_are_left(text):
    hidden = Veil().hide(text)

    words = [word for word in hidden.replace("[", " [").split() if word.isalpha() and word.isascii()]
    assert all(is_common(word) for word in words)
