"""The assistant as a Django application."""

from django.apps import AppConfig


class AssistantConfig(AppConfig):
    """The support chat and the officer's drafting aid."""

    name = "flowlet.assistant"
    verbose_name = "Assistant"
