"""How the queue of postings stands."""

from datetime import datetime

from ledger.choices import QueueState
from ledger.models.queue import QueuedPosting


def find_oldest_queued_at() -> datetime | None:
    """Return since when the posting that has waited longest waits, or None; failed ones wait for a person, not here."""
    waiting = QueuedPosting.objects.filter(state=QueueState.QUEUED).order_by("pk")
    return waiting.values_list("queued_at", flat=True).first()
