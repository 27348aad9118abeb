"""Files for the authority: made from what is approved, sent by people, answered by the authority."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
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
from compliance.operations.reports import return_report, was_changed
from compliance.operations.reports_facts import ctr_facts, sar_facts
from compliance.reports import ctr, sar
from compliance.reports.checking import check_file
from compliance.reports.facts import CtrFacts, SarFacts
from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock

BATCH_MAX = 500
ANSWER_BYTES_MAX = 5 * 1024 * 1024
_PLACE, _BSA_ID = re.compile(r"[0-9]{1,6}"), re.compile(r"[0-9]{14}")
_CHANGED = "What the report says of the customer or of us changed after it was approved: read it and submit it again."
_RELATED = {
    FilingForm.SARX: ("customer", "case", "approval", "corrects__corrects"),
    FilingForm.CTRX: ("customer", "corrects__corrects"),
}
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


@dataclass(frozen=True, slots=True)
class Batched:
    """What came of making a file: the file, if any report got in, and how many were set aside with their words."""

    filing: Filing | None
    set_aside: int


@transaction.atomic
def file_batch(*, form: FilingForm, user_id: int, now: datetime) -> Batched:
    """
    Put the approved reports of a form into one file; each is checked by itself first and does not hold up the others.

    A report that would be refused, or that says something else than what was approved, is set aside: `outcome_text` has
    the words; one that two people approved goes back to its writer.

    :raises NothingToFile: if none waits
    :raises ReportInvalid: if the file as a whole would be refused; nothing is changed
    """
    waiting = _all(form).filter(state=ReportState.APPROVED)
    # What was set aside before comes last: it cannot crowd out what is good.
    keys = list(waiting.order_by("outcome_text", "created_at", "pk").values_list("pk", flat=True)[:BATCH_MAX])
    rows = list(lock(waiting.filter(pk__in=keys)).select_related(*_RELATED[form]))
    if not rows:
        raise NothingToFile
    good = [(report, facts) for report in rows if (facts := _ready(report, now.date())) is not None]
    if not good:
        return Batched(None, len(rows))
    filing = _keep(form, good, user_id, now)
    return Batched(filing, len(rows) - len(good))


def _ready(report: Any, day: date) -> Any:
    """Return what the report's file is written from, or None after it was set aside."""
    if isinstance(report, SuspiciousActivityReport):
        facts = sar_facts(report, filed_on=day)
        why = _CHANGED if was_changed(report, facts) else _words(sar.write, facts)
        if why:
            return_report(report, why)
        return None if why else facts
    cash = ctr_facts(report, filed_on=day)
    why = words_against(cash)
    if why != report.outcome_text:
        report.outcome_text = why
        report.save(update_fields=["outcome_text"])
    return None if why else cash


def words_against(facts: CtrFacts) -> str:
    """Return why a currency report cannot be filed as it stands, or ''."""
    return _words(ctr.write, facts)


def _words(write: Callable[[Sequence[Any]], bytes], facts: SarFacts | CtrFacts) -> str:
    try:
        faults = check_file(write([facts]))
    except ValueError as error:
        return f"It cannot be written: {error}"[:500]
    text = "; ".join(f"{fault.field}: {fault.text}" for fault in faults[:5])
    return f"Not filed yet. {text}"[:500] if text else ""


def _keep(form: FilingForm, good: Sequence[tuple[Any, Any]], user_id: int, now: datetime) -> Filing:
    write: Callable[[Sequence[Any]], bytes] = sar.write if form == FilingForm.SARX else ctr.write
    content = write([facts for _, facts in good])
    if faults := check_file(content):
        raise ReportInvalid(faults=faults)
    filing = Filing.objects.create(
        form=form,
        content=content.decode(),
        sha256=hashlib.sha256(content).hexdigest(),
        reports=len(good),
        made_by_id=user_id,
        made_at=now,
    )
    for position, (report, _) in enumerate(good, 1):
        report.state, report.filing, report.position = ReportState.BATCHED, filing, position
        report.save(update_fields=["state", "filing", "position"])
    _record(filing, "filing.make", [None, filing.state])
    return filing


def _all(form: str) -> QuerySet[Any]:
    """Return the reports of a form."""
    return _MODELS[form]._default_manager.all()  # noqa: SLF001 - Django's documented model API


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
    read = read_answer(content)
    answers = {answer.position: answer for answer in read}
    if len(answers) != len(read):
        raise AcknowledgementRefused(reason="The answer names a report twice.")
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
    if not _PLACE.fullmatch(number):
        raise AcknowledgementRefused(reason="A report of the answer has no number.")
    found: dict[str, list[str]] = {"FATAL": [], "WARN": []}
    for error in element.findall("EFilingActivityErrorXML"):
        if not len(error):
            continue  # an empty one says that nothing was found
        level = (error.findtext("ErrorLevelText") or "").strip().upper()
        if level not in found:
            raise AcknowledgementRefused(reason="The answer has an error that is neither FATAL nor WARN.")
        words = error.findtext("ErrorText") or error.findtext("ErrorTypeCode") or "no words"
        found[level].append(f"{error.findtext('ErrorElementNameText') or 'report'}: {words}")
    return Answer(
        int(number), (element.findtext("BSAID") or "").strip(), tuple(found["FATAL"]), tuple(found["WARN"])
    )


def _check_numbers(answers: Iterable[Answer]) -> None:
    """
    Refuse numbers that cannot be, come twice, or belong to a report we know.

    The format names neither our file nor its digest: a number of another file is how a mix-up shows.
    """
    seen: set[str] = set()
    for answer in answers:
        if answer.fatal:
            continue
        if not _BSA_ID.fullmatch(answer.bsa_id):
            raise AcknowledgementRefused(
                reason=f"Report {answer.position} of the answer has no BSA id of 14 digits."
            )
        if answer.bsa_id in seen:
            raise AcknowledgementRefused(reason=f"The BSA id {answer.bsa_id} comes twice in the answer.")
        seen.add(answer.bsa_id)
    for form in FilingForm:
        known = _all(form).filter(bsa_id__in=seen).order_by("pk").values_list("bsa_id", flat=True).first()
        if known:
            raise AcknowledgementRefused(
                reason=f"The BSA id {known} belongs to another report: is this the answer to another file?"
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
