"""
Taking people's data out of a text before it leaves the house, and putting it back into what comes in.

Only words that everybody uses leave (`words.txt`): a name, a street, a company that nobody told us of is hidden because
it is not among them. What we know of a person is hidden first, whatever words it is made of. Pure: no database, no
network.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

_TOKEN = re.compile(r"\[[A-Z]+_\d+\]")
_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:]+@[^\s@<>()\[\]\"',;:]+")
_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_ID = re.compile(r"\b[a-z]{2,5}_[0-9A-Za-z]{6,}\b")
# The bank's code may be letters alone, the groups after it hold digits: what follows the number is not swallowed.
_IBAN = re.compile(
    r"\b[A-Z]{2}\d{2}[ \-]?[A-Z0-9]{4}(?:[ \-]?(?=[A-Z]{0,3}\d)[A-Z0-9]{1,4}){2,7}\b", re.IGNORECASE
)
# Digits with whatever people put between them; `_DIGITS_MIN` of them together could name somebody.
_NUMBER = re.compile(r"\+?\(?\d(?:[ \t\-./,()]{0,2}\d)*")
# For people of the house amounts and dates may stand: only what is long enough for a phone or an account is masked.
_LONG_NUMBER = re.compile(r"\+?\(?\d(?:[ \-/()]{0,2}\d){8,}")
_CAPITALS = re.compile(r"(?<=[^\s.!?:\n] )[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)+")
_WORD = re.compile(r"[^\W_](?:[\w'\u2019]*[^\W_])?")
_PLAIN_NUMBER = re.compile(r"\d{1,4}")
_DIGITS_MIN = 5
_CARD_DIGITS = range(13, 20)
_ENDINGS = ("'s", "\u2019s", "s", "es", "d", "ed", "ing", "ly", "er", "n't", "'m", "'re", "'ve", "'ll", "'d")
_KNOWN_MIN = 2
_GONE = "\N{HORIZONTAL ELLIPSIS}"


@cache
def vocabulary() -> frozenset[str]:
    """Return the words that may leave, in lower case."""
    return frozenset(Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split())


def is_common(word: str) -> bool:
    """Tell whether a word is one that everybody uses, in one of its usual forms."""
    plain, known = word.casefold().replace("\u2019", "'"), vocabulary()
    if plain in known or len(plain) == 1 or _PLAIN_NUMBER.fullmatch(plain):
        return True
    return any(plain.endswith(ending) and plain[: -len(ending)] in known for ending in _ENDINGS)


class Veil:
    """
    The tokens of one exchange: the same value gets the same token, and a token gives its value back.

    `known` holds what we know of people by kind (NAME, EMAIL, PHONE, IBAN, CARD …): it is hidden wherever it stands,
    in whatever case.
    """

    def __init__(self, known: Mapping[str, Iterable[str]] | None = None) -> None:
        self._values: dict[str, str] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {}
        for kind, values in (known or {}).items():
            for value in values:
                self.learn(kind, value)

    def learn(self, kind: str, value: str) -> None:
        """Take in something that must never leave; each part of a name is hidden alone, too."""
        value = _normal(value).strip()
        parts = [value, *value.split()] if kind == "NAME" else [value]
        for part in parts:
            if len(part) >= _KNOWN_MIN:
                self._known.setdefault(part.casefold(), kind)

    def token(self, kind: str, value: str) -> str:
        """Return the token that stands for a value, and hide the value wherever else it stands."""
        self.learn(kind, value)
        return self._token(kind, value)

    def hide(self, text: str) -> str:
        """Return the text with tokens in place of all that could name somebody."""
        # A token that somebody typed is no token of ours.
        text = _normal(text).replace("[", "(").replace("]", ")")
        text = self._hide_known(text)
        for kind, pattern in (("EMAIL", _EMAIL), ("LINK", _LINK), ("ID", _ID), ("IBAN", _IBAN)):
            text = self._outside(text, pattern, self._putter(kind))
        text = self._outside(text, _NUMBER, self._number)
        text = self._outside(text, _CAPITALS, self._putter("NAME"))
        return self._outside(text, _WORD, self._word)

    def mask(self, text: str) -> str:
        """Return the text for people of the house: what names somebody is masked, all other words stay as they are."""
        veil = Veil()
        veil._known = self._known
        masked = veil._hide_known(_normal(text).replace("[", "(").replace("]", ")"))
        for kind, pattern in (("EMAIL", _EMAIL), ("IBAN", _IBAN)):
            masked = self._outside(masked, pattern, veil._putter(kind))
        masked = self._outside(masked, _LONG_NUMBER, veil._putter("NUMBER"))
        return _TOKEN.sub(lambda match: f"({match[0][1:].partition('_')[0].lower()})", masked)

    def show(self, text: str) -> str:
        """Return the text with the values back in place of our tokens; tokens that are none of ours vanish."""
        return _TOKEN.sub(lambda match: self._values.get(match[0], _GONE), text)

    def leaks(self, text: str) -> bool:
        """Tell whether something that must not leave stands in a text that is about to."""
        plain = _normal(text).casefold()
        return any(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", plain) for value in self._known)

    def _hide_known(self, text: str) -> str:
        for value, kind in sorted(self._known.items(), key=lambda item: -len(item[0])):
            pattern = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
            text = self._outside(text, pattern, self._putter(kind))
        return text

    def _outside(self, text: str, pattern: re.Pattern[str], put: Callable[[re.Match[str]], str]) -> str:
        """Replace matches that lie outside the tokens which are there already."""
        parts, place = [], 0
        for token in _TOKEN.finditer(text):
            parts += [pattern.sub(put, text[place : token.start()]), token[0]]
            place = token.end()
        return "".join([*parts, pattern.sub(put, text[place:])])

    def _putter(self, kind: str) -> Callable[[re.Match[str]], str]:
        return lambda match: self._token(kind, match[0])

    def _number(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        if len(digits) < _DIGITS_MIN:
            return match[0]
        if match[0].startswith(("+", "00")):
            return self._token("PHONE", match[0])
        card = len(digits) in _CARD_DIGITS and _luhn(digits)
        return self._token("CARD" if card else "NUMBER", match[0])

    def _word(self, match: re.Match[str]) -> str:
        return match[0] if is_common(match[0]) else self._token("WORD", match[0])

    def _token(self, kind: str, value: str) -> str:
        known = self._tokens.get((kind, value.casefold()))
        if known is not None:
            return known
        self._counts[kind] = self._counts.get(kind, 0) + 1
        token = f"[{kind}_{self._counts[kind]}]"
        self._tokens[kind, value.casefold()], self._values[token] = token, value
        return token


def _normal(text: str) -> str:
    """Return text without invisible characters, full-width digits and the like, which would pass by the patterns."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(
        char for char in composed if unicodedata.category(char) not in {"Cf", "Cc"} or char in "\n\t"
    )


def _luhn(digits: str) -> bool:
    # Source: ISO/IEC 7812-1: every second digit from the right is doubled, the digits of all are summed.
    doubled = [int(char) * (2 if place % 2 else 1) for place, char in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
