"""What tests of any app need to call the API: a client with scopes and its token."""

from collections.abc import Iterable
from typing import Any

from django.test import Client

from flowlet.core.clock import now
from flowlet.gateway import tokens
from flowlet.identity import operations
from flowlet.identity.models import ApiClient, Partner
from flowlet.identity.scopes import SCOPES


def make_client(partner: Partner, scopes: Iterable[str] = tuple(SCOPES)) -> ApiClient:
    """Return a new API client of that partner."""
    client, _ = operations.create_api_client(partner_id=partner.pk, name="Checkout", scopes=scopes, now=now())
    return client


def bearer(client: ApiClient) -> dict[str, str]:
    """Return the header of a good token, made without the token endpoint and its limits."""
    token = tokens.issue_client(
        client_id=client.client_id,
        partner=client.partner.public_id,
        scopes=frozenset(client.scopes),
        security_version=client.security_version,
    )
    return {"Authorization": f"Bearer {token}"}


class Api:
    """Call the API as one client: `api.get("customers")`, `api.post("customers", {...}, key="k1")`."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.http = Client()

    def get(self, path: str, **headers: str) -> Any:
        """Send a GET; `path` stands behind /api/v1/."""
        return self.http.get(f"/api/v1/{path}", headers={**bearer(self.client), **headers})

    def post(self, path: str, body: object = None, *, key: str | None = None, **headers: str) -> Any:
        """Send a POST with a JSON body; `key` is the Idempotency-Key."""
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.post(
            f"/api/v1/{path}",
            data=body if body is not None else {},
            content_type="application/json",
            headers={**bearer(self.client), **headers},
        )

    def put(self, path: str, body: object, **headers: str) -> Any:
        """Send a PUT with a JSON body."""
        return self.http.put(
            f"/api/v1/{path}",
            data=body,
            content_type="application/json",
            headers={**bearer(self.client), **headers},
        )

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        """Send bytes as they are."""
        return self.http.post(
            f"/api/v1/{path}",
            data=body,
            content_type=content_type,
            headers={**bearer(self.client), "Idempotency-Key": "raw", **headers},
        )
