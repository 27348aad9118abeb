"""The parties that every batch file has: who sends it, who filed it, where it happened, whom to call."""

from compliance.reports.facts import Filer, Identification, Subject
from compliance.reports.writing import (
    Element,
    address_of,
    filer_identifications,
    full_name,
    identification_of,
    name_of,
    node,
    phone_of,
    text,
)

TRANSMITTER, TRANSMITTER_CONTACT, INSTITUTION, LOCATION, CONTACT = "35", "37", "30", "34", "8"
IRS, MSB = "7", "4"  # who supervises money services businesses; what we are


def transmitter(activity: Element, filer: Filer) -> None:
    """Add transmitter and transmitter contact."""
    party = node(activity, "Party")
    text(party, "ActivityPartyTypeCode", TRANSMITTER)
    full_name(party, filer.name)
    address_of(party, filer.address, unknown=False)
    phone_of(party, filer.phone)
    identification_of(party, Identification(code="4", number=filer.tin))
    identification_of(party, Identification(code="28", number=filer.tcc))
    contact = node(activity, "Party")
    text(contact, "ActivityPartyTypeCode", TRANSMITTER_CONTACT)
    full_name(contact, filer.contact)


def institution(activity: Element, filer: Filer, *, code: str) -> None:
    """Add the institution as the one that files, or as the place where it happened; its numbers and kind included."""
    party = node(activity, "Party")
    text(party, "ActivityPartyTypeCode", code)
    text(party, "PrimaryRegulatorTypeCode", IRS)
    full_name(party, filer.name)
    address_of(party, filer.address, unknown=False)
    if code == INSTITUTION:
        phone_of(party, filer.phone)
    filer_identifications(party, filer)
    kind = node(party, "OrganizationClassificationTypeSubtype")
    text(kind, "OrganizationTypeID", MSB)


def contact(activity: Element, filer: Filer) -> None:
    """Add the contact office."""
    party = node(activity, "Party")
    text(party, "ActivityPartyTypeCode", CONTACT)
    full_name(party, filer.contact)
    phone_of(party, filer.phone)


def birth_of(party: Element, subject: Subject) -> None:
    """Add the date of birth of a person, as known."""
    if not subject.business and subject.birth_date is not None:
        text(party, "IndividualBirthDateText", f"{subject.birth_date:%Y%m%d}")


def subject_names(party: Element, subject: Subject) -> None:
    """Add name, address, telephone and numbers of a subject."""
    name_of(party, last=subject.last_name, first=subject.first_name, business=subject.business)
    address_of(party, subject.address, unknown=True)
    phone_of(party, subject.phone)
    if not subject.identifications:
        unknown = node(party, "PartyIdentification")
        text(unknown, "IdentificationPresentUnknownIndicator", "Y")
    for found in subject.identifications:
        identification_of(party, found)
