"""Who am I: what the token at hand stands for."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from flowlet.gateway.openapi_schema import document
from flowlet.gateway.views import SIGNED_IN, ApiRequest, ApiView


class MeOut(serializers.Serializer[Any]):
    """The caller."""

    object = serializers.ChoiceField(choices=["principal"])
    kind = serializers.ChoiceField(choices=["client", "user"])
    partner = serializers.CharField()
    client_id = serializers.CharField(allow_null=True)
    user_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())


class MeView(ApiView):
    """The caller."""

    scopes = {"GET": SIGNED_IN}

    @document(summary="Show who calls", answer=MeOut)
    def get(self, request: ApiRequest) -> Response:
        """Return the principal of the token."""
        principal = request.principal
        return Response(
            {
                "object": "principal",
                "kind": principal.kind.lower(),
                "partner": principal.partner_public_id,
                "client_id": principal.client_id or None,
                "user_id": principal.user_id or None,
                "name": principal.actor.label,
                "scopes": sorted(principal.scopes),
            }
        )
