"""Addresses of payments, below /api/v1/."""

from django.urls import path

from payments.api.views import PaymentsView, PaymentView

urlpatterns = [
    path("payments", PaymentsView.as_view()),
    path("payments/<str:payment_id>", PaymentView.as_view()),
]
