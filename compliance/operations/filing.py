"""Files for the authority: made from what is approved, sent by people, answered by the authority."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from lxml import etree

from compliance.choices_reports import FilingForm, FilingState, ReportState
from compliance.errors_reports import (
    AcknowledgementRefused,
    NothingToFile,
    ReportInvalid,
    ReportStateConflict,
)
from compliance.models.wall import (
    Acknowledgement,
    CurrencyTransactionReport,
    Filing,
    Report,
    SuspiciousActivityReport,
)
from compliance.operations.reports_facts import ctr_facts, sar_facts
from compliance.reports import ctr, sar
from compliance.reports.checking import check_file
from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock

BATCH_MAX = 500
ANSWER_BYTES_MAX = 5 * 1024 * 1024
_MODELS: dict[str, type[Report]] = {
    FilingForm.SARX: SuspiciousActivityReport,
    FilingForm.CTRX: CurrencyTransactionReport,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authority said of one report of a file: its number, and what it found."""

    position: int
    bsa_id: str
    fatal: tuple[str, ...]
    warnings: tuple[str, ...]


@transaction.atomic
def file_batch(*, form: FilingForm, user_id: int, now: datetime) -> Filing:
    """
    Put all approved reports of a form into one file; nothing invalid gets into one.

    :raises NothingToFile: if none waits
    :raises ReportInvalid: if the file would be refused; nothing is changed
    """
    waiting = _all(form).filter(state=ReportState.APPROVED)
    keys = list(waiting.order_by("created_at", "pk").values_list("pk", flat=True)[:BATCH_MAX])
    rows = list(lock(waiting.filter(pk__in=keys)).select_related("customer"))
    if not rows:
        raise NothingToFile
    content = _content(form, rows, now.date())
    if faults := check_file(content):
        raise ReportInvalid(faults=faults)
    filing = Filing.objects.create(
        form=form,
        content=content.decode(),
        sha256=hashlib.sha256(content).hexdigest(),
        reports=len(rows),
        made_by_id=user_id,
        made_at=now,
    )
    for position, report in enumerate(rows, 1):
        report.state, report.filing, report.position = ReportState.BATCHED, filing, position
        report.save(update_fields=["state", "filing", "position"])
    _record(filing, "filing.make", [None, filing.state])
    return filing


def _all(form: str) -> QuerySet[Any]:
    """Return the reports of a form."""
    return _MODELS[form]._default_manager.all()  # noqa: SLF001 - Django's documented model API


def _content(form: FilingForm, rows: Sequence[Any], day: date) -> bytes:
    if form == FilingForm.SARX:
        return sar.write([sar_facts(report, filed_on=day) for report in rows])
    return ctr.write([ctr_facts(report, filed_on=day) for report in rows])


@transaction.atomic
def mark_filed(*, filing_id: str, filed_on: date, now: datetime) -> Filing:
    """
    Note that a file was handed to the authority.

    :raises ReportStateConflict: if it was before, or the day lies ahead
    """
    filing = _locked(filing_id)
    if filing.state != FilingState.BATCHED:
        raise ReportStateConflict(state=FilingState(filing.state).label.lower())
    if filed_on > now.date() or filed_on < filing.made_at.date():
        raise ReportStateConflict(state="not filed on that day: choose one from its making to today")
    filing.state, filing.filed_on = FilingState.FILED, filed_on
    filing.save(update_fields=["state", "filed_on"])
    _move(filing, lambda report: _set(report, ReportState.FILED))
    _record(filing, "filing.send", [FilingState.BATCHED, filing.state])
    return filing


@transaction.atomic
def record_acknowledgement(
    *, filing_id: str, content: bytes, user_id: int | None, now: datetime
) -> Acknowledgement:
    """
    Take the authority's answer to a file: numbers for what it took, reasons for what it did not.

    The same answer again returns its first record.

    :raises AcknowledgementRefused: if it cannot be read, is of another file, or leaves reports out
    :raises ReportStateConflict: if the file was not sent
    """
    filing = _locked(filing_id)
    digest = hashlib.sha256(content).hexdigest()
    if (known := Acknowledgement.objects.filter(sha256=digest).first()) is not None:
        if known.filing_id != filing.pk:
            raise AcknowledgementRefused(reason="This answer belongs to another file.")
        return known
    if filing.state != FilingState.FILED:
        raise ReportStateConflict(state=FilingState(filing.state).label.lower())
    answers = {answer.position: answer for answer in read_answer(content)}
    wanted = set(range(1, filing.reports + 1))
    if set(answers) != wanted:
        missing = sorted(wanted - set(answers)) or sorted(set(answers) - wanted)
        raise AcknowledgementRefused(
            reason=f"The file has {filing.reports} reports; the answer does not fit at number {missing[0]}."
        )
    _check_numbers(answers.values())
    filing.state, filing.acknowledged_at = FilingState.ACKNOWLEDGED, now
    filing.save(update_fields=["state", "acknowledged_at"])
    _move(filing, lambda report: _answered(report, answers[report.position or 0]))
    rejected = sum(bool(answer.fatal) for answer in answers.values())
    row = Acknowledgement.objects.create(
        filing=filing,
        sha256=digest,
        accepted=len(answers) - rejected,
        rejected=rejected,
        warnings=[text for answer in answers.values() for text in answer.warnings],
        received_by_id=user_id,
        received_at=now,
    )
    _record(filing, "filing.acknowledge", [FilingState.FILED, filing.state])
    return row


def read_answer(content: bytes) -> list[Answer]:
    """
    Read an acknowledgement file.

    :raises AcknowledgementRefused: if it is no such file, too large, or not accepted as a whole
    """
    if len(content) > ANSWER_BYTES_MAX:
        raise AcknowledgementRefused(reason="The answer is larger than 5 MB.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise AcknowledgementRefused(reason=f"The answer is not XML: {error}.") from error
    if root.getroottree().docinfo.doctype:
        raise AcknowledgementRefused(reason="The answer has a document type, which is not allowed.")
    submission = root.find("EFilingSubmissionXML")
    if root.tag != "EFilingBatchXML" or submission is None:
        raise AcknowledgementRefused(reason="This is no acknowledgement of a batch.")
    if root.get("StatusCode") != "A":
        raise AcknowledgementRefused(
            reason=f"The authority did not take the file as a whole (status {root.get('StatusCode')})."
        )
    return [_answer(element) for element in submission.findall("EFilingActivityXML")]


def _answer(element: Any) -> Answer:
    number = element.get("SeqNum") or ""
    if not number.isdecimal():
        raise AcknowledgementRefused(reason="A report of the answer has no number.")
    found: dict[str, list[str]] = {"FATAL": [], "WARN": []}
    for error in element.findall("EFilingActivityErrorXML"):
        level = error.findtext("ErrorLevelText") or ""
        if not len(error) or not level:
            continue  # an empty one says that nothing was found
        words = error.findtext("ErrorText") or error.findtext("ErrorTypeCode") or "no words"
        found["FATAL" if level == "FATAL" else "WARN"].append(
            f"{error.findtext('ErrorElementNameText') or 'report'}: {words}"
        )
    return Answer(
        int(number), (element.findtext("BSAID") or "").strip(), tuple(found["FATAL"]), tuple(found["WARN"])
    )


def _check_numbers(answers: Any) -> None:
    for answer in answers:
        if not answer.fatal and not (len(answer.bsa_id) == 14 and answer.bsa_id.isdecimal()):  # noqa: PLR2004 - a BSA id
            raise AcknowledgementRefused(
                reason=f"Report {answer.position} of the answer has no BSA id of 14 digits."
            )


def _answered(report: Any, answer: Answer) -> None:
    report.bsa_id = "" if answer.fatal else answer.bsa_id
    report.outcome_text = "; ".join((*answer.fatal, *answer.warnings))[:500]
    _set(report, ReportState.REJECTED if answer.fatal else ReportState.ACKNOWLEDGED)


def _set(report: Any, state: ReportState) -> None:
    report.state = state
    report.save(update_fields=["state", "bsa_id", "outcome_text"])


def _move(filing: Filing, change: Callable[[Any], None]) -> None:
    for report in lock(_all(filing.form).filter(filing=filing)):
        change(report)


def _locked(filing_id: str) -> Filing:
    filing = lock(Filing.objects.filter(public_id=filing_id)).first()
    if filing is None:
        raise NotFound
    return filing


def _record(filing: Filing, verb: str, state: list[object]) -> None:
    trail.record(
        action=verb,
        object_type="filing",
        object_id=filing.public_id,
        changes={"state": state, "sha256": [None, filing.sha256]},
    )
