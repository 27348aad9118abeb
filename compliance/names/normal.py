"""
The normal form of a name: what is compared, beside the raw name that is shown.

Pure: no database, no clock. The same text always gives the same form, and the form of a form is the form itself.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

from compliance.names import words

NAME_LENGTH_MAX = 1000  # characters; longer text is no name (a listed name has at most 400)

NAME, NUMBER, TITLE, PARTICLE, LEGAL, INITIAL = "NAME", "NUMBER", "TITLE", "PARTICLE", "LEGAL", "INITIAL"

_APOSTROPHES = dict.fromkeys(
    map(ord, "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u05f3\u2018\u2019\u2032\uff07"),
    "",
)
# Shown as nothing, though Unicode calls them letters, marks or symbols.
_BLANKS = dict.fromkeys(
    map(ord, "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0\u0640"), ""
)
_ARABIC_VOWELS = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}[^\W\d_]?\b\.?")
_INNER_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_DIGITS_APART = re.compile(r"(?<=\d)(?=[a-z]{3})|(?<=[a-z]{3})(?=\d)")
_LETTERS_LATIN = 3


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name; `kind` tells how much it says (see `names.rarity`)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class NormalName:
    """
    A name ready to be compared.

    `words` stand in the order written; `sorted_words`, `joined_words` and `key` are what the database searches:
    words in alphabetical order, all letters without gaps, and the sorted consonant skeletons.
    """

    words: tuple[Word, ...]
    sorted_words: str
    joined_words: str
    key: str

    @property
    def telling(self) -> bool:
        """Tell whether there is anything to compare: at least one word that is not a title, particle or legal form."""
        return any(word.kind in (NAME, NUMBER) for word in self.words)


@lru_cache(maxsize=50_000)
def normal_name(text: str) -> NormalName:
    """
    Return the normal form of a name in any script.

    An empty text, or one of signs only, gives a form without words, which is not `telling`.
    Text beyond NAME_LENGTH_MAX is cut.
    """
    spelled = _canonical_legal(_spelled(text[:NAME_LENGTH_MAX]))
    marked = _marked(spelled)
    core = [word.text for word in marked if word.kind != LEGAL] or [word.text for word in marked]
    skeletons = sorted({skeleton(word.text) or word.text for word in marked if word.kind in (NAME, NUMBER)})
    return NormalName(
        words=tuple(marked),
        sorted_words=" ".join(sorted(core)),
        joined_words="".join(core),
        key=" ".join(skeletons) or "".join(core),
    )


@lru_cache(maxsize=100_000)
def skeleton(word: str) -> str:
    """
    Return a word's consonants in a rough phonetic spelling, so that transliterations of one name meet.

    Scripts without vowels arrive like this: Arabic for Muhammad is written mhmd.
    """
    if word.isdigit():
        return word
    for spelling, sound in _SOUNDS:
        word = word.replace(spelling, sound)
    # An opening vowel is heard as one, whichever it is; an h is heard unless it ends the word.
    head = {"w": "f", "y": "y"}.get(word[0], "a" if word[0] in _VOWELS else word[0])
    sounds = head + "".join(letter for letter in word[1:].rstrip("h") if letter not in _VOWELS)
    return "".join(letter for index, letter in enumerate(sounds) if index == 0 or letter != sounds[index - 1])


_VOWELS = "aeiouyw"
_SOUNDS = (
    ("sch", "s"), ("tch", "c"), ("tsch", "c"), ("ch", "c"), ("sh", "s"), ("kh", "k"), ("gh", "k"), ("dh", "d"),
    ("th", "t"), ("ph", "f"), ("zh", "j"), ("dj", "j"), ("ck", "k"), ("cq", "k"), ("qu", "k"), ("q", "k"), ("g", "k"),
    ("x", "ks"), ("ce", "se"), ("ci", "si"), ("c", "k"), ("z", "s"), ("v", "f"), ("ou", "u"),
)  # fmt: skip


def _spelled(text: str) -> list[str]:
    """Return the words in Latin lower-case letters and digits, in the order written."""
    text = unicodedata.normalize("NFKC", text).translate(_BLANKS)
    text = _ARABIC_VOWELS.sub("", text)
    text = "".join(_visible(letter) for letter in text).translate(_APOSTROPHES)
    text = _DOTTED.sub(lambda match: f" {match[0].replace('.', '')} ", text)
    raw = text.replace("&", " and ").split()
    latin = sum(letter.isascii() and letter.isalpha() for letter in text) >= _LETTERS_LATIN
    spelled = " ".join(_latin(word, among_latin=latin) for word in raw)
    parts = _NO_WORD.sub(" ", spelled.casefold()).split()
    return [
        words.NUMBER_WORDS.get(part, part)
        for whole in parts
        for part in _DIGITS_APART.sub(" ", whole).split()
    ]


def _visible(letter: str) -> str:
    """Return the letter, a blank for separators and control characters, nothing for what a reader cannot see."""
    category = unicodedata.category(letter)
    if category in ("Cf", "Cs", "Co", "Cn"):
        return ""
    # Pictures have names in the transliteration table, and nobody is called "grinning".
    return " " if category in ("Cc", "Zs", "Zl", "Zp", "So", "Sk", "Sm") else letter


def _latin(word: str, *, among_latin: bool) -> str:
    """Return one word in ASCII: look-alikes folded where Latin is meant, else transliterated."""
    foreign = [letter for letter in word if letter.isalpha() and ord(letter) > 0x24F]  # noqa: PLR2004 - end of Latin Extended-B
    own_latin = any(letter.isalpha() and ord(letter) <= 0x24F for letter in word)  # noqa: PLR2004
    disguised = bool(foreign) and all(ord(letter) in words.LOOKALIKES for letter in foreign)
    if disguised and (own_latin or among_latin):
        word = word.translate(words.LOOKALIKES)
    cjk = any("\u2e80" <= letter <= "\u9fff" for letter in foreign)
    # The table writes soft signs as apostrophes, which would cut the word in two.
    word = anyascii(word).translate(_APOSTROPHES)
    if cjk:
        # The table writes a capital for each character and no gap: XiJinPing.
        word = _INNER_CAPITALS.sub(" ", word)
    return _letters_for_digits(word)


def _letters_for_digits(word: str) -> str:
    letters = sum(letter.isalpha() for letter in word)
    if letters < 3 or letters < 2 * sum(letter.isdigit() for letter in word):  # noqa: PLR2004 - "A320" is a number
        return word
    word = word.translate(words.SIGNS_AS_LETTERS)
    return re.sub(
        r"(?<=[A-Za-z])[01345](?=[A-Za-z])|^[01345](?=[A-Za-z]{3})",
        lambda m: words.DIGITS_AS_LETTERS[ord(m[0])],
        word,
    )


def _canonical_legal(spelled: list[str]) -> list[str]:
    """Replace spellings of legal forms by their short form; a name of nothing else stays as it is."""
    out: list[str] = []
    index = 0
    while index < len(spelled):
        for length in range(min(words.LEGAL_PHRASE_LONGEST, len(spelled) - index), 0, -1):
            form = words.LEGAL_PHRASES.get(tuple(spelled[index : index + length]))
            if form:
                out.append(form)
                index += length
                break
        else:
            out.append(spelled[index])
            index += 1
    return out


def _marked(spelled: list[str]) -> list[Word]:
    marked = [Word(text, _kind(text)) for text in spelled]
    if not any(word.kind in (NAME, NUMBER) for word in marked):
        # "The Lord", "AG", "X Corp": what is all there is must count as a name.
        spare = INITIAL if any(word.kind == INITIAL for word in marked) else None
        return [Word(word.text, NAME if spare in (None, word.kind) else word.kind) for word in marked]
    return marked


def _kind(text: str) -> str:
    if text.isdigit():
        return NUMBER
    if text in words.LEGAL_FORMS:
        return LEGAL
    if text in words.TITLES:
        return TITLE
    if text in words.PARTICLES:
        return PARTICLE
    return INITIAL if len(text) == 1 else NAME
