"""The FinCEN suspicious activity report (form SARX 1.2), as a batch file."""

from collections.abc import Sequence

from compliance.reports import parties
from compliance.reports.facts import Identification, SarFacts, Subject
from compliance.reports.writing import (
    Element,
    batch,
    clean,
    cut,
    dollars,
    identification_of,
    node,
    numbered,
    text,
)

FORM, SCHEMA = "SARX", "EFL_SARXBatchSchema.xsd"
_LOCATION = "https://www.fincen.gov/base/EFL_SARXBatchSchema.xsd"
SUBJECT = "33"
BLOCK, BLOCKS_MAX = 4_000, 5
NARRATIVE_MAX, NARRATIVE_WARN = BLOCK * BLOCKS_MAX, 17_000
NARRATIVE_TOO_LONG = "The narrative is {length:,} characters long; {over:,} must go."


def write(reports: Sequence[SarFacts]) -> bytes:
    """
    Return one batch file with these reports, in this order; check it with `checking.check_file`.

    :raises ValueError: if there is no report, or a narrative does not fit
    """
    if not reports:
        raise ValueError("a batch needs at least one report")
    root = batch(FORM, _LOCATION)
    for facts in reports:
        _activity(root, facts)
    root.set("TotalAmount", str(sum(int(dollars(facts.total_cents)) for facts in reports)))
    root.set("PartyCount", str(sum(len(facts.subjects) for facts in reports)))
    root.set("ActivityCount", str(len(reports)))
    attached = str(sum(bool(facts.attachment) for facts in reports))
    root.set("ActivityAttachmentCount", attached)
    root.set("AttachmentCount", attached)
    return numbered(root)


def _activity(root: Element, facts: SarFacts) -> None:
    activity = node(root, "Activity")
    text(activity, "EFilingPriorDocumentNumber", facts.prior_bsa_id or None)
    text(activity, "FilingDateText", f"{facts.filed_on:%Y%m%d}")
    association = node(activity, "ActivityAssociation")
    initial = not (facts.corrects or facts.continues)
    text(association, "ContinuingActivityReportIndicator", "Y" if facts.continues else None)
    text(association, "CorrectsAmendsPriorReportIndicator", "Y" if facts.corrects else None)
    text(association, "InitialReportIndicator", "Y" if initial else None)
    if facts.attachment:
        text(node(activity, "ActivitySupportDocument"), "OriginalAttachmentFileName", facts.attachment)
    parties.transmitter(activity, facts.filer)
    parties.institution(activity, facts.filer, code=parties.INSTITUTION)
    for subject in facts.subjects:
        _subject(activity, facts, subject)
    parties.institution(activity, facts.filer, code=parties.LOCATION)
    parties.contact(activity, facts.filer)
    _suspicion(activity, facts)
    for number, block in enumerate(blocks(facts.narrative), 1):
        part = node(activity, "ActivityNarrativeInformation")
        text(part, "ActivityNarrativeSequenceNumber", str(number))
        text(part, "ActivityNarrativeText", block)


def _subject(activity: Element, facts: SarFacts, subject: Subject) -> None:
    party = node(activity, "Party")
    text(party, "ActivityPartyTypeCode", SUBJECT)
    person = not subject.business
    text(party, "BirthDateUnknownIndicator", "Y" if person and subject.birth_date is None else None)
    parties.birth_of(party, subject)
    text(party, "NoKnownAccountInvolvedIndicator", None if subject.accounts else "Y")
    text(party, "PartyAsEntityOrganizationIndicator", "Y" if subject.business else None)
    text(party, "UnknownGenderIndicator", "Y" if person else None)
    parties.subject_names(party, subject)
    association = node(party, "PartyAssociation")
    text(association, "CustomerIndicator", "Y")
    text(association, "SubjectRelationshipFinancialInstitutionTINText", facts.filer.tin)
    if subject.accounts:
        _accounts(party, facts, subject)


def _accounts(party: Element, facts: SarFacts, subject: Subject) -> None:
    held = node(party, "PartyAccountAssociation")
    text(held, "PartyAccountAssociationTypeCode", "7")
    bank = node(held, "Party")
    text(bank, "ActivityPartyTypeCode", "41")
    identification_of(bank, Identification(code="4", number=facts.filer.tin))
    for number in subject.accounts:
        account = node(bank, "Account")
        text(account, "AccountNumberText", cut(number, 40))
        link = node(account, "PartyAccountAssociation")
        text(link, "PartyAccountAssociationTypeCode", "5")


def _suspicion(activity: Element, facts: SarFacts) -> None:
    suspicion = node(activity, "SuspiciousActivity")
    text(suspicion, "SuspiciousActivityFromDateText", f"{facts.from_date:%Y%m%d}")
    text(suspicion, "SuspiciousActivityToDateText", f"{facts.to_date:%Y%m%d}")
    text(suspicion, "TotalSuspiciousAmountText", dollars(facts.total_cents))
    for kind, subtype in facts.classes:
        added = node(suspicion, "SuspiciousActivityClassification")
        text(added, "SuspiciousActivitySubtypeID", subtype)
        text(added, "SuspiciousActivityTypeID", kind)


def blocks(narrative: str) -> list[str]:
    """
    Divide a narrative into at most five blocks of 4,000 characters, each ending at a word.

    White space becomes single blanks: the form takes no tabs, line breaks or outer blanks.

    :raises ValueError: if it is empty or does not fit, saying by how much
    """
    words = clean(narrative).split()
    if not words:
        raise ValueError("The narrative is empty.")
    found, line = [], ""
    for word in words:
        for piece in (word[start : start + BLOCK] for start in range(0, len(word), BLOCK)):
            longer = f"{line} {piece}".strip()
            if len(longer) > BLOCK:
                found.append(line)
                line = piece
            else:
                line = longer
    found.append(line)
    if len(found) > BLOCKS_MAX:
        over = sum(len(block) + 1 for block in found[BLOCKS_MAX:])
        length = sum(len(block) + 1 for block in found) - 1
        raise ValueError(NARRATIVE_TOO_LONG.format(length=length, over=over))
    return found
