"""Spending of a customer over the API."""

from typing import Any, cast

from rest_framework.response import Response

from analytics.api import serializers as s
from analytics.insights import Group, get_spending
from flowlet.core.clock import now
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity.queries import get_customer

DAYS_MAX = 3_660


class SpendingView(ApiView):
    """What a customer spent and received."""

    scopes = {"GET": "analytics:read"}
    costs = {"GET": 2}

    @document(
        summary="Show a customer's spending",
        description="By booking date, from figures that are minutes old at most: see `as_of`. They add up to the statements of the "
        "customer's wallets in the currency.",
        parameters=[s.SpendingQuery],
        answer=s.SpendingOut,
    )
    def get(self, request: ApiRequest, customer_id: str) -> Response:
        """Return the sums and groups."""
        values = self.query(s.SpendingQuery)
        customer = get_customer(partner_id=request.principal.partner_id, public_id=customer_id)
        _check(values)
        found = get_spending(
            customer=customer,
            currency=values["currency"],
            first=values["from"],
            last=values["to"],
            group=cast("Group", values["group"].lower()),
            compare="compare" in values,
            now=now(),
        )
        return Response(s.render_spending(customer, values["currency"], found))


def _check(values: dict[str, Any]) -> None:
    """
    Refuse a span that is reversed or too long.

    :raises InvalidInput: at `to`
    """
    days = (values["to"] - values["from"]).days
    if not 0 <= days <= DAYS_MAX:
        why = "The span ends before it begins." if days < 0 else "At most ten years, please."
        raise InvalidInput(errors=(FieldError("/query/to", "bad_span", why),))
