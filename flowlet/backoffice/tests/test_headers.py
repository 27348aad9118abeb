"""The headers of every answer, good or bad."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from flowlet.urls import urlpatterns as house_urls

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as broken as can be")


urlpatterns = [*house_urls, path("broken/", broken)]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/", 200),
        ("/admin/nowhere/", 404),
        ("/admin/partners/", 403),
        ("/admin/logout/", 405),
        ("/broken/", 500),
    ],
)
@override_settings(ROOT_URLCONF=__name__)
def test_every_answer_carries_the_policy(ops_desk: Client, address: str, status: int) -> None:
    ops_desk.raise_request_exception = False

    answer = ops_desk.get(address)

    assert answer.status_code == status
    assert set(answer["Content-Security-Policy"].split("; ")) == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/admin/nowhere/", "/admin/customers/"])
def test_no_page_holds_anything_inline(root_desk: Client, address: str) -> None:
    page = root_desk.get(address).content.decode()

    assert " style=" not in page
    assert "<style" not in page
    assert "javascript:" not in page
    assert all("src=" in tag for tag in page.split("<script")[1:])
    assert " onclick=" not in page
