"""Addresses of the assistant, below /api/v1/."""

from django.urls import path

from flowlet.assistant.api.views import ChatsView, ChatView, MessagesView

urlpatterns = [
    path("assistant/chats", ChatsView.as_view()),
    path("assistant/chats/<str:chat_id>", ChatView.as_view()),
    path("assistant/chats/<str:chat_id>/messages", MessagesView.as_view()),
]
