"""What an applicant says about himself, and how it is compared with the machine-readable zone of his document."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import pycountry
from anyascii import anyascii

from compliance.documents.mrz import Mrz

# How ICAO Doc 9303 part 3, section 6 writes letters that plain transliteration writes otherwise.
_ICAO = str.maketrans(
    {
        "Ä": "AE",
        "Å": "AA",
        "Æ": "AE",
        "Ö": "OE",
        "Ø": "OE",
        "Ü": "UE",
        "ß": "SS",
        "ẞ": "SS",
        "Ñ": "N",
        "Þ": "TH",
    }
)
_NOT_A_LETTER = re.compile(r"[^A-Z]+")
_NOT_IN_NUMBERS = re.compile(r"[^A-Z0-9]+")
# Codes of ICAO that are not ISO 3166: Germany's single letter, and Kosovo.
_OWN_CODES = {"D": "DE", "RKS": "XK", "GBD": "GB", "GBN": "GB", "GBO": "GB", "GBP": "GB", "GBS": "GB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An applicant's data; countries are ISO 3166 alpha-2, `document_expiry` the last day the document is valid."""

    given_name: str
    family_name: str
    birth_date: date
    nationality: str
    residence: str
    address: str
    city: str
    postal_code: str
    document_type: str
    document_country: str
    document_number: str
    document_expiry: date
    politically_exposed: bool = False

    def stored(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Rebuild it from what `stored` returned."""
        days = {name: date.fromisoformat(values[name]) for name in ("birth_date", "document_expiry")}
        return cls(**{**values, **days})


def normal_number(text: str) -> str:
    """Return a document number as it is compared: capitals and digits only."""
    return _NOT_IN_NUMBERS.sub("", anyascii(text).upper())


def country_of(code: str) -> str:
    """Return the ISO 3166 alpha-2 code of ICAO's three letters, '' if it names no country."""
    if code in _OWN_CODES:
        return _OWN_CODES[code]
    known = pycountry.countries.get(alpha_3=code)
    return known.alpha_2 if known is not None else ""


def letters_of(code: str) -> str:
    """Return ICAO's letters for an ISO 3166 alpha-2 code, for specimens."""
    own = {"DE": "D", "XK": "RKS"}
    if code in own:
        return own[code]
    known = pycountry.countries.get(alpha_2=code)
    return known.alpha_3 if known is not None else "XXX"


def spellings(text: str) -> Iterator[list[str]]:
    """Yield the ways in which a name may stand in a zone, each as words of A to Z."""
    for upper in dict.fromkeys((text.upper().translate(_ICAO), text.upper())):
        yield _NOT_A_LETTER.sub(" ", anyascii(upper).upper()).split()


def names_agree(name: str, printed: str, *, is_cut: bool, may_lack_words: bool) -> bool:
    """
    Tell whether a name of the form is the one printed.

    Words may be joined or divided otherwise; with `may_lack_words` one side may leave out later words (middle names);
    with `is_cut` the zone was too short for the end.
    """
    there = printed.split()
    for words in spellings(name):
        if not words or not there:
            continue
        ours, theirs = "".join(words), "".join(there)
        if ours == theirs or (is_cut and ours.startswith(theirs)):
            return True
        if may_lack_words and words[0] == there[0] and (set(words) <= set(there) or set(there) <= set(words)):
            return True
    return False


def surname_agrees(form: Form, zone: Mrz) -> bool:
    """Tell whether the family name is the surname of the zone; cut only where no given name had room after it."""
    cut = zone.name_is_cut and not zone.given_names
    return names_agree(form.family_name, zone.surname, is_cut=cut, may_lack_words=False)


def given_names_agree(form: Form, zone: Mrz) -> bool:
    """Tell whether the given names are those of the zone; where the line was full, what is missing there may be missing."""
    if not zone.given_names:
        return zone.name_is_cut or not form.given_name
    return names_agree(form.given_name, zone.given_names, is_cut=zone.name_is_cut, may_lack_words=True)
