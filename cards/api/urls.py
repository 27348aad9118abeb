"""Addresses of the card resources, below /api/v1/."""

from django.urls import path

from cards.api import network_views as network
from cards.api import views

urlpatterns = [
    path("cards", views.CardsView.as_view()),
    path("cards/<str:card_id>", views.CardView.as_view()),
    path("cards/<str:card_id>/activate", views.ActivateView.as_view()),
    path("cards/<str:card_id>/freeze", views.FreezeView.as_view()),
    path("cards/<str:card_id>/unfreeze", views.UnfreezeView.as_view()),
    path("cards/<str:card_id>/close", views.CloseView.as_view()),
    path("cards/<str:card_id>/limits", views.LimitsView.as_view()),
    path("cards/<str:card_id>/decisions/<str:authorization_id>", views.DecisionView.as_view()),
    path("card_authorizations", network.AuthorizationsView.as_view()),
    path("card_authorizations/<str:authorization_id>", network.AuthorizationView.as_view()),
    path("card_authorizations/<str:authorization_id>/reverse", network.ReverseView.as_view()),
    path("card_authorizations/<str:authorization_id>/expire", network.ExpireView.as_view()),
    path("clearings", network.ClearingsView.as_view()),
    path("card_transactions", network.TransactionsView.as_view()),
]
