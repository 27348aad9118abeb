"""Addresses of payments, below /api/v1/."""

from django.urls import path

from payments.api.bank_links import (
    BankLinksView,
    BankLinkView,
    CustomerLinksView,
    ExchangeView,
    RemoveLinkView,
)
from payments.api.views import AttemptsView, PaymentsView, PaymentView, RefundsView, TopUpsView

urlpatterns = [
    path("payments", PaymentsView.as_view()),
    path("payments/<str:payment_id>", PaymentView.as_view()),
    path("payments/<str:payment_id>/attempts", AttemptsView.as_view()),
    path("payments/<str:payment_id>/refunds", RefundsView.as_view()),
    path("customers/<str:customer_id>/bank_links", CustomerLinksView.as_view()),
    path("customers/<str:customer_id>/bank_links/exchange", ExchangeView.as_view()),
    path("bank_links", BankLinksView.as_view()),
    path("bank_links/<str:link_id>", BankLinkView.as_view()),
    path("bank_links/<str:link_id>/remove", RemoveLinkView.as_view()),
    path("top_ups", TopUpsView.as_view()),
]
