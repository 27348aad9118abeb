"""Reads of notifications."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from flowlet.notifications.choices import Channel, MessageKind, MessageStatus, OptOutSource
from flowlet.notifications.models import Message, Preference, Template
from flowlet.notifications.texts import BUILT_IN, DEFAULT_LANGUAGE


@dataclass(frozen=True, slots=True)
class Words:
    """The words in force for a template: version 0 are the built-in ones."""

    text: str
    language: str
    version: int


def get_text(*, code: str, language: str, channel: Channel) -> Words:
    """
    Return the newest words in this language, else in English.

    :raises KeyError: if there is no such template
    """
    for wanted in (language, DEFAULT_LANGUAGE):
        row = (
            Template.objects.filter(code=code, language=wanted, channel=channel)
            .order_by("-version")
            .values_list("text", "version")
            .first()
        )
        if row:
            return Words(row[0], wanted, row[1])
        if (code, wanted) in BUILT_IN:
            return Words(BUILT_IN[code, wanted], wanted, 0)
    raise KeyError(code)


def opted_out(*, customer_id: int, kind: MessageKind) -> bool:
    """Tell whether a message of this kind may not go by text message: a carrier's word counts for every kind."""
    said = Q(source=OptOutSource.CARRIER)
    if kind != MessageKind.SECURITY:
        said |= Q(source=OptOutSource.PERSON, kind=kind)
    return Preference.objects.filter(said, customer_id=customer_id, channel=Channel.SMS).exists()


def sent_within(*, customer_id: int, since: datetime) -> int:
    """Return how many messages a person was meant to get since then, suppressed ones not counted."""
    return (
        Message.objects.filter(customer_id=customer_id, queued_at__gt=since)
        .exclude(status=MessageStatus.SUPPRESSED)
        .count()
    )
