"""
The machine-readable zone of passports and cards: fields and check digits.

Source: ICAO Doc 9303 parts 3, 4, 5 and 6 (eighth edition): TD3 (two lines of 44), TD2 (two of 36), TD1 (three of 30).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Format = Literal["TD1", "TD2", "TD3"]
_SHAPES: dict[tuple[int, int], Format] = {(3, 30): "TD1", (2, 36): "TD2", (2, 44): "TD3"}
_ALLOWED = re.compile(r"[A-Z0-9<]+")
_WEIGHTS = (7, 3, 1)
_SHORT_NUMBER = 9


class UnreadableMrz(ValueError):
    """The text has not the shape of a machine-readable zone."""


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """One check digit: over what, what stands there, what should."""

    field: str
    stands: str
    should: str

    @property
    def right(self) -> bool:
        """Whether the digit is the one that belongs there."""
        return self.stands == self.should


@dataclass(frozen=True, slots=True)
class Mrz:
    """
    What a zone says. Dates are as printed (YYMMDD, `<` where unknown); `name_is_cut` tells that the line was full.

    `issuer` and `nationality` are ICAO's three letters (`D` for Germany), without fillers.
    """

    format: Format
    kind: str
    issuer: str
    number: str
    nationality: str
    birth: str
    sex: str
    expiry: str
    surname: str
    given_names: str
    name_is_cut: bool
    digits: tuple[CheckDigit, ...]


def check_digit(text: str) -> str:
    """
    Return the check digit over a text of A to Z, 0 to 9 and `<`: weights 7, 3, 1; A is 10, `<` is 0; modulo 10.

    :raises UnreadableMrz: for any other character
    """
    total = 0
    for place, char in enumerate(text):
        if char == "<":
            value = 0
        elif char.isascii() and char.isdigit():
            value = int(char)
        elif "A" <= char <= "Z":
            value = ord(char) - ord("A") + 10
        else:
            raise UnreadableMrz(f"{char!r} cannot stand in a machine-readable zone")
        total += value * _WEIGHTS[place % 3]
    return str(total % 10)


def parse(lines: Sequence[str]) -> Mrz:
    """
    Read the lines of a zone; blanks around them are ignored, all else must be as printed.

    :raises UnreadableMrz: if number or length of the lines fit no format, or a character does not belong there
    """
    cleaned = [line.strip() for line in lines if line.strip()]
    lengths = {len(line) for line in cleaned}
    shape = _SHAPES.get((len(cleaned), lengths.pop())) if len(lengths) == 1 else None
    if shape is None:
        raise UnreadableMrz("two lines of 44 or 36 characters, or three of 30, were expected")
    if not all(_ALLOWED.fullmatch(line) for line in cleaned):
        raise UnreadableMrz("only A to Z, 0 to 9 and < can stand there")
    return _read_td1(cleaned) if shape == "TD1" else _read_two_lines(cleaned, shape)


def _read_two_lines(lines: Sequence[str], shape: Format) -> Mrz:
    upper, lower = lines
    optional = lower[28:42] if shape == "TD3" else lower[28:35]
    digits = [
        _digit("document number", lower[0:9], lower[9]),
        _digit("birth date", lower[13:19], lower[19]),
        _digit("expiry date", lower[21:27], lower[27]),
    ]
    if shape == "TD3":
        digits.append(_optional_digit(optional, lower[42]))
        digits.append(_digit("whole", lower[0:10] + lower[13:20] + lower[21:43], lower[43]))
    else:
        digits.append(_digit("whole", lower[0:10] + lower[13:20] + lower[21:35], lower[35]))
    surname, given = _names(upper[5:])
    return Mrz(
        format=shape,
        kind=upper[0:2].rstrip("<"),
        issuer=upper[2:5].rstrip("<"),
        number=lower[0:9].rstrip("<"),
        nationality=lower[10:13].rstrip("<"),
        birth=lower[13:19],
        sex=lower[20].replace("<", ""),
        expiry=lower[21:27],
        surname=surname,
        given_names=given,
        name_is_cut=not upper.endswith("<"),
        digits=tuple(digits),
    )


def _read_td1(lines: Sequence[str]) -> Mrz:
    first, second, third = lines
    number, checked, stands = first[5:14], first[5:14], first[14]
    if stands == "<":
        # A number longer than nine goes on in the optional field: its rest, its check digit, then a filler.
        rest = first[15:30].partition("<")[0]
        if rest:
            number, checked, stands = number + rest[:-1], number + "<" + rest[:-1], rest[-1]
    surname, given = _names(third)
    return Mrz(
        format="TD1",
        kind=first[0:2].rstrip("<"),
        issuer=first[2:5].rstrip("<"),
        number=number.rstrip("<"),
        nationality=second[15:18].rstrip("<"),
        birth=second[0:6],
        sex=second[7].replace("<", ""),
        expiry=second[8:14],
        surname=surname,
        given_names=given,
        name_is_cut=not third.endswith("<"),
        digits=(
            _digit("document number", checked, stands),
            _digit("birth date", second[0:6], second[6]),
            _digit("expiry date", second[8:14], second[14]),
            _digit("whole", first[5:30] + second[0:7] + second[8:15] + second[18:29], second[29]),
        ),
    )


def _digit(field: str, text: str, stands: str) -> CheckDigit:
    return CheckDigit(field, stands, check_digit(text))


def _optional_digit(text: str, stands: str) -> CheckDigit:
    """An empty optional field may carry a filler instead of its 0."""
    should = check_digit(text)
    if stands == "<" and not text.strip("<"):
        should = "<"
    return CheckDigit("optional field", stands, should)


def _names(text: str) -> tuple[str, str]:
    surname, _, given = text.partition("<<")
    return surname.replace("<", " ").strip(), given.replace("<", " ").strip()


def birth_date(text: str, *, today: date) -> date | None:
    """Return the birth date of YYMMDD: the latest century that is not in the future; None if part of it is unknown."""
    for century in (2000, 1900):
        day = _date(text, century)
        if day is not None and day <= today:
            return day
    return None


def expiry_date(text: str) -> date | None:
    """Return the expiry date of YYMMDD in this century; documents live ten years. None if there is no such day."""
    return _date(text, 2000)


def _date(text: str, century: int) -> date | None:
    if not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(century + int(text[0:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def make_td3(
    *, issuer: str, surname: str, given_names: str, number: str, birth: date, sex: str, expiry: date
) -> tuple[str, str]:
    """
    Return the two lines of a passport, for specimens. Names and codes are in A to Z already; the number has ≤ 9 characters.

    :raises UnreadableMrz: if a part has characters that cannot stand there, or the number is too long
    """
    if len(number) > _SHORT_NUMBER:
        raise UnreadableMrz("a passport number has at most nine characters")
    country, names = issuer.ljust(3, "<"), f"{surname}<<{given_names}".replace(" ", "<")
    upper = f"P<{country}{names}"[:44].ljust(44, "<")
    number = number.ljust(9, "<")
    born, ends, optional = f"{birth:%y%m%d}", f"{expiry:%y%m%d}", "<" * 14
    head = number + check_digit(number)
    middle = born + check_digit(born)
    tail = ends + check_digit(ends) + optional + "0"
    lower = head + country + middle + sex + tail + check_digit(head + middle + tail)
    return upper, lower


def make_td1(
    *, issuer: str, surname: str, given_names: str, number: str, birth: date, sex: str, expiry: date
) -> tuple[str, str, str]:
    """Return the three lines of an identity card, for specimens; as `make_td3`."""
    if len(number) > _SHORT_NUMBER:
        raise UnreadableMrz("this specimen takes a number of at most nine characters")
    country, number = issuer.ljust(3, "<"), number.ljust(9, "<")
    first = f"I<{country}{number}{check_digit(number)}".ljust(30, "<")
    born, ends = f"{birth:%y%m%d}", f"{expiry:%y%m%d}"
    second = f"{born}{check_digit(born)}{sex}{ends}{check_digit(ends)}{country}".ljust(29, "<")
    whole = check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    third = f"{surname}<<{given_names}".replace(" ", "<")[:30].ljust(30, "<")
    return first, second + whole, third
