"""Addresses of analytics, below /api/v1/."""

from django.urls import path

from analytics.api.views import SpendingView

urlpatterns = [path("customers/<str:customer_id>/spending", SpendingView.as_view())]
