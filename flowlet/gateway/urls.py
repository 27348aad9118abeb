"""Addresses of the gateway: probes, and its resources under /api/v1/."""

from django.urls import path

from flowlet.gateway import health, openapi
from flowlet.gateway.api.customers import CustomersView, CustomerView
from flowlet.gateway.api.events import EventsView, EventView
from flowlet.gateway.api.me import MeView
from flowlet.gateway.api.oauth import JwksView, TokenView
from flowlet.gateway.api.sign_in import RefreshView, RevokeView, SignInView

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/openapi.json", openapi.openapi, name="api-openapi"),
    path("api/v1/docs/", openapi.reference, name="api-reference"),
    path("api/v1/oauth/token", TokenView.as_view()),
    path("api/v1/oauth/jwks", JwksView.as_view()),
    path("api/v1/auth/token", SignInView.as_view()),
    path("api/v1/auth/token/refresh", RefreshView.as_view()),
    path("api/v1/auth/token/revoke", RevokeView.as_view()),
    path("api/v1/me", MeView.as_view()),
    path("api/v1/customers", CustomersView.as_view()),
    path("api/v1/customers/<str:customer_id>", CustomerView.as_view()),
    path("api/v1/events", EventsView.as_view()),
    path("api/v1/events/<str:event_id>", EventView.as_view()),
]
