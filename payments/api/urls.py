"""Addresses of payments, below /api/v1/."""

from django.urls import path

from payments.api.views import AttemptsView, PaymentsView, PaymentView, RefundsView, TopUpsView

urlpatterns = [
    path("payments", PaymentsView.as_view()),
    path("payments/<str:payment_id>", PaymentView.as_view()),
    path("payments/<str:payment_id>/attempts", AttemptsView.as_view()),
    path("payments/<str:payment_id>/refunds", RefundsView.as_view()),
    path("top_ups", TopUpsView.as_view()),
]
