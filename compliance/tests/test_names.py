import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.names import normal
from compliance.names.align import POINTS_MAX, score_names
from compliance.names.normal import normal_name, skeleton

NAMES = st.text(max_size=60)
WORDS = st.lists(
    st.sampled_from(
        [
            "ali",
            "hassan",
            "al",
            "bin",
            "ltd",
            "dr",
            "abd",
            "rahman",
            "abdrahman",
            "olga",
            "smirnova",
            "o",
            "77",
            "trading",
            "müller",
            "Мария",
            "محمد",
            "王",
        ]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)


def points(ours: str, listed: str) -> int:
    return score_names(normal_name(ours), normal_name(listed)).points


@given(NAMES)
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    once = normal_name(text)

    again = normal_name(once.sorted_words)

    assert again.sorted_words == once.sorted_words or not once.telling
    assert all(
        character.isascii() and (character.isalnum()) for word in once.words for character in word.text
    )


@given(WORDS, WORDS)
def test_the_score_is_symmetric_in_range_and_the_sum_of_its_shares(ours: str, listed: str) -> None:
    there = score_names(normal_name(ours), normal_name(listed))
    back = score_names(normal_name(listed), normal_name(ours))

    assert there.points == back.points
    assert 0 <= there.points <= POINTS_MAX
    assert sum(share.share for share in there.shares) == there.points
    assert sorted((s.ours, s.listed, s.share) for s in there.shares) == sorted(
        (s.listed, s.ours, s.share) for s in back.shares
    )


@given(NAMES, NAMES)
def test_any_text_at_all_is_scored_without_an_error(ours: str, listed: str) -> None:
    found = score_names(normal_name(ours), normal_name(listed))

    assert 0 <= found.points <= POINTS_MAX
    assert sum(share.share for share in found.shares) == found.points


@given(WORDS)
def test_a_name_matches_itself_in_any_order_of_words(text: str) -> None:
    turned = " ".join(reversed(text.split()))

    assert points(text, text) == POINTS_MAX
    assert points(text, turned) >= 7500  # legal phrases and gaps may fall otherwise


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("ru\u200bssia", "russia"),  # zero width space
        ("Jose\u0301", "jose"),  # combining accent
        ("\uff21\uff22\uff23 \uff11\uff12", "12 abc"),  # full width
        ("\u0420\u0430sha", "pasha"),  # Cyrillic look-alikes in a Latin word
        ("Osama b\u0131n", "bin osama"),  # dotless i
        ("0sama", "osama"),
        ("\u0412\u043b\u0430\u0434\u0438\u043c\u0438\u0440", "vladimir"),
        ("\u4e60\u8fd1\u5e73", "jin ping xi"),
        ("\u0645\u062d\u0645\u0651\u062f", "mhmd"),  # Arabic with a vowel sign
        ("Stra\u00dfe & S\u00f6hne", "and sohne strasse"),
        ("O'Brien", "obrien"),
        ("Siemens Aktiengesellschaft", "siemens"),
        ("A.B.C. Company", "abc"),
        ("Seventh Brigade 77", "7 77 brigade"),
        ("\u202eDr. \u3164Kim", "dr kim"),  # direction mark, Hangul filler
    ],
)
def test_what_a_reader_cannot_tell_apart_has_one_form(written: str, words: str) -> None:
    assert normal_name(written).sorted_words == words


@pytest.mark.parametrize("empty", ["", "   ", "---", "\u200b\u200d", "\U0001f600", "'", "\u3164"])
def test_a_text_without_words_has_nothing_to_compare(empty: str) -> None:
    name = normal_name(empty)

    assert not name.telling
    assert score_names(name, normal_name("Ana Lopez")).points == 0


@pytest.mark.parametrize("name", ["AG", "X Corp", "San", "U O", "The Lord"])
def test_words_of_little_weight_count_where_there_is_nothing_else(name: str) -> None:
    assert normal_name(name).telling


@pytest.mark.parametrize(
    ("ours", "listed"),
    [
        ("Djibo Ousmane Illiassou", "Ousmane Illiassou DJIBO"),  # order
        ("Muammar Gaddafi", "Moammar Qaddafi"),  # transliteration
        ("Volodymyr Selenskyj", "Volodymyr Zelenskyy"),
        ("\u0421\u0435\u0440\u0433\u0435\u0439 \u041b\u0430\u0432\u0440\u043e\u0432", "Sergey Lavrov"),
        ("Abdalrahman Hasan", "Abd al-Rahman Hassan"),  # joined
        ("van der Bilt", "Vanderbilt"),
        ("Dr. Gerhard Wisser", "Gerhard WISSER"),  # title
        ("Gerhard Wiser", "Gerhard WISSER"),  # typing error
        ("OOO Gazprom", "Gazprom Limited Liability Company"),  # legal form
        ("G. Wisser", "Gerhard WISSER"),  # initial
    ],
)
def test_the_same_name_written_otherwise_is_found(ours: str, listed: str) -> None:
    assert points(ours, listed) >= 8000


@pytest.mark.parametrize(
    ("ours", "listed"),
    [
        ("Olga Smirnova", "Gerhard WISSER"),
        ("Daniel Ortiz", "Daniel Ortega"),  # another family
        ("Ahmed Munandar", "Aris Munandar"),
        ("Zu Zag Bong 6", "Zu Zag Bong 5"),  # numbers match exactly or not at all
        ("Mohammed Trading Ltd", "Olympia Trading Ltd"),  # common words alone
        ("Al Bin", "Al Hassan"),
    ],
)
def test_another_name_is_not_found(ours: str, listed: str) -> None:
    assert points(ours, listed) < 8000


def test_a_missing_word_costs_less_than_a_contradicting_one() -> None:
    missing = points("Gerhard Wisser", "Gerhard Otto Wisser")
    contradicting = points("Gerhard Emil Wisser", "Gerhard Otto Wisser")

    assert contradicting < missing < POINTS_MAX


def test_a_rare_word_in_common_says_more_than_a_frequent_one() -> None:
    rare = points("Muhammad Illiassou", "Ali Illiassou")
    frequent = points("Muhammad Illiassou", "Muhammad Djibo")

    assert rare > frequent


def test_a_very_long_text_is_cut_and_not_refused() -> None:
    name = normal_name("Ana " * 1000)

    assert len(name.sorted_words) <= normal.NAME_LENGTH_MAX


def test_an_arabic_name_meets_its_transliteration_by_its_consonants() -> None:
    assert skeleton("mhmd") == skeleton("muhammad") == skeleton("mohamed")
