"""What cards adds to other pages: panels of the customer page, figures of Today, search, sentences of the time line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse

from cards import queries
from cards.admin_parts import FROZEN_BY, SHOWN, authorizations_panel, card_badge, card_href, cards_panel
from cards.choices import AuthorizationState, FreezeSource
from cards.models.authorizations import CardAuthorization
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cards import FIGURES, Figure, FigureValue
from flowlet.backoffice.cells import words
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import PER_GROUP, SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import FORMATTERS, Sentence, changes_of, say
from flowlet.core.ids import is_id
from flowlet.identity.models import Customer

VIEW = "cards.view_card"
VIEW_ASKED = "cards.view_cardauthorization"
_LAST_FOUR = 4


def _cards(customer: Customer, _person: Person, _now: datetime) -> Panel | None:
    return cards_panel(list(queries.list_cards().filter(customer=customer)[:SHOWN]))


def _cards_if_any(customer: Customer, person: Person, now: datetime) -> Panel | None:
    panel = _cards(customer, person, now)
    return panel if panel is not None and panel.data["rows"] else None


def _asked(customer: Customer, _person: Person, _now: datetime) -> Panel:
    rows = queries.list_authorizations().filter(card__customer=customer)
    return authorizations_panel(list(rows[: 2 * SHOWN]), with_card=True)


PANELS.register("cards")(CustomerPanel(build=_cards_if_any, permission=VIEW, order=15))
PANELS.register("cards.cards")(CustomerPanel(build=_cards, permission=VIEW, tab="Cards", order=10))
PANELS.register("cards.authorizations")(
    CustomerPanel(build=_asked, permission=VIEW_ASKED, tab="Cards", order=20)
)


def _declined_figure(_person: Person, now: datetime) -> FigureValue:
    day = timedelta(days=1)
    declined = Q(state=AuthorizationState.DECLINED)
    numbers = CardAuthorization.objects.filter(created_at__gt=now - day, created_at__lte=now).aggregate(
        all=Count("pk"), declined=Count("pk", filter=declined)
    )
    return FigureValue(value=f"{numbers['declined']:,}", note=f"of {numbers['all']:,} asked in 24 hours")


FIGURES.register("cards_declined")(
    Figure(
        title="Declined card payments",
        permission=VIEW_ASKED,
        icon="credit-card",
        value=_declined_figure,
        href=lambda: f"{reverse('admin:cards_cardauthorization_changelist')}?view=declined",
        order=60,
    )
)


def _read(term: str) -> tuple[str, str]:
    """Return the name and the last four digits in a term such as `Sandvik 4471`; either may be empty."""
    *names, end = term.replace("•", " ").split() or [""]
    if len(end) == _LAST_FOUR and end.isascii() and end.isdigit():
        return " ".join(names), end
    return " ".join((*names, end)).strip(), ""


def _wants(term: str) -> bool:
    if is_id(term, "crd") or is_id(term, "tok"):
        return True
    name, digits = _read(term)
    # A longer number is a reference or an amount, never a card: whole numbers are not searched for here.
    return bool(digits) or (len(name) > 1 and "_" not in name and not any(char.isdigit() for char in name))


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = queries.list_cards()
    if is_id(term, "crd") or is_id(term, "tok"):
        rows = rows.filter(Q(public_id=term) | Q(token=term))
    else:
        name, digits = _read(term)
        if digits:
            rows = rows.filter(last_four=digits)
        if name:
            rows = rows.filter(customer__name__icontains=name)
    for card in rows[:PER_GROUP]:
        yield Found(
            title=f"{card}, {card.customer.name}",
            meta=f"{card_badge(card).text} · {card.get_kind_display()} · {card.public_id}",
            href=card_href(card),
        )


SEARCH.register("cards")(
    SimpleSource(title="Cards", icon="credit-card", permission=VIEW, find=_find, wants=_wants, order=15)
)


say("card_programme.create", "Card programme begun", "credit-card")
say("card.issue", "Card issued", "credit-card", "info")
say("card.activate", "Card activated", "credit-card", "ok")


def _freeze(record: AuditRecord) -> Sentence:
    """Name the desk, which the trail holds as a code, beside the reason."""
    placed, lifted = "card.freeze", Sentence(text="Freeze of the card lifted", icon="lock-open", tone="ok")
    told = Sentence(text="Card frozen", icon="snowflake", tone="bad") if record.action == placed else lifted
    desks = [FROZEN_BY[FreezeSource((old or new).upper())].lower() for _, old, new in changes_of(record)]
    return replace(told, detail=f"Reason: {words(record.reason_code).lower()} · By: {', '.join(desks)}")


FORMATTERS.register("card.freeze")(_freeze)
FORMATTERS.register("card.unfreeze")(_freeze)
say("card.close", "Card closed for good", "lock")
say("card.set_limits", "Limits of the card set", "settings")
say("card_authorization.decide", "Card payment approved", "check", "ok", refused="Card payment declined")
say("card_transaction.book", "Card payment booked", "receipt")
