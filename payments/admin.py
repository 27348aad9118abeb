"""The list of payments and the page of one."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Code, Main, When, words
from flowlet.backoffice.filters import AmountSpan, Choice, DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from ledger.admin_parts import CAUSE_PAGES
from payments import admin_actions as _actions  # noqa: F401 - registers the buttons
from payments import admin_today as _today  # noqa: F401 - registers panels, figures, chart and search
from payments.admin_parts import attempts_panel, fraud_panel, names_of, payment_badge, refunds_panel
from payments.choices import REFUSAL_WORDS, PaymentKind, PaymentStatus
from payments.models import Payment
from payments.rails.registry import title_of
from wallets.admin_parts import (
    CURRENCIES,
    ENTRY_PAGES,
    customer_link,
    entries_panel,
    transaction_cell,
    wallet_link,
)
from wallets.models import BankAccount, Wallet

_NOTHING_MOVED = (PaymentStatus.REFUSED, PaymentStatus.FAILED, PaymentStatus.CANCELED)
_ENDS: dict[str, str] = {
    PaymentStatus.FAILED: "failed",
    PaymentStatus.CANCELED: "was canceled",
    PaymentStatus.RETURNED: "came back",
}
ENTRY_PAGES.register("payment")("admin:payments_payment_change")
CAUSE_PAGES.register("payment")("admin:payments_payment_change")


def names(payment: Payment) -> Main:
    """Return who pays whom, over the payment's id."""
    return Main(names_of(payment), payment.public_id, mono=True)


@register(Payment)
class PaymentAdmin(ModelAdmin):
    """All payments of all partners."""

    path, title, group, icon, nav_order = "payments", "Payments", "Money", "arrow-left-right", 10
    summary = "Between wallets of one partner, into them and out to banks; newest first"
    related = (
        "payer_wallet__customer",
        "payee_wallet__customer",
        "bank_account__customer",
        "partner",
        "transaction",
        "returned",
    )
    search_by = (
        "public_id",
        "idempotency_key",
        "transaction__public_id",
        "payer_wallet__public_id",
        "payee_wallet__public_id",
    )
    search_hint = "pay_, wal_ or txn_ id, key"
    list_order = ("-created_at", "-id")
    detail_template = "payments/payment.html"
    views = (
        View(key="all", title="All", counted=False),
        View(key="held", title="Held", condition=Q(status=PaymentStatus.HELD)),
        View(key="refused", title="Refused", condition=Q(status=PaymentStatus.REFUSED)),
        View(key="unknown", title="Unknown outcome", condition=Q(status=PaymentStatus.OUTCOME_UNKNOWN)),
        View(key="returned", title="Returned", condition=Q(status=PaymentStatus.RETURNED)),
        View(key="failed", title="Failed", condition=Q(status=PaymentStatus.FAILED), counted=False),
        View(key="completed", title="Completed", condition=Q(status=PaymentStatus.COMPLETED), counted=False),
    )
    filters = (
        Choice("kind", "Kind", tuple(PaymentKind.choices)),
        AmountSpan("amount", "Amount", CURRENCIES),
        Choice(
            "reason",
            "Refused because",
            tuple((code, words(code)) for code in REFUSAL_WORDS),
            lookup="refusal_code",
        ),
        DateSpan("created", "Created", lookup="created_at"),
    )
    columns = (
        Column(title="From → to", cell=names),
        Column(title="Description", cell=lambda p: p.description, width="m", hide="m"),
        Column(title="Partner", cell=lambda p: p.partner.name, width="m", hide="m"),
        Column(title="Amount", cell=lambda p: Amount(p.amount), width="m", right=True, order="amount_minor"),
        Column(title="Status", cell=payment_badge, width="m"),
        Column(
            title="Created",
            cell=lambda p: When(p.created_at),
            width="m",
            right=True,
            hide="s",
            order="created_at",
        ),
    )
    empty = ("No payments yet", "Partners make them through the API.")

    def object_title(self, obj: Any) -> str:
        """Return the amount."""
        return str(obj.amount.format())

    def object_summary(self, obj: Any) -> str:
        """Return kind, partner and id."""
        return f"{obj.description or 'Payment'} · {obj.partner.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return how it ended."""
        return [payment_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return from and to, the entries or the refusal, the facts, the time line."""
        subject = Subject(object_type="payment", object_id=obj.public_id)
        outside = [attempts_panel(obj)] if obj.kind in (PaymentKind.TOP_UP, PaymentKind.PAYOUT) else []
        outside += [refunds_panel(obj)] if obj.kind == PaymentKind.TOP_UP else []
        fraud = fraud_panel(obj)
        return [
            _way_panel(obj),
            *_end_panels(obj),
            *([fraud] if fraud else []),
            *outside,
            timeline_panel(subject, person_of(request)),
            facts_panel("Details", _facts(obj), side=True),
        ]


def _end_panels(payment: Payment) -> list[Panel]:
    panels = [_refusal_panel(payment)] if payment.refusal_code else []
    booked = (
        (payment.transaction_id, "Ledger entries"),
        (payment.returned_id, "Ledger entries of the return"),
    )
    return panels + [entries_panel(pk, title=title) for pk, title in booked if pk]


def _way_panel(payment: Payment) -> Panel:
    payer, payee = payment.payer_wallet, payment.payee_wallet
    return Panel(
        title="From and to",
        template="payments/way.html",
        data={
            "amount": Amount(payment.amount),
            "payer": _side(payer) if payer else (title_of(payment.rail), "", ""),
            "payee": _side(payee) if payee else _bank_side(payment.bank_account),
            "refused": payment.status in _NOTHING_MOVED,
        },
    )


def _side(wallet: Wallet) -> tuple[object, object, str]:
    return customer_link(wallet.customer), wallet_link(wallet), wallet.name


def _bank_side(account: BankAccount | None) -> tuple[object, object, str]:
    return (customer_link(account.customer), str(account), "Bank account") if account else ("", "", "")


def _refusal_panel(payment: Payment) -> Panel:
    facts = [
        ("Reason", REFUSAL_WORDS.get(payment.refusal_code, words(payment.refusal_code))),
        ("What the partner was told", payment.refusal_detail),
        ("Code", Code(payment.refusal_code)),
        ("Money", _money_words(payment)),
    ]
    return facts_panel(f"Why it {_ENDS.get(payment.status, 'was refused')}", facts)


def _money_words(payment: Payment) -> str:
    if payment.status == PaymentStatus.RETURNED:
        return "Went out and came back; see the entries."
    return "None moved. A new try needs a new payment."


def _facts(payment: Payment) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Kind", payment.get_kind_display()),
        ("Rail", title_of(payment.rail)),
        ("Partner", payment.partner.name),
        ("Created", When(payment.created_at)),
        ("Completed", When(payment.completed_at)),
        ("Idempotency key", Code(payment.idempotency_key or "")),
    ]
    if payment.transaction:
        facts.append(("Ledger transaction", transaction_cell(payment.transaction.public_id)))
        facts.append(("Booked", When(payment.transaction.posted_at)))
    if payment.returned:
        facts.append(("Returned by", transaction_cell(payment.returned.public_id)))
        facts.append(("Came back", When(payment.returned.posted_at)))
    if payment.status in (PaymentStatus.HELD, PaymentStatus.PROCESSING, PaymentStatus.OUTCOME_UNKNOWN):
        facts.append(("On hold", Amount(payment.amount) if payment.hold_id else "Nothing"))
    if payment.parked:
        facts.append(("Parked", "The wallet did not take the money; it waits on the suspense account."))
    return facts
