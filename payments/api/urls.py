"""Addresses of payments, below /api/v1/."""

from django.urls import path

from payments.api import views
from payments.api.bank_links import (
    BankLinksView,
    BankLinkView,
    CustomerLinksView,
    ExchangeView,
    RemoveLinkView,
)
from payments.api.confirming import CodesView, ConfirmView
from payments.api.message_settings import MessageSettingsView

urlpatterns = [
    path("payments", views.PaymentsView.as_view()),
    path("payments/<str:payment_id>", views.PaymentView.as_view()),
    path("payments/<str:payment_id>/attempts", views.AttemptsView.as_view()),
    path("payments/<str:payment_id>/cancel", views.CancelView.as_view()),
    path("payments/<str:payment_id>/codes", CodesView.as_view()),
    path("payments/<str:payment_id>/confirm", ConfirmView.as_view()),
    path("payments/<str:payment_id>/events", views.PaymentEventsView.as_view()),
    path("payments/<str:payment_id>/refunds", views.RefundsView.as_view()),
    path("payouts", views.PayoutsView.as_view()),
    path("customers/<str:customer_id>/bank_links", CustomerLinksView.as_view()),
    path("customers/<str:customer_id>/bank_links/exchange", ExchangeView.as_view()),
    path("bank_links", BankLinksView.as_view()),
    path("bank_links/<str:link_id>", BankLinkView.as_view()),
    path("bank_links/<str:link_id>/remove", RemoveLinkView.as_view()),
    path("message_settings", MessageSettingsView.as_view()),
    path("top_ups", views.TopUpsView.as_view()),
]
