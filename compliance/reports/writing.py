"""Building batch files: elements in the schema's order, sequence numbers where the schema wants them."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from compliance.reports.facts import Address, Filer, Identification

NAMESPACE = "www.fincen.gov/base"
_FC = f"{{{NAMESPACE}}}"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMAS = Path(__file__).parent / "schemas"
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
Element = Any  # an lxml element; lxml ships no types


def clean(words: str) -> str:
    """
    Return words as the form takes them: single blanks, no outer ones, nothing invisible.

    Control characters, zero-width marks and what Unicode has not assigned are left out; XML could not carry some.
    """
    kept = (mark for mark in words if mark.isspace() or unicodedata.category(mark) not in _UNSEEN)
    return " ".join("".join(kept).split())


def cut(words: str, size: int) -> str:
    """Return clean words of at most `size` characters, without the blank that the cut may leave."""
    return clean(words)[:size].strip()


def batch(form: str, location: str) -> Element:
    """Return the root of a batch file of that form."""
    root = etree.Element(f"{_FC}EFilingBatchXML", nsmap={"fc2": NAMESPACE, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", f"{NAMESPACE} {location}")
    text(root, "FormTypeCode", form)
    return root


def node(parent: Element, name: str) -> Element:
    """Add an element that has children of its own."""
    return etree.SubElement(parent, f"{_FC}{name}")


def text(parent: Element, name: str, value: str | None) -> None:
    """Add an element with text; None adds nothing, an empty text adds an empty element."""
    if value is not None:
        etree.SubElement(parent, f"{_FC}{name}").text = value


def flags(parent: Element, names: Iterable[str], on: Iterable[str] = ()) -> None:
    """Add indicators in this order: `Y` for those that are on, empty for the rest."""
    chosen = set(on)
    for name in names:
        text(parent, name, "Y" if name in chosen else "")


def numbered(root: Element) -> bytes:
    """Give each element with children its sequence number and return the file, UTF-8."""
    number = 0
    for element in root.iter():
        if element is not root and len(element):
            number += 1
            element.set("SeqNum", str(number))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def dollars(cents: int) -> str:
    """Return whole dollars, rounded up: the authority takes no cents."""
    return str(-(-cents // 100))


def name_of(parent: Element, *, last: str, first: str = "", business: bool = False) -> None:
    """Add a legal name; what is unknown is marked as such."""
    name = node(parent, "PartyName")
    text(name, "EntityLastNameUnknownIndicator", None if clean(last) else "Y")
    text(name, "FirstNameUnknownIndicator", None if clean(first) or business else "Y")
    text(name, "PartyNameTypeCode", "L")
    text(name, "RawEntityIndividualLastName", cut(last, 150) or None)
    text(name, "RawIndividualFirstName", cut(first, 35) or None)


def full_name(parent: Element, name: str) -> None:
    """Add the legal name of an institution or office as one text."""
    added = node(parent, "PartyName")
    text(added, "PartyNameTypeCode", "L")
    text(added, "RawPartyFullName", cut(name, 150))


def address_of(parent: Element, address: Address, *, unknown: bool) -> None:
    """Add an address; with `unknown` each missing part is marked as unknown, as a subject's must be."""
    added = node(parent, "Address")
    in_states = address.country in ("US", "CA", "MX")
    marks = {
        "CityUnknownIndicator": not address.city,
        "CountryCodeUnknownIndicator": not address.country,
    }
    for name, missing in marks.items():
        text(added, name, "Y" if unknown and missing else None)
    text(added, "RawCityText", cut(address.city, 50) or None)
    text(added, "RawCountryCodeText", address.country or None)
    text(added, "RawStateCodeText", cut(address.state, 3) if in_states and address.state else None)
    text(added, "RawStreetAddress1Text", cut(address.street, 100) or None)
    text(added, "RawZIPCode", _postcode(address.postcode) or None)
    text(added, "StateCodeUnknownIndicator", "Y" if unknown and in_states and not address.state else None)
    text(added, "StreetAddressUnknownIndicator", "Y" if unknown and not address.street else None)
    text(added, "ZIPCodeUnknownIndicator", "Y" if unknown and not address.postcode else None)


def phone_of(parent: Element, phone: str) -> None:
    """Add a telephone number: digits only."""
    digits = "".join(digit for digit in phone if digit.isascii() and digit.isdigit())[:16]
    if digits:
        added = node(parent, "PhoneNumber")
        text(added, "PhoneNumberText", digits)


def identification_of(parent: Element, found: Identification) -> None:
    """Add a number that names the party."""
    added = node(parent, "PartyIdentification")
    text(added, "OtherIssuerCountryText", found.country or None)
    text(added, "OtherPartyIdentificationTypeText", cut(found.text, 50) or None)
    text(added, "PartyIdentificationNumberText", cut(found.number, 25))
    text(added, "PartyIdentificationTypeCode", found.code)


def filer_identifications(parent: Element, filer: Filer) -> None:
    """Add the institution's employer number."""
    identification_of(parent, Identification(code="2", number=filer.tin))


def _postcode(text_: str) -> str:
    return "".join(mark for mark in text_ if mark.isascii() and mark.isalnum())[:9]
