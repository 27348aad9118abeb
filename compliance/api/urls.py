"""Addresses of identification, below /api/v1/."""

from django.urls import path

from compliance.api import views

urlpatterns = [
    path("customers/<str:customer_id>/kyc", views.KycView.as_view()),
    path("customers/<str:customer_id>/documents", views.DocumentsView.as_view()),
]
