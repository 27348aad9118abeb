"""Pure decisions and normal forms of identity."""

import re
import unicodedata


def normal_login(text: str) -> str:
    """Return an e-mail address as it is stored and compared: NFKC, case-folded, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def normal_phone(text: str) -> str:
    """Return a phone number as digits behind a plus, or '' if it is not in international form (E.164)."""
    digits = re.sub(r"[\s().\-/]", "", text)
    return digits if re.fullmatch(r"\+[1-9]\d{6,14}", digits) else ""


def display_name(*, given_name: str, family_name: str, legal_name: str) -> str:
    """Return the one name that lists and the screening use."""
    return legal_name.strip() or f"{given_name.strip()} {family_name.strip()}".strip()
