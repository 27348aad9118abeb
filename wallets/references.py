"""
The codes by which money that comes to our bank account finds its wallet. Pure: no tables, no clock.

Source: ISO 11649 (creditor reference: RF, two check digits, up to 21 characters), ISO 7064 (MOD 97-10), ISO 13616
(IBAN, the same digits). Ours are RF and twelve digits after the check digits, nothing else: among digits MOD 97-10
finds every wrong one and every two that changed places, which it does not where a letter may stand for a digit.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BASE_DIGITS = 12
BASES = 10**BASE_DIGITS
_GROUP = 4
_IBAN_SIGNS_MIN = 15
_MODULUS, _REST = 97, 98
# As banks and people write it: in groups, by blanks, points, hyphens or slashes, over the end of a line.
_SEPARATOR = r"[\s./-]*"
_OURS = re.compile(rf"(?<![A-Z0-9])RF(?:{_SEPARATOR}[0-9]){{14}}(?![A-Z0-9])")
# What somebody meant to be one: RF, and then what is mostly digits, too few, too many, or with letters like digits.
_ALIKE = re.compile(
    rf"(?<![A-Z0-9])RF{_SEPARATOR}[0-9OQDILZSB]{{2}}(?:{_SEPARATOR}[0-9OQDILZSB]){{8,21}}(?![A-Z0-9])"
)
_IBAN = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}(?:[ .-]?[A-Z0-9]{4}){2,7}(?:[ .-]?[A-Z0-9]{1,3})?(?![A-Z0-9])"
)
_NOT_PLAIN = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a bank's words name: `codes` whose check digits are right, `mistyped` ones that look like one and are none."""

    codes: frozenset[str]
    mistyped: frozenset[str]


def code_of(base: int) -> str:
    """Return the code for a number from 0 to `BASES - 1`: `RF`, two check digits, twelve digits."""
    digits = f"{base:0{BASE_DIGITS}}"
    return f"RF{_REST - _number(f'{digits}RF00') % _MODULUS:02}{digits}"


def is_code(text: str) -> bool:
    """Tell whether a text, without blanks and in capitals, is a code of ours with the right check digits."""
    ours = (
        len(text) == 4 + BASE_DIGITS and text.startswith("RF") and text[2:].isascii() and text[2:].isdigit()
    )
    return ours and code_of(int(text[4:])) == text


def is_iban(text: str) -> bool:
    """Tell whether the check digits of what looks like an IBAN are right."""
    return (
        text[2:4].isdigit()
        and text.isalnum()
        and text.isascii()
        and _number(text[4:] + text[:4]) % _MODULUS == 1
    )


def _number(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text))


def plain(text: str) -> str:
    """Return a code as it is compared: capitals and digits only."""
    return _NOT_PLAIN.sub("", text.upper())


def printed(code: str) -> str:
    """Return a code as people read it: in groups of four."""
    return " ".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def _ibans(text: str) -> Iterator[str]:
    """Yield the beginnings of a text that are IBANs: what follows one in groups looks like more of it."""
    ends = range(_IBAN_SIGNS_MIN, len(text) + 1)
    return (text[:end] for end in ends if is_iban(text[:end]) and not text.startswith("RF"))


def mentions(texts: Iterable[str]) -> Mentions:
    """Return the codes and IBANs that some fields of a bank's line name; nothing reaches over two fields."""
    codes: set[str] = set()
    mistyped: set[str] = set()
    for text in (text.upper() for text in texts if text):
        for found in (plain(one) for one in _OURS.findall(text)):
            (codes if is_code(found) else mistyped).add(found)
        mistyped |= {found for one in _ALIKE.findall(text) if not is_code(found := plain(one))}
        codes |= {iban for one in _IBAN.findall(text) for iban in _ibans(plain(one))}
    return Mentions(frozenset(codes), frozenset(mistyped))
