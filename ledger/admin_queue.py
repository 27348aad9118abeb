"""The queue of postings: what waits, and what failed and wants a person."""

from typing import Any

from django.db.models import Q

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When, words
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.site import register
from ledger.choices import QueueState
from ledger.models.queue import QueuedPosting
from ledger.operations import queue

_TONES: dict[str, Tone] = {QueueState.QUEUED: "", QueueState.POSTED: "ok", QueueState.FAILED: "bad"}


def _badge(row: QueuedPosting) -> Badge:
    return Badge(row.get_state_display(), _TONES[row.state])


@register(QueuedPosting)
class QueuedPostingAdmin(ModelAdmin):
    """Postings that nobody waits for, newest first."""

    path, title, group, icon, nav_order = "ledger/queue", "Posting queue", "Books", "list-checks", 78
    summary = "Fees and the like, posted a hundred at a time by the worker"
    list_order = ("-pk",)
    search_by = ("public_id", "source_key", "transaction")
    search_hint = "Key, qpo_ or txn_ id"
    views = (
        View(key="failed", title="Failed", condition=Q(state=QueueState.FAILED)),
        View(key="waiting", title="Waiting", condition=Q(state=QueueState.QUEUED)),
        View(key="all", title="All", counted=False),
    )
    columns = (
        Column(title="What", cell=lambda q: Main(words(q.kind), q.public_id, mono=True)),
        Column(title="Cause", cell=lambda q: f"{words(q.source)} {q.source_key}", width="l", hide="m"),
        Column(title="Queued", cell=lambda q: When(q.queued_at), width="m"),
        Column(title="Why it failed", cell=lambda q: q.error_detail, width="l", hide="s"),
        Column(title="State", cell=_badge, width="s"),
    )
    empty = ("Nothing here", "What is queued is posted within seconds; what fails waits here for you.")

    def object_title(self, obj: Any) -> str:
        """Return what it is."""
        return words(obj.kind)

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_badge(obj)]

    def panels(self, request: Any, obj: Any) -> list[Panel]:
        """Return what it is and what came of it."""
        del request
        facts: list[tuple[str, object]] = [
            ("Cause", f"{words(obj.source)} {obj.source_key}"),
            ("Queued", When(obj.queued_at)),
            ("Ended", When(obj.ended_at)),
            ("Tries", f"{obj.attempts}"),
            ("Transaction", Code(obj.transaction) if obj.transaction else ""),
            ("Why it failed", obj.error_detail),
            ("Id", Code(obj.public_id)),
        ]
        return [facts_panel("Queued posting", facts)]


@action(
    name="queued_posting.retry",
    model=QueuedPosting,
    permission="ledger.retry_queuedposting",
    label="Try again",
    reason=False,
    title=lambda _row: "Try this posting again",
    text=lambda _row: "It waits again and is posted within seconds, if what stood in its way is gone.",
    available=lambda row: row.state == QueueState.FAILED,
    primary=True,
    done=lambda _row: "The posting waits again",
)
def _retry(_call: ActionCall, row: QueuedPosting) -> None:
    queue.retry(queued_id=row.pk)
