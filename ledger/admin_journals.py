"""Manual journals: the list, a journal with its lines, and asking for a second person."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.approvals.operations import find_pending
from flowlet.backoffice.cells import Badge, Code, Day, Link, Main, Tone, When
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.models import Approval
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from ledger import admin_journal_form as _form  # noqa: F401 - registers the page
from ledger.admin_parts import Sum, Total, account_link, account_title, side_cell, transaction_link
from ledger.choices import JournalStatus
from ledger.models.journals import JournalDraft, JournalLine
from ledger.operations import journals
from ledger.queries.journals import list_lines

MAKE = "ledger.make_journal"
REASONS = (
    ("MONTH_END", "Month end"),
    ("CORRECTION", "Correction of a mistake"),
    ("BANK", "Shown by the bank"),
    ("TRANSFER", "Moving money between our accounts"),
    ("OTHER", "Something else, see the note"),
)
_TONES: dict[str, Tone] = {
    JournalStatus.DRAFT: "info",
    JournalStatus.POSTED: "ok",
    JournalStatus.DISCARDED: "",
}


def _badge(draft: JournalDraft) -> Badge:
    return Badge(draft.get_status_display(), _TONES[draft.status])


def _pending(draft: JournalDraft) -> Approval | None:
    """Return the request that waits; asked once for each object that a page shows."""
    known = draft.__dict__
    if "pending" not in known:
        known["pending"] = (
            find_pending(action=journals.POST, object_id=draft.public_id) if _is_draft(draft) else None
        )
    found: Approval | None = known["pending"]
    return found


def _is_draft(draft: JournalDraft) -> bool:
    return draft.status == JournalStatus.DRAFT


@register(JournalDraft)
class JournalAdmin(ModelAdmin):
    """All manual journals, newest first."""

    path, title, group, icon, nav_order = "ledger/journals", "Manual journals", "Books", "file-text", 74
    summary = "Entries written by hand; two people post one"
    related = ("maker", "transaction", "corrects", "approval")
    list_order = ("-pk",)
    search_by = ("public_id", "title__icontains")
    search_hint = "Title or jrn_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="drafts", title="Drafts", condition=Q(status=JournalStatus.DRAFT)),
        View(key="posted", title="Posted", condition=Q(status=JournalStatus.POSTED), counted=False),
    )
    columns = (
        Column(title="Journal", cell=lambda j: Main(j.title, j.public_id, mono=True)),
        Column(title="Written by", cell=lambda j: j.maker.full_name or j.maker.email, width="l", hide="s"),
        Column(title="Value date", cell=lambda j: Day(j.effective_date), width="m", hide="m"),
        Column(title="Changed", cell=lambda j: When(j.changed_at), width="m", hide="s"),
        Column(title="Status", cell=_badge, width="m"),
    )
    empty = ("No journals yet", "Write the first one with the button above.")

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the way to write one."""
        if not person_of(request).may(MAKE):
            return []
        return [Button(label="Write a journal", href=reverse("admin:ledger_journal_new"), style="primary")]

    def object_title(self, obj: Any) -> str:
        """Return the title."""
        return str(obj.title)

    def object_summary(self, obj: Any) -> str:
        """Return id and maker."""
        return f"{obj.public_id} · written by {obj.maker.full_name or obj.maker.email}"

    def badges(self, obj: Any) -> list[object]:
        """Return the status, and whether it waits."""
        return [_badge(obj), *([Badge("Waits for a second person", "wait")] if _pending(obj) else [])]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to change it, for its maker."""
        person = person_of(request)
        mine = obj.maker_id == person.user.pk and person.may(MAKE)
        if not mine or not _is_draft(obj) or _pending(obj):
            return []
        href = reverse("admin:ledger_journal_edit", args=[obj.public_id])
        return [Button(label="Change", href=href, icon="file-text", key="e")]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the lines with their sums, the words, and how it stands."""
        del request
        pending = _pending(obj)
        approval = obj.approval or pending
        standing: list[tuple[str, object]] = [
            ("Status", _badge(obj)),
            ("Value date", Day(obj.effective_date)),
            ("Written by", obj.maker.full_name or obj.maker.email),
            ("Changed", When(obj.changed_at)),
            ("Second person", _approval_link(approval) if approval else ""),
            ("Posted as", transaction_link(obj.transaction) if obj.transaction else ""),
            *([("Corrects", transaction_link(obj.corrects))] if obj.corrects else []),
            ("Id", Code(obj.public_id)),
        ]
        return [
            lines_panel(list(list_lines(obj))),
            *([facts_panel("Words", [("Text", obj.text)])] if obj.text else []),
            facts_panel("Journal", standing, side=True),
        ]


def _approval_link(approval: Approval) -> Link:
    href = reverse("admin:backoffice_approval_change", args=[approval.public_id])
    return Link(approval.public_id, href, mono=True)


def lines_panel(lines: list[JournalLine]) -> Panel:
    """Return the lines of a journal with the sums of each currency."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        both = sums.setdefault(line.account.currency, [0, 0])
        both[0 if line.amount_minor > 0 else 1] += abs(line.amount_minor)
    totals = [Total(currency, debit, credit) for currency, (debit, credit) in sorted(sums.items())]
    even = all(total.debit == total.credit for total in totals)
    return table_panel(
        "Lines",
        columns=(
            Column(title="Account", cell=_line_account),
            Column(title="Debit", cell=lambda r: _side(r, debit=True), width="m", right=True),
            Column(title="Credit", cell=lambda r: _side(r, debit=False), width="m", right=True),
        ),
        rows=[*lines, *totals],
        note="Debits equal credits in each currency" if even else "Debits and credits differ",
        empty=("No lines yet", "Change the journal to add some."),
    )


def _line_account(row: JournalLine | Total) -> object:
    if isinstance(row, Total):
        return row.title
    return Main(
        account_title(row.account),
        row.text or str(row.account.chart_account),
        href=account_link(row.account).href,
    )


def _side(row: JournalLine | Total, *, debit: bool) -> object:
    if isinstance(row, Total):
        return Sum(row.debit if debit else row.credit, row.currency, strong=True)
    return side_cell(row.amount_minor, row.account.currency, debit=debit)


@action(
    name="ledger_journal.ask",
    model=JournalDraft,
    permission=MAKE,
    label="Ask for a second person",
    title=lambda j: f"Ask a second person to post {j.title}?",
    text="Nothing is posted until somebody else agrees. Until then the journal cannot be changed.",
    done="A second person is asked to agree.",
    reasons=REASONS,
    available=lambda j: _is_draft(j) and _pending(j) is None,
    primary=True,
    icon="users",
    key="a",
)
def _ask(call: ActionCall, draft: JournalDraft) -> None:
    journals.ask_to_post(
        journal_id=draft.public_id,
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


@action(
    name="ledger_journal.discard",
    model=JournalDraft,
    permission=MAKE,
    label="Discard",
    title=lambda j: f"Discard {j.title}?",
    text="It stays in the list and can be copied, but never posted.",
    done="The journal is discarded.",
    reason=False,
    note="none",
    available=_is_draft,
    danger=True,
    icon="x",
)
def _discard(call: ActionCall, draft: JournalDraft) -> None:
    journals.discard_journal(journal_id=draft.public_id, maker_id=call.person.user.pk, now=call.now)


def _copy_href(call: ActionCall, draft: JournalDraft) -> str:
    del draft
    mine = JournalDraft.objects.filter(maker=call.person.user).latest("pk")
    return reverse("admin:ledger_journal_edit", args=[mine.public_id])


@action(
    name="ledger_journal.copy",
    model=JournalDraft,
    permission=MAKE,
    label="Copy",
    title=lambda j: f"Write {j.title} once more?",
    text="A draft of your own with the same lines, dated today.",
    done="The copy is a draft of your own.",
    reason=False,
    note="none",
    icon="file-text",
    next_href=_copy_href,
    order=60,
)
def _copy(call: ActionCall, draft: JournalDraft) -> None:
    journals.copy_journal(journal_id=draft.public_id, maker_id=call.person.user.pk, now=call.now)
