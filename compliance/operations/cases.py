"""Cases: alerts are merged into one per customer, people work on it; the decision needs two (`cases_deciding`)."""

from datetime import datetime

from django.db import transaction

from compliance import policies_cases as policies
from compliance.choices_monitoring import OPEN_STATES, AlertStatus, CaseEventKind, CaseState
from compliance.models.cases import Case, CaseAlert, CaseEvent
from compliance.models.monitoring import Alert
from compliance.policies import check_note
from compliance.queries_monitoring import source_title
from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.identity.models import User


def put_alert(*, alert: Alert, now: datetime) -> Case:
    """
    Put an alert into the customer's open case, or open one; needs a transaction that holds the customer's alerts.

    A graver alert raises the case's severity and brings its due time forward; nothing moves it back.
    """
    case = lock(Case.objects.filter(customer_id=alert.customer_id, state__in=OPEN_STATES)).first()
    if case is None:
        case = _open(alert, now)
    else:
        _add(case, alert, now)
    CaseAlert.objects.create(case=case, alert=alert, added_at=now)
    alert.status = AlertStatus.IN_CASE
    alert.save(update_fields=["status"])
    return case


def _open(alert: Alert, now: datetime) -> Case:
    case = Case.objects.create(
        customer_id=alert.customer_id,
        severity=alert.severity,
        title=source_title(alert.source),
        due_at=policies.due_at(alert.severity, now),
        opened_at=now,
    )
    write_event(case, CaseEventKind.OPENED, now, data={"alert": alert.public_id})
    record(case, "case.open", state=[None, case.state], severity=[None, case.severity])
    return case


def _add(case: Case, alert: Alert, now: datetime) -> None:
    severity = policies.highest(case.severity, alert.severity)
    if severity != case.severity:
        case.severity = severity
        case.due_at = min(case.due_at, policies.due_at(severity, now))
    title = source_title(alert.source)
    if title not in case.title.split(" + "):
        case.title = f"{case.title} + {title}"[:160]
    case.save(update_fields=["severity", "due_at", "title"])
    write_event(case, CaseEventKind.ALERT_ADDED, now, data={"alert": alert.public_id})


def note_growth(*, alert: Alert, added: int, now: datetime) -> None:
    """Write on the case's timeline that an alert got more evidence."""
    _note_alert(alert, CaseEventKind.ALERT_GROWN, now, added=added)


def note_drop(*, alert: Alert, now: datetime) -> None:
    """Write on the case's timeline that an alert was dropped; the case stays for a person to close."""
    _note_alert(alert, CaseEventKind.ALERT_GONE, now, reason=alert.dismiss_reason)


def _note_alert(alert: Alert, kind: CaseEventKind, now: datetime, **data: object) -> None:
    link = CaseAlert.objects.filter(alert=alert).select_related("case").first()
    if link is not None:
        write_event(link.case, kind, now, data={"alert": alert.public_id, **data})


@transaction.atomic
def take_case(*, case_id: str, user_id: int, now: datetime) -> Case:
    """
    Make a case one's own; whoever had it before is named in the timeline.

    :raises NotFound: if there is no such case
    :raises CaseStateConflict: if it is closed or waits for a second person
    """
    case, user = _for_work(case_id, user_id)
    earlier, state = case.assignee, case.state
    if earlier is not None and earlier.pk == user.pk:
        return case
    case.assignee = user
    if case.state == CaseState.OPEN:
        case.state = CaseState.INVESTIGATING
    case.save(update_fields=["assignee", "state"])
    write_event(
        case, CaseEventKind.TAKEN, now, actor=user, data={"from": earlier.full_name if earlier else ""}
    )
    record(
        case,
        "case.take",
        assignee=[earlier.public_id if earlier else None, user.public_id],
        state=[state, case.state],
    )
    return case


@transaction.atomic
def add_note(*, case_id: str, user_id: int, note: str, now: datetime) -> CaseEvent:
    """
    Write a note; it can never be changed, and whoever wrote to a case may not check its decision.

    :raises NotFound: if there is no such case
    :raises NoteRequired: if there are no words
    :raises NoteTooLong: if there are too many
    :raises CaseStateConflict: if the case is closed or waits for a second person
    """
    check_note(note)
    case, user = _for_work(case_id, user_id)
    event = write_event(case, CaseEventKind.NOTE, now, actor=user, note=note)
    record(case, "case.note")
    return event


@transaction.atomic
def put_on_hold(*, case_id: str, user_id: int, note: str, now: datetime) -> Case:
    """
    Let a case wait for somebody else's answer; the clock stands still, for ten days in all at most.

    :raises NotFound: if there is no such case
    :raises NoteRequired: if the note does not say for whom
    :raises CaseStateConflict: if nobody works on the case
    :raises WaitedEnough: if the ten days are used up
    """
    check_note(note)
    case, user = _for_work(case_id, user_id)
    policies.check_state(case.state, CaseState.INVESTIGATING)
    policies.check_may_wait(case.waited_s)
    case.state, case.waiting_since = CaseState.WAITING, now
    case.save(update_fields=["state", "waiting_since"])
    write_event(case, CaseEventKind.WAITING, now, actor=user, note=note)
    record(case, "case.wait", state=[CaseState.INVESTIGATING, case.state])
    return case


@transaction.atomic
def resume_case(*, case_id: str, user_id: int, note: str, now: datetime) -> Case:
    """
    Go on with a case that waited; its due time moves by the wait, up to what is left of the ten days.

    :raises NotFound: if there is no such case
    :raises CaseStateConflict: if it does not wait
    """
    case, user = _for_work(case_id, user_id)
    policies.check_state(case.state, CaseState.WAITING)
    if case.waiting_since is not None:
        moved = policies.pause(since=case.waiting_since, now=now, waited_s=case.waited_s)
        case.waited_s += int(moved.total_seconds())
        case.due_at += moved
    case.state, case.waiting_since = CaseState.INVESTIGATING, None
    case.save(update_fields=["state", "waiting_since", "waited_s", "due_at"])
    write_event(case, CaseEventKind.RESUMED, now, actor=user, note=note)
    record(case, "case.resume", state=[CaseState.WAITING, case.state])
    return case


def _for_work(case_id: str, user_id: int) -> tuple[Case, User]:
    case = lock_case(case_id)
    policies.check_open_for_work(case.state)
    return case, User.objects.get(pk=user_id)


def lock_case(case_id: str) -> Case:
    """
    Return a case (`cas_…`) with its row locked.

    :raises NotFound: if there is none of that id
    """
    case = lock(Case.objects.filter(public_id=case_id)).select_related("assignee", "customer").first()
    if case is None:
        raise NotFound
    return case


def write_event(
    case: Case,
    kind: CaseEventKind,
    now: datetime,
    *,
    actor: User | None = None,
    note: str = "",
    data: dict[str, object] | None = None,
) -> CaseEvent:
    """Add a line to the case's timeline; without an actor it is the house's own."""
    event: CaseEvent = CaseEvent.objects.create(
        case=case,
        kind=kind,
        actor=actor,
        actor_label=actor.full_name or actor.email if actor else "Monitoring",
        note=note.strip() or None,
        data=data or {},
        at=now,
    )
    return event


def record(
    case: Case, action: str, *, reason_code: str = "", note: str = "", **changes: list[object]
) -> None:
    """Write the act to the audit trail; without the customer, so that it shows on no page of his."""
    trail.record(
        action=action,
        object_type="case",
        object_id=case.public_id,
        changes=changes,
        reason_code=reason_code,
        note=note,
    )
