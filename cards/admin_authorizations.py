"""Authorisations with why each was answered so, and clearings and refunds with what is odd about them."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from cards.admin_parts import (
    authorization_href,
    card_link,
    checks_panel,
    exception_badge,
    merchant_of,
    messages_panel,
    outcome_badge,
    state_badge,
    transactions_panel,
    usual_panel,
    why,
)
from cards.choices import CARDHOLDER_WORDS, DECLINE_WORDS, AuthorizationState, Channel, ExceptionCode
from cards.models.authorizations import CardAuthorization, CardTransaction, NetworkEvent
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Code, Link, Main, When
from flowlet.backoffice.filters import AmountSpan, Choice, DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core.countries import country_name
from flowlet.core.money import Money
from wallets.admin_parts import (
    CURRENCIES,
    customer_link,
    entries_panel,
    page_href,
    transaction_cell,
    wallet_link,
)

_CARD = "card__customer"


@register(CardAuthorization)
class AuthorizationAdmin(ModelAdmin):
    """What merchants asked and what was answered."""

    path, title, group = "card-authorizations", "Card authorisations", "Money"
    icon, nav_order = "list-checks", 24
    summary = "What merchants asked for and what they were answered; newest first"
    related = (_CARD, "card__partner", "card__wallet", "decision")
    search_by = (
        "public_id",
        "network_reference",
        "card__public_id",
        "card__last_four",
        "card__customer__name__icontains",
        "merchant_name__icontains",
    )
    search_hint = "Merchant, name, last four, reference"
    list_order = ("-created_at", "-id")
    views = (
        View(key="all", title="All", counted=False),
        View(key="declined", title="Declined", condition=Q(state=AuthorizationState.DECLINED), counted=False),
        View(key="open", title="Open", condition=Q(state=AuthorizationState.OPEN)),
    )
    filters = (
        AmountSpan("requested", "Amount", CURRENCIES),
        Choice("reason", "Declined because", tuple(DECLINE_WORDS.items()), lookup="decision__reason"),
        Choice("channel", "Channel", tuple(Channel.choices)),
        DateSpan("created", "Asked", lookup="created_at"),
    )
    columns = (
        Column(title="Merchant", cell=lambda a: Main(a.merchant_name, a.public_id, mono=True)),
        Column(title="Card", cell=lambda a: f"{a.card}, {a.card.customer.name}", width="l", hide="s"),
        Column(
            title="Amount", cell=lambda a: Amount(a.amount), width="m", right=True, order="requested_minor"
        ),
        Column(title="State", cell=state_badge, width="s"),
        Column(title="Why", cell=why, width="l", hide="m"),
        Column(
            title="Asked",
            cell=lambda a: When(a.created_at),
            width="m",
            right=True,
            hide="s",
            order="created_at",
        ),
    )
    empty = ("No authorisations yet", "They come in when a card is used.")

    def object_title(self, obj: Any) -> str:
        """Return amount and merchant."""
        return f"{obj.amount.format()}, {obj.merchant_name}"

    def object_summary(self, obj: Any) -> str:
        """Return card, holder and id."""
        return f"{obj.card} of {obj.card.customer.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the answer and how it stands now."""
        declined = obj.state == AuthorizationState.DECLINED
        return [outcome_badge(obj)] if declined else [outcome_badge(obj), state_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return why, every check, the network's messages, what was booked, facts, what is usual."""
        person = person_of(request)
        messages = NetworkEvent.objects.filter(
            card=obj.card_id, processor=obj.processor, network_reference=obj.network_reference
        ).order_by("network_time", "pk")
        booked = obj.transactions.select_related("event", "authorization").order_by("-booked_at", "-pk")
        happened = [messages_panel(list(messages), obj.currency), transactions_panel(list(booked))]
        declined = obj.state == AuthorizationState.DECLINED
        subject = Subject(object_type="card_authorization", object_id=obj.public_id)
        return [
            *([_why_panel(obj)] if declined else []),
            checks_panel(obj),
            *([] if declined else happened),
            facts_panel("Details", _facts(obj, may_see_fraud=person.may("fraud.view_decision")), side=True),
            usual_panel(obj),
            timeline_panel(subject, person, limit=10, side=True),
        ]


def _why_panel(row: CardAuthorization) -> Panel:
    decision = row.decision
    others = [DECLINE_WORDS.get(code, code) for code in decision.reasons if code != decision.reason]
    facts: list[tuple[str, object]] = [
        ("Reason", why(row)),
        ("Also", " ".join(others)),
        ("What the cardholder may hear", CARDHOLDER_WORDS.get(decision.reason, "")),
        ("Answer to the network", Code(decision.network_code)),
        ("Money", "None was held or moved."),
    ]
    return facts_panel("Why it was declined", [fact for fact in facts if fact[1]])


def _facts(row: CardAuthorization, *, may_see_fraud: bool) -> list[tuple[str, object]]:
    currency, decision = row.currency, row.decision
    is_open = row.state == AuthorizationState.OPEN
    held = max(0, row.authorized_minor - row.cleared_minor) if is_open else 0
    facts: list[tuple[str, object]] = [
        ("Card", card_link(row.card)),
        ("Holder", customer_link(row.card.customer)),
        ("Wallet", wallet_link(row.card.wallet)),
        ("Asked for", Amount(row.amount)),
        ("At the merchant", Amount(Money(row.merchant_minor, row.merchant_currency))),
        ("Authorised", Amount(Money(row.authorized_minor, currency))),
        ("Held now", Amount(Money(held, currency))),
        ("Cleared", Amount(Money(row.cleared_minor, currency))),
        ("Refunded", Amount(Money(row.refunded_minor, currency))),
        ("Category", Code(row.mcc)),
        ("Country", country_name(row.country) or row.country),
        ("Channel", row.get_channel_display()),
        ("Network time", When(row.network_time)),
        ("Holds until", When(row.expires_at)),
        ("Network reference", Code(row.network_reference)),
        ("Version of limits", str(decision.controls_version or "")),
    ]
    if decision.fraud_decision:
        href = page_href("admin:fraud_decision_change", decision.fraud_decision) if may_see_fraud else ""
        text = decision.fraud_decision
        facts.append(("Fraud decision", Link(text, href, mono=True) if href else Code(text)))
    return facts


@register(CardTransaction)
class TransactionAdmin(ModelAdmin):
    """What was settled; always booked, and marked where somebody should look."""

    path, title, group = "card-transactions", "Card transactions", "Money"
    icon, nav_order = "receipt", 26
    summary = "Clearings and refunds as they were booked; newest first"
    related = (_CARD, "card__wallet", "event", "authorization", "transaction")
    search_by = (
        "public_id",
        "event__reference",
        "transaction__public_id",
        "card__public_id",
        "card__last_four",
        "card__customer__name__icontains",
    )
    search_hint = "Name, last four, reference"
    list_order = ("-booked_at", "-id")
    views = (
        View(key="all", title="All", counted=False),
        View(key="exceptions", title="Exceptions", condition=~Q(exception_code="")),
        View(key="refunds", title="Refunds", condition=Q(kind="REFUND"), counted=False),
    )
    filters = (
        AmountSpan("amount", "Amount", CURRENCIES),
        Choice(
            "exception",
            "Exception",
            tuple((code, label) for code, label in ExceptionCode.choices if code),
            lookup="exception_code",
        ),
        DateSpan("booked", "Booked", lookup="booked_at"),
    )
    columns = (
        Column(title="Merchant", cell=lambda t: Main(merchant_of(t), t.public_id, mono=True)),
        Column(title="Card", cell=lambda t: f"{t.card}, {t.card.customer.name}", width="l", hide="s"),
        Column(title="Kind", cell=lambda t: t.get_kind_display(), width="s", hide="m"),
        Column(title="Amount", cell=lambda t: Amount(t.amount), width="m", right=True, order="amount_minor"),
        Column(title="Exception", cell=exception_badge, width="l"),
        Column(
            title="Booked",
            cell=lambda t: When(t.booked_at),
            width="m",
            right=True,
            hide="s",
            order="booked_at",
        ),
    )
    empty = ("Nothing was booked yet", "Clearings come in after cards were used.")

    def object_title(self, obj: Any) -> str:
        """Return amount and merchant."""
        return f"{obj.amount.format()}, {merchant_of(obj)}"

    def object_summary(self, obj: Any) -> str:
        """Return kind, card and id."""
        return f"{obj.get_kind_display()} · {obj.card} of {obj.card.customer.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return what is odd, if anything."""
        badge = exception_badge(obj)
        return [badge] if badge else []

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the entries, facts and time line."""
        authorization = obj.authorization
        facts: list[tuple[str, object]] = [
            ("Card", card_link(obj.card)),
            ("Holder", customer_link(obj.card.customer)),
            ("Wallet", wallet_link(obj.card.wallet)),
            (
                "Authorisation",
                Link(authorization.public_id, authorization_href(authorization), mono=True)
                if authorization
                else "None",
            ),
            ("Reference", Code(obj.event.reference)),
            ("Network time", When(obj.event.network_time)),
            ("Booked", When(obj.booked_at)),
            ("Ledger transaction", transaction_cell(obj.transaction.public_id)),
        ]
        subject = Subject(object_type="card_transaction", object_id=obj.public_id)
        return [
            entries_panel(obj.transaction_id),
            facts_panel("Details", facts, side=True),
            timeline_panel(subject, person_of(request), limit=10, side=True),
        ]
