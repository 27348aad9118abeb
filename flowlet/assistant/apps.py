"""The assistant as a Django application."""

from django.apps import AppConfig


class AssistantConfig(AppConfig):
    """Answers customers' questions, and drafts for officers."""

    name = "flowlet.assistant"
    label = "assistant"
    verbose_name = "Assistant"
