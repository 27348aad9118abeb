"""Addresses of payments, below /api/v1/."""

from django.urls import path

from payments.api import views

urlpatterns = [
    path("payments", views.PaymentsView.as_view()),
    path("payments/<str:payment_id>", views.PaymentView.as_view()),
    path("payments/<str:payment_id>/attempts", views.AttemptsView.as_view()),
    path("payments/<str:payment_id>/cancel", views.CancelView.as_view()),
    path("payments/<str:payment_id>/events", views.PaymentEventsView.as_view()),
    path("payments/<str:payment_id>/refunds", views.RefundsView.as_view()),
    path("payouts", views.PayoutsView.as_view()),
    path("top_ups", views.TopUpsView.as_view()),
]
