"""What a person may do about a case: take it, write, let it wait, propose how it ends. Each calls one operation."""

from compliance.admin_cases import WORK
from compliance.choices_monitoring import CASE_REASONS, CaseState
from compliance.models.cases import Case
from compliance.operations import cases
from compliance.operations.cases_deciding import propose_decision
from flowlet.backoffice.actions import ActionCall, action


def _in_work(case: Case) -> bool:
    return case.state in (CaseState.OPEN, CaseState.INVESTIGATING, CaseState.WAITING)


@action(
    name="case.take",
    model=Case,
    permission=WORK,
    label="Take",
    title=lambda case: f"Take the case of {case.customer.name}?",
    text="It becomes yours; whoever has it now is named in the time line.",
    reason=False,
    note="none",
    available=lambda case: _in_work(case) and case.assignee_id is None,
    primary=True,
    icon="user",
    order=10,
    done="The case is yours.",
)
def take(call: ActionCall, case: Case) -> None:
    """Make the case one's own."""
    cases.take_case(case_id=case.public_id, user_id=call.person.user.pk, now=call.now)


@action(
    name="case.take_over",
    model=Case,
    permission=WORK,
    label="Take over",
    title=lambda case: (
        f"Take the case of {case.customer.name} from {case.assignee.full_name if case.assignee else 'nobody'}?"
    ),
    text="Both of you stand in the time line.",
    reason=False,
    note="none",
    available=lambda case: _in_work(case) and case.assignee_id is not None,
    icon="user",
    order=40,
    done="The case is yours.",
)
def take_over(call: ActionCall, case: Case) -> None:
    """Take the case from a colleague."""
    cases.take_case(case_id=case.public_id, user_id=call.person.user.pk, now=call.now)


@action(
    name="case.note",
    model=Case,
    permission=WORK,
    label="Add note",
    title=lambda case: f"Add a note to the case of {case.customer.name}",
    text="A note is never changed. Whoever wrote to a case may not approve its decision.",
    reason=False,
    note="required",
    available=_in_work,
    order=20,
    done="Note added.",
)
def add_note(call: ActionCall, case: Case) -> None:
    """Write a note."""
    cases.add_note(case_id=case.public_id, user_id=call.person.user.pk, note=call.note, now=call.now)


@action(
    name="case.wait",
    model=Case,
    permission=WORK,
    label="Wait",
    title=lambda case: f"Let the case of {case.customer.name} wait?",
    text="Say for whom or what. The clock stands still, for ten days in all at most.",
    reason=False,
    note="required",
    available=lambda case: case.state == CaseState.INVESTIGATING,
    icon="clock",
    order=30,
    done="The case waits.",
)
def wait(call: ActionCall, case: Case) -> None:
    """Stop the clock."""
    cases.put_on_hold(case_id=case.public_id, user_id=call.person.user.pk, note=call.note, now=call.now)


@action(
    name="case.resume",
    model=Case,
    permission=WORK,
    label="Resume",
    title=lambda case: f"Go on with the case of {case.customer.name}?",
    text="The clock runs again; the due time moves by the wait.",
    reason=False,
    available=lambda case: case.state == CaseState.WAITING,
    primary=True,
    order=10,
    done="The case is in work again.",
)
def resume(call: ActionCall, case: Case) -> None:
    """Start the clock again."""
    cases.resume_case(case_id=case.public_id, user_id=call.person.user.pk, note=call.note, now=call.now)


@action(
    name="case.propose",
    model=Case,
    permission=WORK,
    label="Propose decision",
    title=lambda case: f"How should the case of {case.customer.name} end?",
    text="A second person who wrote nothing to the case must approve before it closes.",
    reasons=tuple(
        (reason.value, f"{outcome.label}: {reason.label.lower()}")
        for outcome, reasons in CASE_REASONS.items()
        for reason in reasons
    ),
    note="required",
    available=lambda case: case.state == CaseState.INVESTIGATING,
    primary=True,
    icon="users",
    order=10,
    done="Proposed; a second person must approve.",
)
def propose(call: ActionCall, case: Case) -> None:
    """Ask a second person to close the case; the reason names the outcome."""
    outcome = next(one for one, reasons in CASE_REASONS.items() if call.reason in reasons)
    propose_decision(
        case_id=case.public_id,
        user_id=call.person.user.pk,
        outcome=outcome,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )
