"""How payments, attempts and refunds look in the back office, wherever they are shown."""

from django.db.models import QuerySet

from flowlet.backoffice.cells import Amount, Badge, Code, Main, Tone, When
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, table_panel
from payments.choices import PaymentStatus, RefundStatus, StepState
from payments.models import Payment, PaymentAttempt, Refund

CARD = "Card"
_TONES: dict[str, Tone] = {
    PaymentStatus.PROCESSING: "info",
    PaymentStatus.OUTCOME_UNKNOWN: "warn",
    PaymentStatus.COMPLETED: "ok",
    PaymentStatus.REFUSED: "bad",
    PaymentStatus.FAILED: "bad",
    PaymentStatus.RETURNED: "warn",
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
    """Return who pays: a customer, or a card."""
    return payment.payer_wallet.customer.name if payment.payer_wallet else CARD


def names_of(payment: Payment) -> str:
    """Return who pays whom."""
    return f"{payer_name(payment)} → {payment.payee_wallet.customer.name}"


def attempts_panel(payment: Payment) -> Panel:
    """Return the calls to the vendor, newest first."""
    return table_panel(
        "Calls to the card processor",
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
