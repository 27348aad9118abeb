"""The built-in provider: what can be checked offline, from the zone, the form and our own files."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from compliance.choices_kyc import CheckStatus
from compliance.documents import mrz
from compliance.documents.form import (
    country_of,
    given_names_agree,
    names_agree,
    normal_number,
    spellings,
    surname_agrees,
)
from compliance.errors_kyc import CheckCannotRun
from compliance.identity_providers.registry import PROVIDERS, CaseFile, Found

AGE_MIN, _AGE_MAX = 18, 120
_ENDS_SOON = timedelta(days=30)
_PASSED, _LOOK, _FAILED = CheckStatus.PASSED, CheckStatus.WARNING, CheckStatus.FAILED
Answer = tuple[CheckStatus, str]
_GOOD: Answer = (_PASSED, "")


def _zone(case: CaseFile) -> mrz.Mrz:
    """
    Return the zone.

    :raises CheckCannotRun: if there is none that can be read; `ZONE_READ` says so
    """
    try:
        return mrz.parse(case.zone_lines.splitlines())
    except mrz.UnreadableMrz as fault:
        raise CheckCannotRun(str(fault)) from fault


def _zone_read(case: CaseFile) -> Answer:
    if not case.zone_lines:
        return _LOOK, "No zone was sent with the document; compare the picture by eye."
    try:
        mrz.parse(case.zone_lines.splitlines())
    except mrz.UnreadableMrz as fault:
        return _FAILED, f"The zone cannot be read: {fault}."
    return _GOOD


def _digits(case: CaseFile) -> Answer:
    wrong = [digit.field for digit in _zone(case).digits if not digit.right]
    return (_FAILED, f"Wrong check digit: {', '.join(wrong)}.") if wrong else _GOOD


def _name(case: CaseFile) -> Answer:
    zone = _zone(case)
    if not surname_agrees(case.form, zone):
        return _FAILED, "The family name differs from the zone."
    if not given_names_agree(case.form, zone):
        return _FAILED, "The given names differ from the zone."
    return _GOOD


def _birth_date(case: CaseFile) -> Answer:
    born = mrz.birth_date(_zone(case).birth, today=case.today)
    if born is None:
        return _LOOK, "The zone holds no whole birth date."
    return _GOOD if born == case.form.birth_date else (_FAILED, "The birth date differs from the zone.")


def _number(case: CaseFile) -> Answer:
    same = normal_number(_zone(case).number) == normal_number(case.form.document_number)
    return _GOOD if same else (_FAILED, "The document number differs from the zone.")


def _expiry(case: CaseFile) -> Answer:
    ends = mrz.expiry_date(_zone(case).expiry)
    if ends is None:
        return _LOOK, "The zone holds no whole expiry date."
    return _GOOD if ends == case.form.document_expiry else (_FAILED, "The expiry date differs from the zone.")


def _countries(case: CaseFile) -> Answer:
    zone = _zone(case)
    if country_of(zone.issuer) != case.form.document_country:
        return _FAILED, "The issuing country differs from the zone."
    if country_of(zone.nationality) != case.form.nationality:
        return _FAILED, "The nationality differs from the zone."
    return _GOOD


def _valid(case: CaseFile) -> Answer:
    ends = case.form.document_expiry
    if ends < case.today:
        return _FAILED, "The document has expired."
    if ends - case.today < _ENDS_SOON:
        return _LOOK, "The document expires within 30 days."
    return _GOOD


def _age(case: CaseFile) -> Answer:
    born, today = case.form.birth_date, case.today
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not 0 <= years <= _AGE_MAX:
        return _FAILED, "Nobody has this birth date."
    return _GOOD if years >= AGE_MIN else (_FAILED, f"The applicant is younger than {AGE_MIN}.")


def _partner_data(case: CaseFile) -> Answer:
    if case.customer_birth is not None and case.customer_birth != case.form.birth_date:
        return _FAILED, "The birth date differs from the customer's."
    for ours, theirs in (
        (case.form.family_name, case.customer_family_name),
        (case.form.given_name, case.customer_given_name),
    ):
        if not any(
            names_agree(ours, " ".join(words), is_cut=False, may_lack_words=True)
            for words in spellings(theirs)
        ):
            return _LOOK, "The name differs from the customer's."
    return _GOOD


def _same_file(case: CaseFile) -> Answer:
    return (_FAILED, "Another customer sent the very same file.") if case.same_file else _GOOD


def _near_picture(case: CaseFile) -> Answer:
    return (_LOOK, "Another customer sent a picture that looks the same.") if case.near_picture else _GOOD


def _same_number(case: CaseFile) -> Answer:
    return (_FAILED, "Another customer uses this document number.") if case.same_number else _GOOD


def _address(case: CaseFile) -> Answer:
    # Nothing here can read a bill: a person does.
    return (_LOOK, "Compare the address by eye.") if case.has_proof_of_address else _GOOD


_CHECKS: dict[str, Callable[[CaseFile], Answer]] = {
    "ZONE_READ": _zone_read,
    "ZONE_DIGITS": _digits,
    "ZONE_NAME": _name,
    "ZONE_BIRTH_DATE": _birth_date,
    "ZONE_NUMBER": _number,
    "ZONE_EXPIRY": _expiry,
    "ZONE_COUNTRY": _countries,
    "DOCUMENT_VALID": _valid,
    "AGE": _age,
    "PARTNER_DATA": _partner_data,
    "SAME_FILE": _same_file,
    "NEAR_PICTURE": _near_picture,
    "SAME_NUMBER": _same_number,
    "ADDRESS_PROOF": _address,
}
_NEED_ZONE = frozenset(code for code in _CHECKS if code.startswith("ZONE_") and code != "ZONE_READ")


@PROVIDERS.register("builtin")
class Builtin:
    """Zone, form, expiry, duplicates. No network, no opinion about faces or holograms: those are for people."""

    title = "Built-in checks"
    codes = tuple(_CHECKS)

    def check(self, case: CaseFile) -> Iterable[Found]:
        """Yield one answer for each check; without a zone the checks that need one say to look."""
        for code, function in _CHECKS.items():
            try:
                status, detail = function(case)
            except CheckCannotRun:
                if code not in _NEED_ZONE:
                    raise
                # That no zone can be read is a finding, not a fault of ours: it never passes, and a person decides.
                status, detail = _LOOK, "Nothing to compare with: the zone is missing or cannot be read."
            yield Found(code, status, detail)
