"""Deciding a case: one person proposes, a second one who wrote nothing to it approves; the database asks for both."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from compliance import policies_cases as policies
from compliance.choices_monitoring import CaseEventKind, CaseState
from compliance.models.cases import Case, CaseEvent
from compliance.operations.cases import lock_case, record, write_event
from compliance.operations.locking import lock_customers
from compliance.policies import check_note
from compliance.queries_cases import case_evidence, get_case
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval, ApprovalStatus
from flowlet.core.locks import lock
from flowlet.identity.models import User

ACTION = "compliance.close_case"
HOURS = 72  # a weekend may lie between maker and checker


@transaction.atomic
def propose_decision(
    *, case_id: str, user_id: int, outcome: str, reason_code: str, note: str, now: datetime
) -> Case:
    """
    Propose how a case ends and ask for a second person, who may not have written to it.

    :raises NotFound: if there is no such case
    :raises CaseReasonMismatch: if the reason does not go with the outcome
    :raises NoteRequired: if there are no words
    :raises CaseStateConflict: if nobody took the case yet, or it is closed or proposed
    :raises NotYourApproval: if the person may not propose
    """
    policies.check_proposal(outcome=outcome, reason_code=reason_code)
    check_note(note)
    case = lock_case(case_id)
    policies.check_state(case.state, CaseState.INVESTIGATING)
    user = User.objects.get(pk=user_id)
    write_event(
        case,
        CaseEventKind.PROPOSED,
        now,
        actor=user,
        note=note,
        data={"outcome": outcome, "reason": reason_code},
    )
    case.approval = request_approval(
        action=ACTION,
        object_type="case",
        object_id=case.public_id,
        payload={"outcome": outcome.capitalize()},
        maker_id=user_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )
    case.state, case.proposed_outcome, case.proposed_reason = CaseState.PROPOSED, outcome, reason_code
    case.save(update_fields=["approval", "state", "proposed_outcome", "proposed_reason"])
    record(
        case,
        "case.propose",
        reason_code=reason_code,
        state=[CaseState.INVESTIGATING, case.state],
        outcome=[None, outcome],
    )
    return case


def close_case(*, approval: Approval, now: datetime) -> Case:
    """
    Close a case as it was proposed and approved; called by the approval in its own transaction.

    :raises CaseStateConflict: if the case does not wait for this approval
    """
    # Runs hold the customer's alerts while they write to his case: what was evidence stays evidence until commit.
    lock_customers([get_case(approval.object_id).customer_id])
    case = lock_case(approval.object_id)
    policies.check_state(case.state, CaseState.PROPOSED)
    case.state = CaseState(f"CLOSED_{approval.payload['outcome'].upper()}")
    case.closed_at = now
    case.save(update_fields=["state", "closed_at"])
    vote = approval.votes.select_related("checker").get()
    write_event(
        case,
        CaseEventKind.CLOSED,
        now,
        actor=vote.checker,
        note=vote.note,
        data={"outcome": case.proposed_outcome, "reason": case.proposed_reason},
    )
    record(case, "case.close", reason_code=case.proposed_reason, state=[CaseState.PROPOSED, case.state])
    return case


def return_case(*, approval: Approval, now: datetime) -> Case | None:
    """
    Give a case back to work whose request ended without approval; called by the approval in its own transaction.

    Return None, and do nothing, when the case does not wait for this request.
    """
    case = lock(Case.objects.filter(public_id=approval.object_id)).first()
    if case is None or case.state != CaseState.PROPOSED or case.approval_id != approval.pk:
        return None
    case.state, case.approval, case.proposed_outcome, case.proposed_reason = (
        CaseState.INVESTIGATING,
        None,
        "",
        "",
    )
    case.save(update_fields=["state", "approval", "proposed_outcome", "proposed_reason"])
    _write_return(case, approval, now)
    record(case, "case.return", state=[CaseState.PROPOSED, case.state])
    return case


def _write_return(case: Case, approval: Approval, now: datetime) -> None:
    """Write who gave a proposal back and with which words; nobody, when it ran out."""
    vote = approval.votes.select_related("checker").first()
    write_event(
        case,
        CaseEventKind.RETURNED,
        now,
        actor=vote.checker if vote else None,
        note=vote.note if vote else "",
        data={"status": ApprovalStatus(approval.status).label},
    )


def writers(case_id: str) -> Collection[int]:
    """Return the keys of all people who wrote to the case and so may not check its decision; a rejection does not."""
    lines = CaseEvent.objects.filter(case__public_id=case_id, actor__isnull=False)
    return set(lines.exclude(kind=CaseEventKind.RETURNED).values_list("actor_id", flat=True))


def _evidence(case_id: str) -> Mapping[str, object]:
    return case_evidence(case_id)


def _title(case_id: str) -> str:
    del case_id  # neutral: titles of requests are seen by everybody who may open that page
    return "Close the case"


def case_href(case_id: str) -> str:
    """Return the address of a case's page."""
    return reverse("admin:compliance_case_change", args=[case_id])


def _execute(approval: Approval, now: datetime) -> object:
    return close_case(approval=approval, now=now)


def _ended(approval: Approval, now: datetime) -> object:
    return return_case(approval=approval, now=now)


APPROVALS.register(ACTION)(
    ApprovalKind(
        title=_title,
        permission="compliance.approve_case",
        maker_permission="compliance.work_case",
        evidence=_evidence,
        execute=_execute,
        object_href=case_href,
        ended=_ended,
        excluded=writers,
        hours=HOURS,
    )
)
