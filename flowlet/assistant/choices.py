"""The codes that the assistant stores."""

from django.db.models import TextChoices


class Role(TextChoices):
    """Who says something in a chat."""

    CUSTOMER = "CUSTOMER", "Customer"
    ASSISTANT = "ASSISTANT", "Assistant"


class Source(TextChoices):
    """Where an answer comes from; TEMPLATE are our own words, without any model."""

    MODEL = "MODEL", "Model"
    TEMPLATE = "TEMPLATE", "Template"
