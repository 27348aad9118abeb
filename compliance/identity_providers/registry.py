"""Who can check an identity, by name: the built-in provider works offline; others are one file each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from compliance.choices_kyc import CheckStatus
from compliance.documents.form import Form
from compliance.errors_kyc import CheckCannotRun
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """
    What a provider is handed, as plain values.

    `zone_lines` are the lines of the machine-readable zone as the partner's capture read them, '' if none came.
    `same_file`, `near_picture`, `same_number` count other customers with the same. `customer_name` and
    `customer_birth` stand in the partner's own data of the customer. `today` is the day of the check, UTC.
    """

    form: Form
    zone_lines: str
    customer_given_name: str
    customer_family_name: str
    customer_birth: date | None
    same_file: int
    near_picture: int
    same_number: int
    has_proof_of_address: bool
    today: date


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found; `detail` says in one plain sentence, without personal data, what is wrong."""

    code: str
    status: CheckStatus
    detail: str = ""


class IdentityProvider(Protocol):
    """Checks a case file. `codes` are all checks it owes: one it does not answer counts as an ERROR."""

    title: str
    codes: tuple[str, ...]

    def check(self, case: CaseFile) -> Iterable[Found]:
        """
        Return what was found, one for each code.

        :raises CheckCannotRun: if the provider does not answer
        """
        ...


PROVIDERS: Registry[type[IdentityProvider]] = Registry("compliance.identity_providers")

# What a check is called on pages; a code of another provider that is missing here is shown as words of itself.
CHECK_TITLES = {
    "ZONE_READ": "Machine-readable zone",
    "ZONE_DIGITS": "Check digits of the zone",
    "ZONE_NAME": "Name against the zone",
    "ZONE_BIRTH_DATE": "Birth date against the zone",
    "ZONE_NUMBER": "Document number against the zone",
    "ZONE_EXPIRY": "Expiry date against the zone",
    "ZONE_COUNTRY": "Countries against the zone",
    "DOCUMENT_VALID": "Document still valid",
    "AGE": "Of age",
    "PARTNER_DATA": "Form against the partner's data",
    "SAME_FILE": "File not used by others",
    "NEAR_PICTURE": "Picture not used by others",
    "SAME_NUMBER": "Document number not used by others",
    "ADDRESS_PROOF": "Proof of address",
    "SCREENING": "Watch lists",
}


def run(name: str, case: CaseFile) -> list[Found]:
    """Return what one provider found; what it could not check, or left out, is an ERROR."""
    provider = PROVIDERS.get(name)()
    try:
        found = {one.code: one for one in provider.check(case)}
        reason = "The provider did not answer this check."
    except CheckCannotRun as fault:
        found, reason = {}, str(fault)
    return [found.get(code, Found(code, CheckStatus.ERROR, reason[:300])) for code in provider.codes]
