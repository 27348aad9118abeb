"""Cards: the list, the page of one with its limits and authorisations; freeze, unfreeze, close."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse

from cards import admin_authorizations as _authorizations  # noqa: F401 - registers two more lists
from cards import admin_today as _today  # noqa: F401 - registers panels, figures, searches and sentences
from cards import queries
from cards.admin_parts import (
    SHOWN,
    authorizations_panel,
    card_badge,
    freezes_panel,
    frozen,
    limits_panel,
    transactions_panel,
)
from cards.choices import (
    FREEZE_REASONS,
    UNFREEZE_REASONS,
    AuthorizationState,
    CardKind,
    CardStatus,
    CloseReason,
    FreezeSource,
)
from cards.models.issuing import Card, CardFreeze, ControlSet
from cards.operations.freezing import freeze_card, unfreeze_card
from cards.operations.issuing import close_card
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Code, Day, Main, When
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core.money import Money
from wallets.admin_parts import CURRENCIES, customer_link, wallet_link


@register(Card)
class CardAdmin(ModelAdmin):
    """All cards of all partners; numbers are not here, only their last four digits."""

    path, title, group, icon, nav_order = "cards", "Cards", "Money", "credit-card", 22
    summary = "What customers pay with; the numbers stay at the processor"
    related = ("customer", "partner", "wallet__account__balance", "programme")
    search_by = (
        "last_four",
        "public_id",
        "token",
        "customer__name__icontains",
        "customer__public_id",
        "wallet__public_id",
    )
    search_hint = "Last four, name, crd_ or tok_"
    list_order = ("-created_at", "-id")
    views = (
        View(key="all", title="All", counted=False),
        View(
            key="active", title="Active", condition=Q(status=CardStatus.ACTIVE) & ~Q(frozen()), counted=False
        ),
        View(key="frozen", title="Frozen", condition=Q(frozen()) & ~Q(status=CardStatus.CLOSED)),
        View(key="inactive", title="Not activated", condition=Q(status=CardStatus.INACTIVE)),
        View(key="closed", title="Closed", condition=Q(status=CardStatus.CLOSED), counted=False),
    )
    filters = (
        Text("last_four", "Last four"),
        Choice("kind", "Kind", tuple(CardKind.choices)),
        Choice(
            "currency", "Currency", tuple((code, code) for code in CURRENCIES), lookup="programme__currency"
        ),
        DateSpan("created", "Issued", lookup="created_at"),
    )
    columns = (
        Column(title="Card", cell=lambda c: Main(f"{c}, {c.customer.name}", c.public_id, mono=True)),
        Column(title="Kind", cell=lambda c: c.get_kind_display(), width="s", hide="m"),
        Column(title="Partner", cell=lambda c: c.partner.name, width="m", hide="m"),
        Column(title="Status", cell=card_badge, width="m"),
        Column(title="Valid until", cell=lambda c: f"{c.expires_on:%m/%y}", width="s", hide="s"),
        Column(
            title="Issued",
            cell=lambda c: When(c.created_at),
            width="m",
            right=True,
            hide="s",
            order="created_at",
        ),
    )
    empty = ("No cards yet", "Partners issue cards through the API.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return cards with whether a freeze is in force."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(is_frozen=frozen())
        return rows

    def object_title(self, obj: Any) -> str:
        """Return the last four digits and the holder."""
        return f"{obj}, {obj.customer.name}"

    def object_summary(self, obj: Any) -> str:
        """Return kind, partner and id."""
        return f"{obj.get_kind_display()} card of {obj.partner.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the status."""
        return [card_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return freezes, limits, authorisations, clearings, facts, time line."""
        person = person_of(request)
        authorizations = queries.list_authorizations().filter(card=obj)[:SHOWN]
        transactions = queries.list_transactions().filter(card=obj)[:SHOWN]
        freezes = list(_freezes(obj).order_by("placed_at", "pk"))
        all_of_card = (
            f"{reverse('admin:cards_cardauthorization_changelist')}?{urlencode({'q': obj.public_id})}"
        )
        return [
            *([freezes_panel(freezes)] if freezes else []),
            limits_panel(obj),
            authorizations_panel(list(authorizations), href=all_of_card),
            transactions_panel(list(transactions)),
            facts_panel("Card", _facts(obj), side=True),
            timeline_panel(Subject(object_type="card", object_id=obj.public_id), person, limit=10, side=True),
        ]


def _facts(card: Card) -> list[tuple[str, object]]:
    balance, controls = card.wallet.account.balance, queries.get_controls(card.pk)
    facts: list[tuple[str, object]] = [
        ("Holder", customer_link(card.customer)),
        ("Wallet", wallet_link(card.wallet)),
        ("Available", Amount(Money(balance.posted - balance.held, card.programme.currency))),
        ("Held", Amount(Money(balance.held, card.programme.currency))),
        ("Name on it", card.name_on_card),
        ("Number", f"{card.bin[:4]} {card.bin[4:]}•• •••• {card.last_four}"),
        ("Valid until", Day(card.expires_on)),
        ("Processor's token", Code(card.token)),
        ("Activated", When(card.activated_at)),
    ]
    if controls is not None:
        facts += _lists(controls)
    if card.status == CardStatus.CLOSED:
        facts.append(("Closed", When(card.closed_at)))
        facts.append(("Because", card.get_close_reason_display()))
    return facts


def _lists(controls: ControlSet) -> list[tuple[str, object]]:
    """Return lists that are set; an allow list that is empty allows nothing."""
    lists = (
        ("Only categories", controls.mcc_allow),
        ("No categories", controls.mcc_block or None),
        ("Only countries", controls.country_allow),
        ("No countries", controls.country_block or None),
    )
    return [(label, ", ".join(codes) or "none at all") for label, codes in lists if codes is not None]


def _freezes(card: Card) -> QuerySet[CardFreeze]:
    return CardFreeze.objects.filter(card=card, lifted_at__isnull=True)


def _ours(card: Card) -> bool:
    """Tell whether operations froze the card."""
    return _freezes(card).filter(source=FreezeSource.OPS).exists()


def _version(card: Card) -> str:
    """Return what a form saw: a freeze is a row of its own and does not touch the card's."""
    freezes = _freezes(card).order_by("pk").values_list("pk", flat=True)
    return f"{card.status}:{','.join(str(key) for key in freezes)}"


def _impact(card: Card) -> list[str]:
    promised = card.authorizations.filter(state=AuthorizationState.OPEN)
    count = promised.count()
    if not count:
        return ["Nothing is promised to merchants now"]
    sums = promised.aggregate(authorized=Sum("authorized_minor"), cleared=Sum("cleared_minor"))
    held = Money(max(0, sums["authorized"] - sums["cleared"]), card.programme.currency).format()
    noun = "open authorisation stays" if count == 1 else "open authorisations stay"
    return [f"{count} {noun} promised: {held} can still be cleared"]


@action(
    name="card.freeze",
    model=Card,
    permission="cards.freeze_card",
    label="Freeze",
    title=lambda c: f"Freeze {c} of {c.customer.name}?",
    text="New payments with this card are declined from now on. Only Flowlet operations can lift it.",
    reasons=FREEZE_REASONS,
    impact=_impact,
    available=lambda c: c.status != CardStatus.CLOSED and not _ours(c),
    danger=True,
    icon="snowflake",
    key="f",
    keep_label="Keep active",
    done=lambda c: f"{c} of {c.customer.name} is frozen.",
    version=_version,
)
def freeze(call: ActionCall, card: Card) -> None:
    """Stop new payments of a card."""
    freeze_card(
        card_id=card.pk, source=FreezeSource.OPS, reason_code=call.reason, note=call.note, now=call.now
    )


@action(
    name="card.unfreeze",
    model=Card,
    permission="cards.unfreeze_card",
    label="Unfreeze",
    title=lambda c: f"Lift the freeze of {c} of {c.customer.name}?",
    text="Lifts the freeze of operations. Freezes of others stay in force.",
    reasons=UNFREEZE_REASONS,
    available=lambda c: c.status != CardStatus.CLOSED and _ours(c),
    icon="lock-open",
    key="u",
    keep_label="Keep frozen",
    done=lambda c: f"The freeze of {c} of {c.customer.name} is lifted.",
    version=_version,
)
def unfreeze(call: ActionCall, card: Card) -> None:
    """Lift the freeze of operations."""
    unfreeze_card(
        card_id=card.pk, source=FreezeSource.OPS, reason_code=call.reason, note=call.note, now=call.now
    )


@action(
    name="card.close",
    model=Card,
    permission="cards.close_card",
    label="Close",
    title=lambda c: f"Close {c} of {c.customer.name} for good?",
    text="The card never works again. Clearings of what it has promised are still booked.",
    reasons=tuple(CloseReason.choices),
    impact=_impact,
    available=lambda c: c.status != CardStatus.CLOSED,
    danger=True,
    icon="x",
    keep_label="Keep the card",
    done=lambda c: f"{c} of {c.customer.name} is closed.",
    version=_version,
    order=60,
)
def close(call: ActionCall, card: Card) -> None:
    """Close a card for good."""
    close_card(card_id=card.pk, reason=CloseReason(call.reason), note=call.note, now=call.now)
