"""The FinCEN currency transaction report (form CTRX), as a batch file."""

from collections.abc import Sequence

from compliance.reports import parties
from compliance.reports.facts import CtrFacts
from compliance.reports.writing import Element, batch, cut, dollars, flags, node, numbered, text

FORM, SCHEMA = "CTRX", "EFL_CTRXBatchSchema.xsd"
_LOCATION = "https://www.fincen.gov/base/EFL_CTRXBatchSchema.xsd"
ON_OWN_BEHALF = "50"
_FLAGS = (
    "AggregateTransactionIndicator",
    "ArmoredCarServiceIndicator",
    "ATMIndicator",
    "MailDepositShipmentIndicator",
    "NightDepositIndicator",
    "SharedBranchingIndicator",
)
_PARTIES = 6  # five of the batch and the person
_DEPOSIT, _WITHDRAWAL = "55", "56"
_ACCOUNT_IN, _ACCOUNT_OUT = "8", "9"


def write(reports: Sequence[CtrFacts]) -> bytes:
    """
    Return one batch file with these reports, in this order; check it with `checking.check_file`.

    :raises ValueError: if there is no report
    """
    if not reports:
        raise ValueError("a batch needs at least one report")
    root = batch(FORM, _LOCATION)
    total = 0
    for facts in reports:
        total += _activity(root, facts)
    root.set("TotalAmount", str(total))
    root.set("PartyCount", str(_PARTIES * len(reports)))
    root.set("ActivityCount", str(len(reports)))
    return numbered(root)


def _activity(root: Element, facts: CtrFacts) -> int:
    """Add a report and return the dollars its details come to."""
    activity = node(root, "Activity")
    text(activity, "EFilingPriorDocumentNumber", facts.prior_bsa_id or None)
    text(activity, "FilingDateText", f"{facts.filed_on:%Y%m%d}")
    corrects = bool(facts.prior_bsa_id)
    flags(
        node(activity, "ActivityAssociation"),
        (
            "CorrectsAmendsPriorReportIndicator",
            "FinCENDirectBackFileIndicator",
            "InitialReportIndicator",
        ),
        on=["CorrectsAmendsPriorReportIndicator" if corrects else "InitialReportIndicator"],
    )
    parties.transmitter(activity, facts.filer)
    parties.institution(activity, facts.filer, code=parties.INSTITUTION)
    parties.institution(activity, facts.filer, code=parties.LOCATION)
    parties.contact(activity, facts.filer)
    _person(activity, facts)
    return _cash(activity, facts)


def _person(activity: Element, facts: CtrFacts) -> None:
    subject = facts.subject
    party = node(activity, "Party")
    text(party, "ActivityPartyTypeCode", ON_OWN_BEHALF)
    person = not subject.business
    text(party, "BirthDateUnknownIndicator", "Y" if person and subject.birth_date is None else None)
    parties.birth_of(party, subject)
    cash = (
        ("IndividualEntityCashInAmountText", subject.cash_in_cents),
        ("IndividualEntityCashOutAmountText", subject.cash_out_cents),
    )
    for name, cents in cash:
        text(party, name, dollars(cents) if cents else None)
    text(party, "PartyAsEntityOrganizationIndicator", "Y" if subject.business else None)
    text(party, "UnknownGenderIndicator", "Y" if person else None)
    parties.subject_names(party, subject)
    for number in subject.accounts:
        account = node(party, "Account")
        text(account, "AccountNumberText", cut(number, 40))
        link = node(account, "PartyAccountAssociation")
        code = _ACCOUNT_IN if subject.cash_in_cents >= subject.cash_out_cents else _ACCOUNT_OUT
        text(link, "PartyAccountAssociationTypeCode", code)


def _cash(activity: Element, facts: CtrFacts) -> int:
    subject = facts.subject
    added = node(activity, "CurrencyTransactionActivity")
    flags(added, _FLAGS, on=[_FLAGS[0]] if facts.aggregated else [])
    text(added, "TotalCashInReceiveAmountText", dollars(subject.cash_in_cents))
    text(added, "TotalCashOutAmountText", dollars(subject.cash_out_cents))
    text(added, "TransactionDateText", f"{facts.day:%Y%m%d}")
    total = 0
    for code, cents in ((_DEPOSIT, subject.cash_in_cents), (_WITHDRAWAL, subject.cash_out_cents)):
        if cents:
            detail = node(added, "CurrencyTransactionActivityDetail")
            text(detail, "CurrencyTransactionActivityDetailTypeCode", code)
            text(detail, "DetailTransactionAmountText", dollars(cents))
            text(detail, "OtherCurrencyTransactionActivityDetailText", "")
            text(detail, "OtherForeignCurrencyCountryText", "")
            total += int(dollars(cents))
    return total
