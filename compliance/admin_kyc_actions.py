"""What officers do with an identity file: each button calls one operation."""

from compliance import queries_kyc
from compliance.admin_kyc import kyc_href, queue_href
from compliance.choices_kyc import DECISION_REASONS, WAITS_FOR_PERSON, KycState, Outcome
from compliance.models.kyc import KycApplication
from compliance.operations import kyc_checks, kyc_decisions
from flowlet.backoffice.actions import ActionCall, action
from flowlet.identity.choices import RiskLevel

DECIDE = "compliance.decide_kyc"
SENIOR = "compliance.approve_high_risk"


def _next_href(call: ActionCall, application: KycApplication) -> str:
    """Return the next file that waits, first due first; the queue when all is done."""
    del call
    following = queries_kyc.list_waiting().exclude(pk=application.pk).first()
    return kyc_href(following) if following else queue_href()


def _reasons(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    return tuple((code.value, code.label) for code in DECISION_REASONS[outcome])


def _version(application: KycApplication) -> str:
    """Return what a form saw of a file; the sealed form is left out, which reads otherwise once it was opened."""
    return f"{application.state}.{application.submission}.{application.run}"


def _is_open(application: KycApplication) -> bool:
    return application.state == KycState.IN_REVIEW


def _effect(application: KycApplication) -> tuple[str, ...]:
    return (f"Tier of {application.customer.name}: {application.get_wanted_tier_display().lower()}",)


@action(
    name="kyc.approve",
    model=KycApplication,
    version=_version,
    permission=DECIDE,
    label="Approve",
    title=lambda row: f"Approve {row.customer.name}?",
    text="The customer gets the tier at once, with its limits.",
    reasons=_reasons(Outcome.APPROVED),
    impact=_effect,
    available=lambda row: _is_open(row) and row.risk_level not in (RiskLevel.HIGH, RiskLevel.PROHIBITED),
    primary=True,
    button=False,
    done=lambda row: f"Approved: {row.customer.name} has the {row.get_wanted_tier_display().lower()} tier.",
    next_href=_next_href,
)
def approve(call: ActionCall, application: KycApplication) -> None:
    """Give the tier."""
    _decide(call, application, Outcome.APPROVED)


@action(
    name="kyc.approve_high",
    model=KycApplication,
    version=_version,
    permission=SENIOR,
    label="Approve high risk",
    title=lambda row: f"Approve {row.customer.name} at high risk?",
    text="The customer gets the tier at once and stays rated as high risk.",
    reasons=_reasons(Outcome.APPROVED),
    note="required",
    impact=_effect,
    available=lambda row: _is_open(row) and row.risk_level == RiskLevel.HIGH,
    primary=True,
    button=False,
    done=lambda row: f"Approved: {row.customer.name} has the {row.get_wanted_tier_display().lower()} tier.",
    next_href=_next_href,
)
def approve_high(call: ActionCall, application: KycApplication) -> None:
    """Give the tier to somebody of high risk."""
    _decide(call, application, Outcome.APPROVED, senior=True)


@action(
    name="kyc.ask",
    model=KycApplication,
    version=_version,
    permission=DECIDE,
    label="Ask again",
    title=lambda row: f"Ask {row.customer.name} for more?",
    text="The partner is told what to send, in plain words. The note stays here.",
    reasons=_reasons(Outcome.INFORMATION_NEEDED),
    available=_is_open,
    button=False,
    done=lambda row: f"Asked for more: {row.customer.name}.",
    next_href=_next_href,
)
def ask(call: ActionCall, application: KycApplication) -> None:
    """Ask the partner for more."""
    _decide(call, application, Outcome.INFORMATION_NEEDED)


@action(
    name="kyc.reject",
    model=KycApplication,
    version=_version,
    permission=DECIDE,
    label="Refuse",
    title=lambda row: f"Refuse {row.customer.name}?",
    text="The tier stays as it is. The partner hears only that it is not permitted.",
    reasons=_reasons(Outcome.REJECTED),
    note="required",
    available=_is_open,
    danger=True,
    button=False,
    keep_label="Not sure yet",
    done=lambda row: f"Refused: {row.customer.name}.",
    next_href=_next_href,
)
def reject(call: ActionCall, application: KycApplication) -> None:
    """Refuse the application."""
    _decide(call, application, Outcome.REJECTED)


@action(
    name="kyc.check",
    model=KycApplication,
    version=_version,
    permission=DECIDE,
    label="Run checks again",
    title=lambda row: f"Check {row.customer.name} again?",
    text="All checks, the watch lists and the risk rating run anew. What passes everything at low risk is approved.",
    reason=False,
    note="none",
    available=lambda row: row.state in WAITS_FOR_PERSON,
    icon="refresh-cw",
    done=lambda row: f"Checked again: {row.get_state_display().lower()}.",
)
def check(call: ActionCall, application: KycApplication) -> None:
    """Run the checks once more."""
    kyc_checks.run_checks_again(application_id=application.public_id, now=call.now)


def _decide(call: ActionCall, application: KycApplication, outcome: Outcome, *, senior: bool = False) -> None:
    kyc_decisions.decide_kyc(
        application_id=application.public_id,
        outcome=outcome,
        reason_code=call.reason,
        note=call.note,
        senior=senior,
        now=call.now,
    )
