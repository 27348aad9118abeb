"""The ways in which reports say no; only people inside the wall read them."""

from collections.abc import Sequence

from compliance.reports.checking import Fault
from flowlet.core.errors import AppError, Conflict


class ReportInvalid(AppError):
    """The report would be refused by the authority."""

    code = "report_invalid"
    title = "The report is not valid"
    message = "{faults}"

    def __init__(self, *, faults: Sequence[Fault]) -> None:
        super().__init__(faults="; ".join(f"{fault.field}: {fault.text}" for fault in faults[:5]))


class ReportStateConflict(Conflict):
    """The report's state does not allow this."""

    code = "report_state"
    title = "Not possible now"
    message = "The report is {state}."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)


class CaseNotConfirmed(Conflict):
    """Only a confirmed case leads to a report."""

    code = "case_not_confirmed"
    title = "Case not confirmed"
    message = "Two people must have confirmed the case first."


class ReportExists(Conflict):
    """The case has its report."""

    code = "report_exists"
    title = "There is a report"
    message = "The case has a report already."


class NothingToFile(Conflict):
    """No report of that form waits for a file."""

    code = "nothing_to_file"
    title = "Nothing to file"
    message = "No report waits for a file."


class AcknowledgementRefused(AppError):
    """The acknowledgement does not fit the file, or cannot be read."""

    code = "acknowledgement_refused"
    title = "Acknowledgement refused"
    message = "{reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)
