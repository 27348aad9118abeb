"""The assistant as a Django application."""

from django.apps import AppConfig


class AssistantConfig(AppConfig):
    """Answers customers' questions, and drafts for officers."""

    name = "flowlet.assistant"
    label = "assistant"
    verbose_name = "Assistant"

    def ready(self) -> None:
        """Offer the drafts that this room can write."""
        from flowlet.assistant import drafting  # noqa: F401 - fills the registry of drafters
