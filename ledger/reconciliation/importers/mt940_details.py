"""Field 86 of MT940: numbered subfields (`?20`), words between slashes (`/EREF/`), or just text."""

import re
from dataclasses import dataclass

from ledger.reconciliation.parsed import squeezed

_NUMBERED = re.compile(r"\d{3}\?\d\d")
_SUBFIELD = re.compile(r"\?(\d\d)([^?]*)")
_SLASHED = re.compile(r"/(EREF|PREF|KREF|BENM|ORDP|NAME|IBAN|REMI|RTRN|ISDT|ADDR|ID|BIC|CSID|MARF|TRCD)/")
_PLUS_WORDS = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|BTCH)\+")


@dataclass(slots=True)
class Details:
    """What field 86 says; '' where it says nothing."""

    end_to_end_id: str = ""
    batch_id: str = ""
    name: str = ""
    iban: str = ""
    text: str = ""


def details_of(field: str) -> Details:
    """Return what a field 86 says, however the bank words it."""
    if _NUMBERED.match(field):
        return _numbered(field.replace("\n", ""))
    whole = field.replace("\n", "")
    if _SLASHED.match(whole):
        return _slashed(whole)
    return Details(text=squeezed(field))


def _numbered(field: str) -> Details:
    parts: dict[str, str] = {}
    for number, text in _SUBFIELD.findall(field):
        parts[number] = parts.get(number, "") + text
    purpose = "".join(parts.get(f"{n:02}", "") for n in (*range(20, 30), *range(60, 64)))
    words = _words(_PLUS_WORDS, purpose)
    return Details(
        end_to_end_id=words.get("EREF", ""),
        batch_id=words.get("BTCH", "") or words.get("KREF", ""),
        name=squeezed(parts.get("32", "") + parts.get("33", "")),
        iban=parts.get("31", ""),
        text=words.get("SVWZ", "") or ("" if words else squeezed(purpose)),
    )


def _slashed(field: str) -> Details:
    words = _words(_SLASHED, field)
    return Details(
        end_to_end_id=words.get("EREF", ""),
        batch_id=words.get("PREF", ""),
        name=words.get("NAME", ""),
        iban=words.get("IBAN", ""),
        text=words.get("REMI", ""),
    )


def _words(pattern: "re.Pattern[str]", text: str) -> dict[str, str]:
    """Return what follows each word, up to the next one."""
    found = list(pattern.finditer(text))
    ends = [item.start() for item in found[1:]] + [len(text)]
    return {
        item[1]: squeezed(text[item.end() : end].strip("/")) for item, end in zip(found, ends, strict=True)
    }
