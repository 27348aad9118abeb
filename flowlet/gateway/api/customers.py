"""Customers: a partner takes persons and businesses on, and reads its own."""

from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.gateway.fields import CountryField, DayField, EmailField, PhoneField, TextField, WordField
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import ListQuery, StrictSerializer
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity import operations, queries
from flowlet.identity.choices import CustomerKind, CustomerStatus, Tier
from flowlet.identity.models import Customer

_BORN_EARLIEST = date(1900, 1, 1)
_OF_A_PERSON = ("given_name", "family_name")
_EXAMPLE = {
    "kind": "person",
    "given_name": "Mirela",
    "family_name": "Sandvik",
    "birth_date": "1990-05-17",
    "country": "NO",
    "email": "mirela@example.com",
    "reference": "user-8841",
}


class CustomerIn(StrictSerializer):
    """A person (given and family name) or a business (legal name)."""

    kind = WordField(codes=CustomerKind.values)
    given_name = TextField(required=False, max_length=100)
    family_name = TextField(required=False, max_length=100)
    legal_name = TextField(required=False, max_length=200)
    birth_date = DayField(required=False, help_text="Of a person.")
    country = CountryField(help_text="Where the person lives, or the business is registered.")
    nationality = CountryField(required=False)
    email = EmailField(required=False)
    phone = PhoneField(required=False)
    reference = TextField(
        required=False, max_length=80, help_text="Your own id of this customer; once per partner."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Check that the names fit the kind.

        :raises ValidationError: with a pointer for each field that is missing or out of place
        """
        person = attrs["kind"] == CustomerKind.PERSON
        needed = _OF_A_PERSON if person else ("legal_name",)
        foreign = ("legal_name",) if person else (*_OF_A_PERSON, "birth_date", "nationality")
        faults = {name: _fault("required", "This is needed.") for name in needed if not attrs.get(name)}
        for name in foreign:
            if name in attrs:
                faults[name] = _fault("not_applicable", "This does not belong to this kind of customer.")
        if faults:
            raise serializers.ValidationError(faults)
        return attrs

    def validate_birth_date(self, value: date) -> date:
        """
        Check that somebody alive can be born on that day.

        :raises ValidationError: if not
        """
        if not _BORN_EARLIEST <= value <= now().date():
            raise serializers.ValidationError("This is not a plausible birth date.", code="out_of_range")
        return value


def _fault(code: str, text: str) -> list[serializers.ErrorDetail]:
    return [serializers.ErrorDetail(text, code)]


class CustomerOut(serializers.Serializer[Any]):
    """A customer."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["customer"])
    kind = serializers.ChoiceField(choices=[kind.lower() for kind in CustomerKind.values])
    status = serializers.ChoiceField(choices=[status.lower() for status in CustomerStatus.values])
    tier = serializers.ChoiceField(choices=[tier.lower() for tier in Tier.values])
    reference = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    given_name = serializers.CharField(allow_null=True)
    family_name = serializers.CharField(allow_null=True)
    birth_date = serializers.DateField(allow_null=True)
    country = serializers.CharField()
    nationality = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


def render(customer: Customer) -> dict[str, Any]:
    """Return a customer as its own partner sees it: no rating, no restriction's reason."""
    return {
        "id": customer.public_id,
        "object": "customer",
        "kind": customer.kind.lower(),
        "status": customer.status.lower(),
        "tier": customer.tier.lower(),
        "reference": customer.reference,
        "name": customer.name,
        "given_name": customer.given_name or None,
        "family_name": customer.family_name or None,
        "birth_date": customer.birth_date,
        "country": customer.country,
        "nationality": customer.nationality or None,
        "email": customer.email,
        "phone": customer.phone,
        "created_at": customer.created_at,
    }


class CustomerQuery(ListQuery):
    """Filters of the list of customers."""

    reference = TextField(required=False, max_length=80, help_text="Your own id of the customer.")
    kind = WordField(codes=CustomerKind.values, required=False)


class CustomersView(ApiView):
    """The partner's customers."""

    scopes = {"GET": "customers:read", "POST": "customers:write"}
    idempotent = frozenset({"POST"})
    list_query = CustomerQuery
    costs = {"GET": 2}

    @document(summary="List customers", answer=list_of(CustomerOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query = self.query()
        rows = queries.list_customers(partner_id=request.principal.partner_id)
        rows = rows.filter(**{name: query[name] for name in ("reference", "kind") if name in query})
        return self.page(request, rows, render)

    @document(
        summary="Create a customer",
        description="The name is screened; until an officer has cleared a possible match, money cannot leave.",
        request=CustomerIn,
        answer=CustomerOut,
        status=201,
        example=_EXAMPLE,
    )
    def post(self, request: ApiRequest) -> Response:
        """Create a person or business."""
        values = self.validated(CustomerIn)
        customer = operations.create_customer(partner_id=request.principal.partner_id, now=now(), **values)
        return Response(
            render(customer), status=201, headers={"Location": f"/api/v1/customers/{customer.public_id}"}
        )


class CustomerView(ApiView):
    """One customer."""

    scopes = {"GET": "customers:read"}

    @document(summary="Show a customer", answer=CustomerOut)
    def get(self, request: ApiRequest, customer_id: str) -> Response:
        """Return the customer."""
        return Response(
            render(queries.get_customer(partner_id=request.principal.partner_id, public_id=customer_id))
        )
