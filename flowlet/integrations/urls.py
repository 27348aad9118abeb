"""Addresses of the vendors' webhooks; mounted under /hooks/."""

from django.urls import path

from flowlet.integrations.views import hook

urlpatterns = [path("<slug:vendor>/", hook, name="vendor-hook")]
