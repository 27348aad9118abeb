"""Checking batch files: the authority's schema, and what it refuses although the schema takes it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from lxml import etree

from compliance.reports import ctr, sar
from compliance.reports.countries import COUNTRIES
from compliance.reports.writing import NAMESPACE, SCHEMAS, Element

_FC = f"{{{NAMESPACE}}}"
_SCHEMA_OF = {sar.FORM: sar.SCHEMA, ctr.FORM: ctr.SCHEMA}
_EMPTY_OK = {ctr.FORM}  # its flags and details are there even when they say nothing
_MAY_BE_EMPTY = frozenset({"OtherCurrencyTransactionActivityDetailText", "OtherForeignCurrencyCountryText"})
_BATCH_PARTIES = {
    "35": "The transmitter",
    "37": "The transmitter's contact",
    "30": "The institution",
    "34": "The place of the activity",
    "8": "The contact office",
}
_PARTIES_OF = {
    sar.FORM: {**_BATCH_PARTIES, "33": "The subject"},
    ctr.FORM: {**_BATCH_PARTIES, "50 17 23": "The person"},
}
# What the form does not carry: line breaks, tabs, no-break and other special blanks.
_BAD_BLANKS = re.compile(r"[\t\r\n\x0b\x0c\x85\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]")
_WHOLE = re.compile(r"[0-9]{1,15}")
_DAY = re.compile(r"[0-9]{8}")
_BSA_ID = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps a file from being filed: the field, and what is wrong with it."""

    field: str
    text: str


def check_file(content: bytes) -> list[Fault]:
    """Return what is wrong with a batch file: schema first, then our own rules; empty when it may be filed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        return [Fault("file", f"It is not XML: {error.msg}.")]
    if root.getroottree().docinfo.doctype:
        return [Fault("file", "A document type is not allowed.")]
    form = root.findtext(f"{_FC}FormTypeCode") or ""
    if form not in _SCHEMA_OF:
        return [Fault("FormTypeCode", "It is neither SARX nor CTRX.")]
    schema = _schema(_SCHEMA_OF[form])
    if not schema.validate(root):
        return [_schema_fault(error) for error in schema.error_log]
    return [fault for rule in _RULES for fault in rule(root, form)]


@lru_cache(maxsize=4)
def _schema(name: str) -> Any:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / name)))


def _schema_fault(error: etree._LogEntry) -> Fault:
    found = re.search(r"Element '(?:\{[^}]*\})?(\w+)'", error.message)
    text = re.sub(r"\{[^}]*\}", "", error.message)
    return Fault(found.group(1) if found else "file", f"Line {error.line}: {text}")


def _texts(root: Element) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if isinstance(element.tag, str) and not len(element):
            yield etree.QName(element).localname, element.text or ""


def _blanks(root: Element, form: str) -> Iterator[Fault]:
    for name, text in _texts(root):
        if text != text.strip() or ("  " in text and name == "ActivityNarrativeText"):
            yield Fault(name, "It begins or ends with a blank, or has two in a row.")
        elif _BAD_BLANKS.search(text):
            yield Fault(name, "It holds a line break, tab or special blank.")
        elif not text and not (form in _EMPTY_OK and (name.endswith("Indicator") or name in _MAY_BE_EMPTY)):
            yield Fault(name, "It is empty.")


def _amounts(root: Element, _form: str) -> Iterator[Fault]:
    for name, text in _texts(root):
        if name.endswith("AmountText") and not _WHOLE.fullmatch(text):
            yield Fault(name, "Amounts are whole dollars without cents or signs.")


def _days(root: Element, _form: str) -> Iterator[Fault]:
    for name, text in _texts(root):
        if (
            name.endswith("DateText")
            and text
            and not _is_day(text, partial=name == "IndividualBirthDateText")
        ):
            yield Fault(name, f"{text} is no day of the calendar.")


def _is_day(text: str, *, partial: bool) -> bool:
    if not _DAY.fullmatch(text):
        return False
    if partial and text[6:] == "00":  # the day of birth, or month and day, that nobody knows
        return text[:4] != "0000" and text[4:6] <= "12"
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a calendar day
    except ValueError:
        return False
    return True


def _counts(root: Element, form: str) -> Iterator[Fault]:
    activities = root.findall(f"{_FC}Activity")
    parties = [party for activity in activities for party in activity.findall(f"{_FC}Party")]
    counted = (
        sum(party.findtext(f"{_FC}ActivityPartyTypeCode") == sar.SUBJECT for party in parties)
        if form == sar.FORM
        else len(parties)
    )
    summed = "TotalSuspiciousAmountText" if form == sar.FORM else "DetailTransactionAmountText"
    amounts = [element.text or "" for element in root.iter(f"{_FC}{summed}")]
    wanted = {"ActivityCount": len(activities), "PartyCount": counted}
    if all(_WHOLE.fullmatch(text) for text in amounts):
        wanted["TotalAmount"] = sum(int(text) for text in amounts)
    for name, number in wanted.items():
        if root.get(name) != str(number):
            yield Fault(name, f"It says {root.get(name)}, the file comes to {number}.")


def _numbers(root: Element, _form: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for element in root.iter():
        number = element.get("SeqNum")
        if number is not None and number in seen:
            yield Fault(etree.QName(element).localname, f"Sequence number {number} comes twice.")
        seen.add(number or "")


def _legal_names(root: Element, _form: str) -> Iterator[Fault]:
    for party in root.iter(f"{_FC}Party"):
        names = [name.findtext(f"{_FC}PartyNameTypeCode") for name in party.findall(f"{_FC}PartyName")]
        if names.count("L") > 1:
            yield Fault("PartyName", "A party has one legal name.")


def _parts(root: Element, form: str) -> Iterator[Fault]:
    for activity in root.findall(f"{_FC}Activity"):
        kinds = {party.findtext(f"{_FC}ActivityPartyTypeCode") for party in activity.findall(f"{_FC}Party")}
        for code, words in _PARTIES_OF[form].items():
            if not kinds & set(code.split()):
                yield Fault(
                    "ActivityPartyTypeCode", f"{words} is missing (type {code.replace(' ', ' or ')})."
                )


def _prior(root: Element, _form: str) -> Iterator[Fault]:
    for activity in root.findall(f"{_FC}Activity"):
        prior = activity.findtext(f"{_FC}EFilingPriorDocumentNumber")
        flags = {
            etree.QName(flag).localname
            for flag in activity.find(f"{_FC}ActivityAssociation")
            if flag.text == "Y"
        }
        follows = flags & {"CorrectsAmendsPriorReportIndicator", "ContinuingActivityReportIndicator"}
        if follows and not _BSA_ID.fullmatch(prior or ""):
            yield Fault(
                "EFilingPriorDocumentNumber", "A correction names the BSA id of the first, 14 digits."
            )
        elif prior and not follows:
            yield Fault("EFilingPriorDocumentNumber", "An initial report names no earlier one.")
        if follows and "InitialReportIndicator" in flags:
            yield Fault("InitialReportIndicator", "A report is initial or follows another, not both.")


def _span(root: Element, _form: str) -> Iterator[Fault]:
    for suspicion in root.iter(f"{_FC}SuspiciousActivity"):
        first = suspicion.findtext(f"{_FC}SuspiciousActivityFromDateText") or ""
        latest = suspicion.findtext(f"{_FC}SuspiciousActivityToDateText") or ""
        if latest and first > latest:
            yield Fault(
                "SuspiciousActivityFromDateText", "It lies after the day on which the activity ended."
            )


def _cash(root: Element, form: str) -> Iterator[Fault]:
    if form != ctr.FORM:
        return
    for activity in root.findall(f"{_FC}Activity"):
        cash = activity.find(f"{_FC}CurrencyTransactionActivity")
        came, went = _whole(cash, "TotalCashInReceiveAmountText"), _whole(cash, "TotalCashOutAmountText")
        details = [_whole(one, "DetailTransactionAmountText") for one in cash]
        if came + went == 0:
            yield Fault("TotalCashInReceiveAmountText", "There is no cash, neither in nor out.")
        elif sum(details) != came + went:
            yield Fault("TotalCashInReceiveAmountText", "The details do not come to the totals in and out.")
        for party in activity.findall(f"{_FC}Party"):
            for name, total in (
                ("IndividualEntityCashInAmountText", came),
                ("IndividualEntityCashOutAmountText", went),
            ):
                alone = party.findtext(f"{_FC}ActivityPartyTypeCode") == ctr.ON_OWN_BEHALF
                if alone and _whole(party, name) != total:
                    yield Fault(name, "It is not the total of the report.")


def _whole(element: Element, name: str) -> int:
    text = element.findtext(f"{_FC}{name}") or ""
    return int(text) if _WHOLE.fullmatch(text) else 0


def _narrative(root: Element, _form: str) -> Iterator[Fault]:
    for activity in root.findall(f"{_FC}Activity"):
        found = [element.text for element in activity.iter(f"{_FC}ActivityNarrativeSequenceNumber")]
        if found != [str(number) for number in range(1, len(found) + 1)]:
            yield Fault(
                "ActivityNarrativeSequenceNumber", "The parts of the narrative are not numbered from 1 on."
            )


def _countries(root: Element, _form: str) -> Iterator[Fault]:
    for name, text in _texts(root):
        if name in ("RawCountryCodeText", "OtherIssuerCountryText") and text and text not in COUNTRIES:
            yield Fault(name, f"{text} is assigned to no country.")


_RULES: tuple[Callable[[Element, str], Iterator[Fault]], ...] = (
    _blanks,
    _amounts,
    _days,
    _counts,
    _numbers,
    _legal_names,
    _parts,
    _prior,
    _span,
    _cash,
    _narrative,
    _countries,
)
