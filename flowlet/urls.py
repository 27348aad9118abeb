"""Every address the house answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path

from flowlet.backoffice.site import site


def favicon(request: HttpRequest) -> HttpResponse:
    """Send browsers that ask for the icon at its customary place to where it is."""
    del request
    return redirect(static("flowlet/favicon.svg"))


def home(request: HttpRequest) -> HttpResponse:
    """Send people who type the bare address to the back office."""
    del request
    return redirect("admin:index")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", home),
    path("favicon.ico", favicon),
    path("admin/", site.urls),
    path("hooks/", include("flowlet.integrations.urls")),
    path("api/v1/", include("wallets.api.urls")),
    path("api/v1/", include("payments.api.urls")),
    path("api/v1/", include("flowlet.assistant.api.urls")),
    path("api/v1/", include("cards.api.urls")),
    path("api/v1/", include("compliance.api.urls")),
    path("api/v1/", include("analytics.api.urls")),
    path("", include("flowlet.gateway.urls")),
]
