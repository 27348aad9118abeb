"""Cards over the API: each handler makes one operation or query."""

from functools import partial
from typing import Any

from rest_framework.response import Response

from cards import queries
from cards.api import rendering
from cards.api import serializers as s
from cards.choices import CardKind, CloseReason, FreezeSource
from cards.models.issuing import Card
from cards.operations import freezing, issuing
from flowlet.core.clock import now
from flowlet.core.errors import FieldError, NotFound
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import EmptyIn
from flowlet.gateway.views import ApiRequest, ApiView
from wallets.queries import get_wallet

_CARD = {"wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C", "kind": "virtual"}


class CardsView(ApiView):
    """The partner's cards."""

    scopes = {"GET": "cards:read", "POST": "cards:write"}
    idempotent = frozenset({"POST"})
    list_query = s.CardQuery
    costs = {"GET": 2}

    @document(summary="List cards", answer=list_of(s.CardOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_cards(partner_id=request.principal.partner_id)
        if "status" in query:
            rows = rows.filter(status=query["status"])
        for name in ("wallet", "customer"):
            if name in query:
                rows = rows.filter(**{f"{name}__public_id": query[name]})
        return self.page(request, rows, partial(rendering.render_card, now=now()))

    @document(
        summary="Issue a card",
        description=(
            "A virtual card works at once, a physical one once it is activated. Its number stays at the processor; "
            "`token` stands for it."
        ),
        request=s.CardIn,
        answer=s.CardOut,
        status=201,
        example=_CARD,
    )
    def post(self, request: ApiRequest) -> Response:
        """Issue."""
        values = self.validated(s.CardIn)
        try:
            wallet = get_wallet(partner_id=request.principal.partner_id, public_id=values["wallet"])
        except NotFound:
            fault = FieldError("/wallet", "not_found", "There is no such object.")
            raise NotFound(errors=(fault,)) from None
        card = issuing.issue_card(
            wallet_id=wallet.pk,
            kind=CardKind(values["kind"]),
            name=values.get("name", ""),
            idempotency_key=request.idempotency_key or None,
            now=now(),
        )
        where = {"Location": f"/api/v1/cards/{card.public_id}"}
        return Response(rendering.render_card(card, now=now()), status=201, headers=where)


class CardView(ApiView):
    """One card."""

    scopes = {"GET": "cards:read"}

    @document(summary="Show a card", answer=s.CardOut)
    def get(self, request: ApiRequest, card_id: str) -> Response:
        """Return the card."""
        return _shown(request, card_id)


class ActivateView(ApiView):
    """A physical card that has arrived."""

    scopes = {"POST": "cards:write"}

    @document(summary="Activate a card", request=EmptyIn, answer=s.CardOut, example={})
    def post(self, request: ApiRequest, card_id: str) -> Response:
        """Activate."""
        self.validated(EmptyIn)
        issuing.activate_card(card_id=_card(request, card_id).pk, now=now())
        return _shown(request, card_id)


class FreezeView(ApiView):
    """A partner stops one of its cards."""

    scopes = {"POST": "cards:write"}

    @document(
        summary="Freeze a card",
        description="New authorisations are declined; what was promised is still cleared.",
        request=s.CardFreezeIn,
        answer=s.CardOut,
        example={"reason": "lost"},
    )
    def post(self, request: ApiRequest, card_id: str) -> Response:
        """Freeze."""
        values = self.validated(s.CardFreezeIn)
        freezing.freeze_card(
            card_id=_card(request, card_id).pk,
            source=FreezeSource.PARTNER,
            reason_code="PARTNER_REQUEST",
            note=_note(values),
            now=now(),
        )
        return _shown(request, card_id)


class UnfreezeView(ApiView):
    """A partner lifts a freeze of its own."""

    scopes = {"POST": "cards:write"}

    @document(
        summary="Unfreeze a card",
        description="Lifts a freeze of your own; one of ours stays.",
        request=s.CardFreezeIn,
        answer=s.CardOut,
        example={"reason": "found again"},
    )
    def post(self, request: ApiRequest, card_id: str) -> Response:
        """Unfreeze."""
        values = self.validated(s.CardFreezeIn)
        freezing.unfreeze_card(
            card_id=_card(request, card_id).pk,
            source=FreezeSource.PARTNER,
            reason_code="PARTNER_REQUEST",
            note=_note(values),
            now=now(),
        )
        return _shown(request, card_id)


class CloseView(ApiView):
    """The end of a card."""

    scopes = {"POST": "cards:write"}

    @document(
        summary="Close a card",
        description="For good. Clearings of what it has promised are still booked.",
        request=s.CardCloseIn,
        answer=s.CardOut,
        example={"reason": "stolen"},
    )
    def post(self, request: ApiRequest, card_id: str) -> Response:
        """Close."""
        reason = CloseReason(self.validated(s.CardCloseIn)["reason"])
        issuing.close_card(card_id=_card(request, card_id).pk, reason=reason, now=now())
        return _shown(request, card_id)


class LimitsView(ApiView):
    """What a card may be used for, and what is left of it."""

    scopes = {"GET": "cards:read", "PUT": "cards:write"}

    @document(
        summary="Show a card's limits",
        description="Days and months are calendar dates in the programme's time zone.",
        answer=s.CardLimitsOut,
    )
    def get(self, request: ApiRequest, card_id: str) -> Response:
        """Return limits, lists and what is left now."""
        card = _card(request, card_id)
        controls = queries.get_controls(card.pk)
        return Response(rendering.render_limits(card, controls, queries.get_limits(card, now=now())))

    @document(
        summary="Set a card's limits",
        description=(
            "Replaces all limits and lists of the card; what was used carries over. Null is no limit, 0 is nothing. "
            "A block list wins over an allow list."
        ),
        request=s.CardLimitsIn,
        answer=s.CardLimitsOut,
        example={"per_transaction": 20_000, "day": 50_000, "blocked_mccs": ["7995"]},
    )
    def put(self, request: ApiRequest, card_id: str) -> Response:
        """Put the next version in force."""
        values, card = self.validated(s.CardLimitsIn), _card(request, card_id)
        controls = issuing.set_controls(
            card_id=card.pk,
            per_transaction_minor=values.get("per_transaction"),
            day_minor=values.get("day"),
            month_minor=values.get("month"),
            mcc_allow=values.get("allowed_mccs"),
            mcc_block=values.get("blocked_mccs", ()),
            country_allow=values.get("allowed_countries"),
            country_block=values.get("blocked_countries", ()),
            now=now(),
        )
        return Response(rendering.render_limits(card, controls, queries.get_limits(card, now=now())))


class DecisionView(ApiView):
    """Why an authorisation was answered as it was."""

    scopes = {"GET": "cards:read"}

    @document(
        summary="Show why an authorisation was decided so",
        description="Every check with what it saw, its limit and what was left at that time.",
        answer=s.CardDecisionOut,
    )
    def get(self, request: ApiRequest, card_id: str, authorization_id: str) -> Response:
        """Return the decision with its checks."""
        row = queries.get_authorization(partner_id=request.principal.partner_id, public_id=authorization_id)
        if row.card.public_id != card_id:
            raise NotFound
        return Response(rendering.render_decision(row))


def _note(values: dict[str, Any]) -> str:
    """Return what the partner says about it; its own reason is words, not one of our codes."""
    return ": ".join(values[name] for name in ("reason", "note") if values.get(name))


def _card(request: ApiRequest, public_id: str) -> Card:
    return queries.get_card(partner_id=request.principal.partner_id, public_id=public_id)


def _shown(request: ApiRequest, public_id: str) -> Response:
    return Response(rendering.render_card(_card(request, public_id), now=now()))
