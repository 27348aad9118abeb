"""What needs two people about breaks: larger write-offs, money booked to somebody, and the caps of the rule itself."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.urls import reverse

from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval, ApprovalStatus
from flowlet.core.errors import NotFound
from flowlet.core.money import Money
from ledger.choices_matching import LIVE_STATES, BreakReason
from ledger.errors_matching import BreakClosed
from ledger.models.matching import Break, WriteOffRule
from ledger.operations.breaks import resolve_break, set_write_off_rule, target_account, write_off

WRITE_OFF, REBOOK, SET_RULE = "ledger.write_off", "ledger.rebook_break", "ledger.set_write_off_rule"
_WORK, _APPROVE = "ledger.work_break", "ledger.approve_write_off"


def _live(break_id: str) -> Break:
    found = Break.objects.filter(public_id=break_id).first()
    if found is None:
        raise NotFound
    if found.state not in LIVE_STATES:
        raise BreakClosed
    return found


def ask_to_write_off(
    *, break_id: str, maker_id: int, reason: BreakReason, note: str = "", now: datetime
) -> Approval:
    """
    Ask a second person to let a break be written off, whatever its amount.

    :raises NotFound: if there is no such break
    :raises BreakClosed: if it is closed
    :raises ApprovalPending: if somebody asked before
    """
    found = _live(break_id)
    return request_approval(
        action=WRITE_OFF,
        object_type="break",
        object_id=found.public_id,
        payload={"becomes": "Written off"},
        maker_id=maker_id,
        reason_code=reason,
        note=note,
        now=now,
    )


def ask_to_rebook(
    *, break_id: str, account_id: str, maker_id: int, reason: BreakReason, note: str = "", now: datetime
) -> Approval:
    """
    Ask a second person to let the money of a break be booked to an account (`acc_…`).

    :raises NotFound: if there is no such break or account
    :raises BreakClosed: if it is closed
    :raises NotOpposite: if the account is in another currency or not one to book to
    :raises ApprovalPending: if somebody asked before
    """
    found = _live(break_id)
    account = target_account(account_id, found.currency)
    return request_approval(
        action=REBOOK,
        object_type="break",
        object_id=found.public_id,
        payload={"account": account.public_id},
        maker_id=maker_id,
        reason_code=reason,
        note=note,
        now=now,
    )


def ask_to_set_rule(
    *, cap_break: Money, cap_day: Money, maker_id: int, reason_code: str, note: str = "", now: datetime
) -> Approval:
    """
    Ask a second person to set how much one person may write off, per break and per day, in one currency.

    :raises ApprovalPending: if somebody asked before
    """
    return request_approval(
        action=SET_RULE,
        object_type="write_off_rule",
        object_id=cap_break.currency,
        payload={"cap_break_minor": cap_break.minor, "cap_day_minor": cap_day.minor},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


def asked_for(break_id: str) -> bool:
    """Tell whether a second person was asked about this break and has not answered."""
    return Approval.objects.filter(
        action__in=(WRITE_OFF, REBOOK), object_id=break_id, status=ApprovalStatus.PENDING
    ).exists()


def _break_evidence(object_id: str) -> Mapping[str, object]:
    found = Break.objects.select_related("line__bank_account", "posting__transaction").get(
        public_id=object_id
    )
    return {
        "what": found.get_kind_display(),
        "amount": Money(found.amount_minor, found.currency).format(),
        "since": found.since.isoformat(),
        "standing": found.get_state_display(),
        "bank_line": found.line.public_id if found.line else "",
        "booking": found.posting.transaction.public_id if found.posting else "",
        "note": found.note,
    }


def _rule_evidence(object_id: str) -> Mapping[str, object]:
    rule = WriteOffRule.objects.filter(currency=object_id).order_by("-pk").first()
    if rule is None:
        return {"present_rule": "None: every write-off needs two people"}
    return {
        "per_break_now": Money(rule.cap_break_minor, object_id).format(),
        "per_day_now": Money(rule.cap_day_minor, object_id).format(),
    }


def _worked_on_it(object_id: str) -> Collection[int]:
    """Return who owns the break: he may not check what he works on."""
    owner = Break.objects.filter(public_id=object_id).values_list("owner_id", flat=True).first()
    return () if owner is None else (owner,)


def _write_off(approval: Approval, now: datetime) -> None:
    write_off(
        break_id=approval.object_id,
        reason=BreakReason(approval.reason_code),
        approval_id=approval.pk,
        now=now,
    )


def _rebook(approval: Approval, now: datetime) -> None:
    resolve_break(
        break_id=approval.object_id,
        reason=BreakReason(approval.reason_code),
        note=approval.note[:500],
        account_id=str(approval.payload["account"]),
        approval_id=approval.pk,
        now=now,
    )


def _set_rule(approval: Approval, now: datetime) -> None:
    set_write_off_rule(
        currency=approval.object_id,
        cap_break_minor=int(approval.payload["cap_break_minor"]),
        cap_day_minor=int(approval.payload["cap_day_minor"]),
        approval_id=approval.pk,
        now=now,
    )


def _break_href(object_id: str) -> str:
    return reverse("admin:ledger_break_change", args=[object_id])


for _action, _title, _execute in (
    (WRITE_OFF, "Write a break off", _write_off),
    (REBOOK, "Book the money of a break to an account", _rebook),
):
    APPROVALS.register(_action)(
        ApprovalKind(
            title=_title,
            permission=_APPROVE,
            maker_permission=_WORK,
            evidence=_break_evidence,
            execute=_execute,
            object_href=_break_href,
            excluded=_worked_on_it,
            hours=72,
        )
    )
APPROVALS.register(SET_RULE)(
    ApprovalKind(
        title=lambda currency: f"Set the caps of write-offs in {currency}",
        permission=_APPROVE,
        maker_permission="ledger.write_off_break",
        evidence=_rule_evidence,
        execute=_set_rule,
        object_href=lambda _: reverse("admin:ledger_break_changelist"),
        hours=72,
    )
)
