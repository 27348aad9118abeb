"""The cards of an identity file's page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse

from compliance.choices_kyc import (
    DECISION_REASONS,
    CheckStatus,
    DocumentState,
    KycState,
    Outcome,
)
from compliance.documents import mrz
from compliance.documents.form import (
    Form,
    country_of,
    given_names_agree,
    normal_number,
    surname_agrees,
)
from compliance.identity_providers.registry import CHECK_TITLES, PROVIDERS
from compliance.models.kyc import IdentityCheck, KycApplication, KycDecision, KycDocument, RiskAssessment
from flowlet.backoffice.actions import ACTIONS
from flowlet.backoffice.cells import Badge, Tone, words
from flowlet.backoffice.frame import Button
from flowlet.backoffice.panels import Panel
from flowlet.backoffice.people import Person
from flowlet.core import clock
from flowlet.core.countries import country_name
from flowlet.identity.choices import RiskLevel

STATE_TONES: dict[str, Tone] = {
    KycState.IN_REVIEW: "info",
    KycState.CHECK_ERROR: "warn",
    KycState.INFORMATION_NEEDED: "wait",
    KycState.AUTO_APPROVED: "ok",
    KycState.APPROVED: "ok",
    KycState.REJECTED: "bad",
}
_RISK_TONES: dict[str, Tone] = {
    RiskLevel.LOW: "ok",
    RiskLevel.MEDIUM: "warn",
    RiskLevel.HIGH: "bad",
    RiskLevel.PROHIBITED: "bad",
}
_CHECK_TONES: dict[str, Tone] = {
    CheckStatus.PASSED: "ok",
    CheckStatus.WARNING: "warn",
    CheckStatus.FAILED: "bad",
    CheckStatus.ERROR: "bad",
}
_DOCUMENT_TONES: dict[str, Tone] = {DocumentState.ACCEPTED: "ok", DocumentState.REJECTED: "bad"}
_WORST_FIRST = (CheckStatus.FAILED, CheckStatus.ERROR, CheckStatus.WARNING, CheckStatus.PASSED)


def state_badge(application: KycApplication) -> Badge:
    """Return the state of an application as a badge."""
    return Badge(application.get_state_display(), STATE_TONES.get(application.state, ""))


def risk_badge(application: KycApplication) -> Badge | str:
    """Return the rating with its points, nothing before the first."""
    if not application.risk_level:
        return ""
    text = f"{application.get_risk_level_display()} · {application.risk_points}"
    return Badge(text, _RISK_TONES.get(application.risk_level, ""))


# --- pictures beside the data -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """One field: what the applicant says, what the zone says, whether they agree."""

    label: str
    said: str
    zone: str
    agreement: Badge | str


@dataclass(frozen=True, slots=True)
class Picture:
    """One page of a document as the template shows it."""

    href: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tab:
    """One document above the picture."""

    text: str
    href: str
    current: bool
    state: Badge


def evidence_panel(
    application: KycApplication, documents: Sequence[KycDocument], *, chosen: str, may_see: bool
) -> Panel:
    """Return the pictures of one document beside the applicant's data; tabs choose the document."""
    shown = next((row for row in documents if row.public_id == chosen), None) or _first(documents)
    form, zone = Form.of(application.data), zone_of(documents)
    return Panel(
        title="Document and data",
        template="compliance/kyc_evidence.html",
        data={
            "tabs": [_tab(row, row is shown) for row in documents],
            "pictures": _pictures(application, shown) if shown is not None and may_see else [],
            "may_see": may_see,
            "original_href": _href(application, shown, "original") if shown is not None else "",
            "facts": _file_facts(shown) if shown is not None else "",
            "lines": _lines(form, zone),
            "more": _more(form),
            "digits": [(digit.field.capitalize(), digit.stands, digit.right) for digit in zone.digits]
            if zone
            else [],
        },
        note="Pictures are re-encoded; every look is noted",
    )


def _first(documents: Sequence[KycDocument]) -> KycDocument | None:
    counting = [row for row in documents if row.state in (DocumentState.PENDING, DocumentState.ACCEPTED)]
    return next(iter(counting or documents), None)


def zone_of(documents: Sequence[KycDocument]) -> mrz.Mrz | None:
    """Return the newest zone that came with a document that counts, None if there is none that can be read."""
    for row in reversed(documents):
        if row.mrz and row.state in (DocumentState.PENDING, DocumentState.ACCEPTED):
            try:
                return mrz.parse(row.mrz.splitlines())
            except mrz.UnreadableMrz:
                return None
    return None


def _href(application: KycApplication, document: KycDocument, number: int | str) -> str:
    if number == "original":
        return reverse(
            "admin:compliance_kycdocument_original", args=[application.public_id, document.public_id]
        )
    return reverse(
        "admin:compliance_kycdocument_page", args=[application.public_id, document.public_id, number]
    )


def _tab(document: KycDocument, current: bool) -> Tab:  # noqa: FBT001 - a field of the tab
    short = document.get_purpose_display().rpartition(", ")[2].capitalize()
    badge = Badge(document.get_state_display(), _DOCUMENT_TONES.get(document.state, ""))
    return Tab(short, f"?document={document.public_id}", current, badge)


def _pictures(application: KycApplication, document: KycDocument) -> list[Picture]:
    name = document.get_purpose_display()
    return [
        Picture(
            _href(application, document, page.number),
            f"{name}, page {page.number} of {document.page_count}" if document.page_count > 1 else name,
            page.width,
            page.height,
        )
        for page in document.pages.defer("sealed").order_by("number")
    ]


def _file_facts(document: KycDocument) -> str:
    kind = document.media_type.rpartition("/")[2].upper()
    return f"{kind}, {document.size / 1024:,.0f} KB, {document.width} by {document.height}, sent by {document.uploaded_by}"


def _lines(form: Form, zone: mrz.Mrz | None) -> list[Line]:
    today = clock.now().date()
    if zone is None:
        said = _said(form)
        return [Line(label, value, "", "") for label, value in said]
    born, ends = mrz.birth_date(zone.birth, today=today), mrz.expiry_date(zone.expiry)
    theirs = (
        (zone.surname, surname_agrees(form, zone)),
        (zone.given_names, given_names_agree(form, zone)),
        (_day(born) or zone.birth, born == form.birth_date),
        (_country(zone.nationality), country_of(zone.nationality) == form.nationality),
        (zone.number, normal_number(zone.number) == normal_number(form.document_number)),
        (_day(ends) or zone.expiry, ends == form.document_expiry),
        (_country(zone.issuer), country_of(zone.issuer) == form.document_country),
    )
    return [
        Line(label, value, printed, Badge("Same", "ok") if same else Badge("Differs", "bad"))
        for (label, value), (printed, same) in zip(_said(form), theirs, strict=True)
    ]


def _said(form: Form) -> list[tuple[str, str]]:
    return [
        ("Family name", form.family_name),
        ("Given names", form.given_name),
        ("Birth date", _day(form.birth_date)),
        ("Nationality", country_name(form.nationality)),
        ("Number", form.document_number),
        ("Valid until", _day(form.document_expiry)),
        ("Issued by", country_name(form.document_country)),
    ]


def _more(form: Form) -> list[tuple[str, str]]:
    return [
        ("Lives at", f"{form.address}, {form.postal_code} {form.city}, {country_name(form.residence)}"),
        ("Politically exposed", "Says yes" if form.politically_exposed else "Says no"),
    ]


def _day(value: date | None) -> str:
    return f"{value:%-d %b %Y}" if value is not None else ""


def _country(letters: str) -> str:
    code = country_of(letters)
    return country_name(code) if code else letters


# --- checks, risk, history --------------------------------------------------------------------------------------------
def checks_panel(application: KycApplication, checks: Sequence[IdentityCheck]) -> Panel:
    """Return what the newest run found, worst first."""
    ranked = sorted(checks, key=lambda check: _WORST_FIRST.index(CheckStatus(check.status)))
    passed = sum(check.status == CheckStatus.PASSED for check in checks)
    rows = [
        (
            CHECK_TITLES.get(check.code, words(check.code)),
            Badge(check.get_status_display(), _CHECK_TONES[check.status]),
            check.detail,
        )
        for check in ranked
    ]
    note = f"Run {application.run}: {passed} of {len(checks)} passed" if checks else "Not checked yet"
    titles = [PROVIDERS.get(name).title for name in PROVIDERS]
    data = {"rows": rows, "providers": ", ".join([*titles, "watch lists"])}
    return Panel(title="Checks", template="compliance/kyc_checks.html", data=data, note=note)


def risk_panel(rating: RiskAssessment | None) -> Panel:
    """Return the points of each factor and what they make, largest first."""
    factors = sorted(rating.factors, key=lambda factor: -factor["points"]) if rating is not None else []
    note = ""
    if rating is not None:
        levels = rating.model.parameters["levels"]
        bands = f"medium from {levels['MEDIUM']}, high from {levels['HIGH']}"
        note = f"Model version {rating.model.version}: {bands}"
    data: dict[str, Any] = {
        "factors": factors,
        "points": rating.points if rating is not None else 0,
        "level": Badge(rating.get_level_display(), _RISK_TONES[rating.level]) if rating is not None else "",
    }
    return Panel(title="Risk", template="compliance/kyc_risk.html", data=data, note=note)


def decision_panel(person: Person, application: KycApplication, *, back: str) -> Panel:
    """Return the form that approves, and the buttons that ask for more or refuse."""
    found = ACTIONS.get("kyc.approve")
    may_press = person.may(found.permission) and found.available(application)
    return Panel(
        title="Decision",
        template="compliance/kyc_decision.html",
        data={
            "application": application,
            "form_id": uuid.uuid4(),
            "version": found.version(application),
            "approve_href": found.href(application) if may_press else "",
            "reasons": [(code.value, code.label) for code in DECISION_REASONS[Outcome.APPROVED]],
            "tier": application.get_wanted_tier_display().lower(),
            "buttons": _asking_buttons(person, application, back),
            "why_not": _why_not(person, application),
        },
        side=True,
    )


def _why_not(person: Person, application: KycApplication) -> str:
    """Return in words why there is nothing to press."""
    if application.state != KycState.IN_REVIEW:
        return {
            KycState.CHECK_ERROR: "A check could not run. It is tried again by itself, and nothing passes until it ran.",
            KycState.INFORMATION_NEEDED: "The partner was asked for more and has not sent it yet.",
            KycState.DRAFT: "The partner has not sent everything yet.",
        }.get(KycState(application.state), "This file is closed.")
    if not person.may("compliance.decide_kyc"):
        return "You may look at identity files, not decide them."
    if application.risk_level == RiskLevel.HIGH and not person.may("compliance.approve_high_risk"):
        return "High risk: a lead must approve this. You may ask for more or refuse."
    if application.risk_level == RiskLevel.PROHIBITED:
        return "The customer is a true match with a listed entity and cannot be approved."
    return ""


def _asking_buttons(person: Person, application: KycApplication, back: str) -> list[Button]:
    found = []
    for name, key in (("kyc.approve_high", "a"), ("kyc.ask", "r"), ("kyc.reject", "x")):
        known = ACTIONS.get(name)
        if known.available(application) and person.may(known.permission):
            found.append(
                Button(
                    label=f"{known.label}…",
                    href=known.href(application, back),
                    style="harm" if known.danger else "primary" if known.primary else "",
                    key=key,
                    dialog=True,
                )
            )
    return found


def history_panel(
    decisions: Sequence[KycDecision], documents: Sequence[KycDocument], application: KycApplication
) -> Panel:
    """Return every decision on this file, newest first."""
    rows = [(one, Badge(one.get_outcome_display(), STATE_TONES.get(one.outcome, ""))) for one in decisions]
    times = "once" if application.submission == 1 else f"{application.submission} times"
    handed = f"Handed in {times}" if application.submission else "Not handed in"
    return Panel(
        title="Earlier decisions",
        template="compliance/kyc_history.html",
        data={"rows": rows},
        note=f"{handed}, {len(documents)} file{'' if len(documents) == 1 else 's'}",
        side=True,
    )
