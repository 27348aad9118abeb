"""Views that exist only for the tests of the base class: they refuse, break and count in every way a real one may."""

from typing import Any

from django.db import IntegrityError, connection
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.errors import AppError
from flowlet.gateway.fields import AmountField, CurrencyField, IdField, InstantField, TextField
from flowlet.gateway.serializers import StrictSerializer
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity import operations


class InsufficientFunds(AppError):
    """A no of the domain."""

    code = "insufficient_funds"
    title = "Not enough money"
    message = "There is not enough money."
    next_action = "add_money"
    next_text = "Add money, then pay with a new key."


class MoneyIn(StrictSerializer):
    """An amount with its currency."""

    minor = AmountField()
    currency = CurrencyField()


class OrderIn(StrictSerializer):
    """A body with a nested one and a list of them."""

    wallet = IdField(prefix="wal")
    price = MoneyIn()
    parts = MoneyIn(many=True, required=False)
    note = TextField(required=False, max_length=20, lines=True)
    due = InstantField(required=False)


class OrderView(ApiView):
    """Echo a checked body."""

    scopes = {"POST": "payments:write"}
    idempotent = frozenset({"POST"})

    def post(self, request: ApiRequest) -> Response:  # noqa: ARG002
        values = self.validated(OrderIn)
        return Response(
            {"id": "ord_1", "minor": values["price"]["minor"], "due": values.get("due")}, status=201
        )


class RefusingView(ApiView):
    """Write something, then say no by raising: nothing stays but the no."""

    scopes = {"POST": "payments:write"}
    attempts: list[int] = []

    def post(self, request: ApiRequest) -> Response:  # noqa: ARG002
        self.attempts.append(1)
        operations.create_partner(name=f"Undone {len(self.attempts)}", country="DE", now=now())
        raise InsufficientFunds


class KeptView(ApiView):
    """Write something, then say no and keep it."""

    scopes = {"POST": "payments:write"}

    def post(self, request: ApiRequest) -> Any:  # noqa: ARG002
        partner = operations.create_partner(name="Kept refusal", country="DE", now=now())
        return self.refusal(InsufficientFunds(), object_id=partner.public_id)


class BrokenView(ApiView):
    """Fail in the way the address names."""

    scopes = {"GET": "payments:read", "POST": "payments:write"}

    def get(self, request: ApiRequest, way: str) -> Response:  # noqa: ARG002
        _fail(way)
        return Response({})

    def post(self, request: ApiRequest, way: str) -> Response:  # noqa: ARG002
        operations.create_partner(name="Half done", country="DE", now=now())
        _fail(way)
        return Response({})


def _fail(way: str) -> None:
    if way == "bug":
        raise RuntimeError("secret text of ours: SELECT password FROM users")
    if way == "integrity":
        raise IntegrityError('duplicate key value violates unique constraint "secret_name"')
    with connection.cursor() as cursor:
        cursor.execute(
            {"data": "SELECT 1/0", "timeout": "SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)"}[way]
        )


class UnclassifiedView(ApiView):
    """A route nobody classified."""

    scopes = {"GET": "payments:read", "PUT": "payments:fly"}

    def get(self, request: ApiRequest) -> Response:  # noqa: ARG002
        return Response({})

    def post(self, request: ApiRequest) -> Response:  # noqa: ARG002
        return Response({})
