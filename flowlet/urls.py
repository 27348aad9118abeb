"""Every address the house answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, path

from flowlet.backoffice.site import site


def favicon(request: HttpRequest) -> HttpResponse:
    """Send browsers that ask for the icon at its customary place to where it is."""
    del request
    return redirect(static("flowlet/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("favicon.ico", favicon),
    path("admin/", site.urls),
]
