"""How payments, attempts and refunds look in the back office, wherever they are shown."""

from django.db.models import QuerySet
from django.urls import reverse

from flowlet.backoffice.cells import Amount, Badge, Code, Link, Main, Tone, When
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from fraud.admin_decisions import rule_title
from fraud.choices import Action, Degraded
from fraud.models import Decision, RuleHit
from payments.choices import PaymentStatus, RefundStatus, StepState
from payments.models import Payment, PaymentAttempt, Refund
from payments.rails.registry import title_of

_TONES: dict[str, Tone] = {
    PaymentStatus.PROCESSING: "info",
    PaymentStatus.OUTCOME_UNKNOWN: "warn",
    PaymentStatus.COMPLETED: "ok",
    PaymentStatus.REFUSED: "bad",
    PaymentStatus.FAILED: "bad",
    PaymentStatus.HELD: "warn",
    PaymentStatus.REQUIRES_ACTION: "wait",
    PaymentStatus.CANCELED: "",
    PaymentStatus.RETURNED: "bad",
}
_VERDICT_TONES: dict[str, Tone] = {
    Action.ALLOW: "ok",
    Action.STEP_UP: "info",
    Action.REVIEW: "warn",
    Action.DECLINE: "bad",
}
_STEP_TONES: dict[str, Tone] = {
    StepState.DONE: "ok",
    StepState.REFUSED: "bad",
    StepState.UNKNOWN: "warn",
}
_REFUND_TONES: dict[str, Tone] = {
    RefundStatus.PENDING: "info",
    RefundStatus.SUCCEEDED: "ok",
    RefundStatus.FAILED: "bad",
}


def payment_badge(payment: Payment) -> Badge:
    """Return how a payment stands."""
    return Badge(payment.get_status_display(), _TONES[payment.status])


def payer_name(payment: Payment) -> str:
    """Return who pays: a customer, or what is outside."""
    return payment.payer_wallet.customer.name if payment.payer_wallet else title_of(payment.rail)


def payee_name(payment: Payment) -> str:
    """Return who gets the money: a customer, or the bank account of one."""
    if payment.payee_wallet:
        return payment.payee_wallet.customer.name
    account = payment.bank_account
    return f"{account.customer.name}'s bank" if account else ""


def names_of(payment: Payment) -> str:
    """Return who pays whom."""
    return f"{payer_name(payment)} → {payee_name(payment)}"


def attempts_panel(payment: Payment) -> Panel:
    """Return the calls to the vendor, newest first."""
    return table_panel(
        "Calls to the processor",
        columns=(
            Column(title="Reference", cell=_reference),
            Column(
                title="State",
                cell=lambda a: Badge(a.get_state_display(), _STEP_TONES.get(a.state, "")),
                width="s",
            ),
            Column(title="Answer", cell=lambda a: Code(a.vendor_code), width="m", hide="m"),
            Column(title="Sent", cell=lambda a: When(a.sent_at), width="m", hide="s"),
            Column(title="Next check", cell=lambda a: When(a.next_check_at), width="m", right=True),
        ),
        rows=list(payment.attempts.order_by("-number")),
        empty=("Nothing was sent yet", "What is sent to the rail, and what it said, shows here."),
    )


def _reference(attempt: PaymentAttempt) -> Main:
    return Main(attempt.our_reference, attempt.vendor_reference, mono=True)


def refunds_panel(payment: Payment) -> Panel:
    """Return what was given back, newest first, and what is left."""
    rows: QuerySet[Refund] = payment.refunds.order_by("-created_at", "-pk")
    return table_panel(
        "Refunds",
        columns=(
            Column(title="Refund", cell=lambda r: Main(r.reason or "Refund", r.public_id, mono=True)),
            Column(title="Amount", cell=lambda r: Amount(r.amount), width="l", right=True),
            Column(
                title="Status",
                cell=lambda r: Badge(r.get_status_display(), _REFUND_TONES[r.status]),
                width="s",
            ),
            Column(title="Made", cell=lambda r: When(r.created_at), width="m", right=True, hide="s"),
        ),
        rows=list(rows),
        empty=("Nothing was given back", "Partners refund top-ups through the API."),
        note=f"{payment.refundable.format()} left",
    )


def fraud_panel(payment: Payment) -> Panel | None:
    """Return in words why the fraud check let a payment pass or not; None if it was not asked."""
    decision = Decision.objects.filter(public_id=payment.fraud_decision).first()
    if not payment.fraud_decision or decision is None:
        return None
    hits = RuleHit.objects.filter(decision_id=decision.pk, live=True).select_related("rule_version")
    href = reverse("admin:fraud_decision_change", args=[decision.public_id])
    facts: list[tuple[str, object]] = [
        ("Verdict", Badge(Action(decision.action).label, _VERDICT_TONES[decision.action])),
        *(("Rule", rule_title(hit.rule_version)) for hit in hits.order_by("pk")),
        *(
            ("Speaks for fraud", f"{reason['family']}: {reason['text']}")
            for reason in decision.reasons
            if reason["share"] > 0
        ),
        *(("Judged with less", Degraded(rung).label) for rung in decision.degraded),
        ("Decision", Link(decision.public_id, href, mono=True)),
    ]
    return facts_panel("Fraud check", facts)
