"""How cards, authorisations and clearings look in the back office, wherever they are shown."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Avg, Count, Exists, Max, OuterRef, Q
from django.urls import reverse

from cards import queries
from cards.choices import DECLINE_WORDS, AuthorizationState, ExceptionCode, FreezeSource, Outcome
from cards.models.authorizations import CardAuthorization, CardTransaction, NetworkEvent
from cards.models.issuing import Card, CardFreeze
from flowlet.backoffice.cells import Amount, Badge, Day, Link, Main, Tone, When, words
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.core import clock
from flowlet.core.money import Money
from ledger.admin_parts import CAUSE_PAGES

CAUSE_PAGES.register("card")("admin:cards_card_change")
CAUSE_PAGES.register("authorization")("admin:cards_cardauthorization_change")

SHOWN = 10
USUAL = timedelta(days=90)
_STATUS_TONES: dict[str, Tone] = {"active": "ok", "frozen": "bad", "inactive": "info", "expired": "warn"}
_STATUS_WORDS = {"inactive": "Not activated"}
_STATE_TONES: dict[str, Tone] = {
    AuthorizationState.OPEN: "info",
    AuthorizationState.CLEARED: "ok",
    AuthorizationState.DECLINED: "bad",
    AuthorizationState.EXPIRED: "warn",
}
_OUTCOME_TONES: dict[str, Tone] = {Outcome.APPROVED: "ok", Outcome.PARTIAL: "warn", Outcome.DECLINED: "bad"}
# Checks whose numbers are amounts; the others hold words.
_AMOUNTS = frozenset({"transaction_limit", "day_limit", "month_limit", "tier_limit", "funds"})
_CHECK_WORDS = {
    "status": "Card is active",
    "expiry": "Card is valid until",
    "freezes": "No freeze in force",
    "wallet": "Wallet is open",
    "restrictions": "No restriction stops money out",
    "merchant_category": "Merchant category is taken",
    "country": "Country is taken",
    "transaction_limit": "Limit for one payment",
    "day_limit": "Limit for the day",
    "month_limit": "Limit for the month",
    "tier_limit": "Limit of the customer's tier",
    "fraud": "Fraud decision",
    "funds": "Money in the wallet",
}


def frozen() -> Exists:
    """Return the condition that a freeze of the card is in force."""
    return Exists(CardFreeze.objects.filter(card=OuterRef("pk"), lifted_at__isnull=True))


def card_href(card: Card) -> str:
    """Return the address of a card's page."""
    return reverse("admin:cards_card_change", args=[card.public_id])


def authorization_href(row: CardAuthorization) -> str:
    """Return the address of an authorisation's page."""
    return reverse("admin:cards_cardauthorization_change", args=[row.public_id])


def transaction_href(row: CardTransaction) -> str:
    """Return the address of a clearing's or refund's page."""
    return reverse("admin:cards_cardtransaction_change", args=[row.public_id])


def card_link(card: Card) -> Link:
    """Return a link to a card by its last four digits."""
    return Link(str(card), card_href(card))


def card_badge(card: Card) -> Badge:
    """Return a card's status as the world sees it; wants `is_frozen`."""
    status = queries.shown_status(card, now=clock.now())
    return Badge(_STATUS_WORDS.get(status, words(status)), _STATUS_TONES.get(status, ""))


def state_badge(row: CardAuthorization) -> Badge:
    """Return how an authorisation stands."""
    return Badge(row.get_state_display(), _STATE_TONES.get(row.state, ""))


def outcome_badge(row: CardAuthorization) -> Badge:
    """Return what the network was answered."""
    return Badge(row.decision.get_outcome_display(), _OUTCOME_TONES[row.decision.outcome])


def exception_badge(row: CardTransaction) -> object:
    """Return what is odd about a clearing or refund, if anything."""
    return Badge(ExceptionCode(row.exception_code).label, "warn") if row.exception_code else ""


def why(row: CardAuthorization) -> str:
    """Return the most telling reason in words, or nothing for an approval."""
    return DECLINE_WORDS.get(row.decision.reason, "")


def cards_panel(rows: Sequence[Card]) -> Panel:
    """Return cards of a customer, each with its status; they want `is_frozen`."""
    return table_panel(
        "Cards",
        columns=(
            Column(title="Card", cell=lambda c: Main(str(c), c.public_id, mono=True)),
            Column(title="Kind", cell=lambda c: c.get_kind_display(), width="s", hide="s"),
            Column(
                title="Wallet", cell=lambda c: f"{c.wallet.name or c.wallet.currency}", width="m", hide="m"
            ),
            Column(title="Status", cell=card_badge, width="m"),
            Column(title="Issued", cell=lambda c: When(c.created_at), width="m", right=True, hide="s"),
        ),
        rows=rows,
        link=card_href,
        empty=("No cards yet", "The partner issues them through the API."),
        empty_icon="credit-card",
    )


def authorizations_panel(
    rows: Sequence[CardAuthorization], *, with_card: bool = False, href: str = ""
) -> Panel:
    """Return the newest authorisations, each with its answer and why."""
    card = (Column(title="Card", cell=lambda a: str(a.card), width="s"),) if with_card else ()
    return table_panel(
        "Authorisations",
        columns=(
            Column(title="Merchant", cell=lambda a: Main(a.merchant_name, why(a) or a.public_id)),
            *card,
            Column(title="Amount", cell=lambda a: Amount(a.amount), width="m", right=True),
            Column(title="State", cell=state_badge, width="s"),
            Column(title="Asked", cell=lambda a: When(a.created_at), width="m", right=True, hide="s"),
        ),
        rows=rows,
        link=authorization_href,
        empty=("Nothing was asked yet", "What merchants ask shows here, with the answer and why."),
        empty_icon="credit-card",
        href=href,
    )


def transactions_panel(rows: Sequence[CardTransaction]) -> Panel:
    """Return the newest clearings and refunds."""
    return table_panel(
        "Clearings and refunds",
        columns=(
            Column(title="Merchant", cell=lambda t: Main(merchant_of(t), t.get_kind_display())),
            Column(title="Amount", cell=lambda t: Amount(t.amount), width="m", right=True),
            Column(title="Exception", cell=exception_badge, width="m", hide="m"),
            Column(title="Booked", cell=lambda t: When(t.booked_at), width="m", right=True, hide="s"),
        ),
        rows=rows,
        link=transaction_href,
        empty=("Nothing was booked yet", "What the network settles shows here."),
        empty_icon="receipt",
    )


def merchant_of(row: CardTransaction) -> str:
    """Return the merchant's name from the message or its authorisation."""
    known = row.authorization.merchant_name if row.authorization else ""
    return row.event.merchant_name or known or "Merchant not named"


def limits_panel(card: Card) -> Panel:
    """Return the card's limits with used and left; three queries."""
    currency = card.programme.currency

    def amount(minor: int | None, none: str) -> object:
        return none if minor is None else Amount(Money(minor, currency))

    return table_panel(
        "Limits",
        columns=(
            Column(title="Limit", cell=lambda row: Main(words(row.name))),
            Column(title="Allowed", cell=lambda row: amount(row.limit, "No limit"), width="l", right=True),
            Column(title="Used", cell=lambda row: amount(row.used, ""), width="l", right=True, hide="s"),
            Column(title="Left", cell=lambda row: amount(row.left, "No limit"), width="l", right=True),
        ),
        rows=queries.get_limits(card, now=clock.now()),
        note=f"Days and months of {card.programme.zone}",
    )


# A source is a desk, not a person: said so that nobody looks for a colleague of that name.
FROZEN_BY = {
    FreezeSource.CARDHOLDER: "The cardholder",
    FreezeSource.PARTNER: "The partner",
    FreezeSource.OPS: "The operations desk",
    FreezeSource.FRAUD: "The fraud check",
    FreezeSource.COMPLIANCE: "The compliance desk",
}


# The trace of a decision keeps the source's label.
_FROZEN_WORDS = {source.label: text[:1].lower() + text[1:] for source, text in FROZEN_BY.items()}


def freezes_panel(rows: Sequence[CardFreeze]) -> Panel:
    """Return the freezes in force: whose each is, since when, and why."""
    return table_panel(
        "Freezes in force",
        columns=(
            Column(title="Placed by", cell=lambda f: Main(FROZEN_BY[f.source], words(f.reason_code))),
            Column(title="Since", cell=lambda f: When(f.placed_at), width="m", right=True),
        ),
        rows=rows,
        empty=("No freeze", "The card is not stopped by anybody."),
        empty_icon="circle-check",
        note="Each is lifted by whoever placed it",
    )


def checks_panel(row: CardAuthorization) -> Panel:
    """Return every check of a decision: passed or not, what it saw, its limit, what was left."""

    def shown(check: Mapping[str, Any], name: str) -> object:
        value = check[name]
        if value is None or value == "":
            return ""
        if value == "none":
            return "No limit" if name == "limit" else "None"
        if check["name"] in _AMOUNTS and isinstance(value, int):
            return Amount(Money(value, row.currency))
        if check["name"] == "freezes":
            return "Frozen by " + ", ".join(_FROZEN_WORDS.get(one, one) for one in str(value).split(", "))
        if check["name"] == "expiry":
            return Day(date.fromisoformat(str(value)))
        return words(value) if str(value).isupper() else str(value)

    def title(check: Mapping[str, Any]) -> Main:
        left = check["left"]
        rest = f"{Money(left, row.currency).format()} was left" if isinstance(left, int) else ""
        return Main(_CHECK_WORDS.get(check["name"], words(check["name"])), rest)

    return table_panel(
        "Checks",
        columns=(
            Column(title="Check", cell=title),
            Column(
                title="Outcome",
                cell=lambda c: Badge("Passed", "ok") if c["passed"] else Badge("Failed", "bad"),
                width="s",
            ),
            Column(title="Saw", cell=lambda c: shown(c, "value"), width="m", right=True),
            Column(title="Limit", cell=lambda c: shown(c, "limit"), width="m", right=True),
        ),
        rows=sorted(row.decision.checks, key=lambda check: bool(check["passed"])),
        note=f"All of them run; {row.decision.latency_us / 1000:.1f} ms",
    )


def messages_panel(rows: Sequence[NetworkEvent], currency: str) -> Panel:
    """Return what the network told about an authorisation, in its own order of time."""
    return table_panel(
        "Messages of the network",
        columns=(
            Column(title="Message", cell=lambda e: Main(e.get_kind_display(), e.reference, mono=True)),
            Column(
                title="Amount", cell=lambda e: Amount(Money(e.amount_minor, currency)), width="m", right=True
            ),
            Column(title="Final", cell=lambda e: "Yes" if e.final else "", width="s", hide="s"),
            Column(title="Network time", cell=lambda e: When(e.network_time), width="m", right=True),
        ),
        rows=rows,
        empty=("No message", "A declined authorisation promises nothing."),
    )


def usual_panel(row: CardAuthorization) -> Panel:
    """Return what is usual for this card, to hold the authorisation against; one query."""
    earlier = CardAuthorization.objects.filter(
        card_id=row.card_id, created_at__lt=row.created_at, created_at__gte=row.created_at - USUAL
    )
    approved = ~Q(state=AuthorizationState.DECLINED)
    found = earlier.aggregate(
        count=Count("pk", filter=approved),
        mean=Avg("requested_minor", filter=approved),
        largest=Max("requested_minor", filter=approved),
        here=Count("pk", filter=approved & Q(merchant_name=row.merchant_name)),
        country=Count("pk", filter=approved & Q(country=row.country)),
        declined=Count("pk", filter=~approved),
    )

    def amount(minor: float | None) -> object:
        return "" if minor is None else Amount(Money(round(minor), row.currency))

    facts: list[tuple[str, object]] = [
        ("Approved", f"{found['count']:,}"),
        ("On average", amount(found["mean"])),
        ("Largest", amount(found["largest"])),
        ("At this merchant", f"{found['here']:,}"),
        ("In this country", f"{found['country']:,}"),
        ("Declined", f"{found['declined']:,}"),
    ]
    return facts_panel("Usual for this card", facts, side=True, note=f"{USUAL.days} days before")
