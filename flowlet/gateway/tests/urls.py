"""The gateway's routes and those of the tests."""

from django.urls import include, path

from flowlet.gateway.tests import views

urlpatterns = [
    path("", include("flowlet.gateway.urls")),
    path("api/v1/test/orders", views.OrderView.as_view()),
    path("api/v1/test/refusing", views.RefusingView.as_view()),
    path("api/v1/test/kept", views.KeptView.as_view()),
    path("api/v1/test/broken/<str:way>", views.BrokenView.as_view()),
]
