"""Matches: the list, the page of one, and the button that undoes it."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Link, Main, When, words
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import FORMATTERS, Sentence, Subject, timeline_panel
from flowlet.core.money import Money
from ledger.admin_parts import amount_cell
from ledger.choices_matching import MatchedBy
from ledger.models.matching import Match, MatchLeg
from ledger.operations import matching
from ledger.queries.matching import legs_of
from ledger.reconciliation.suggesting import REASONS


def _transaction_link(public_id: str) -> Link:
    return Link(public_id, reverse("admin:ledger_ledgertransaction_change", args=[public_id]), mono=True)


def _match_badge(match: Match) -> Badge:
    return Badge("Undone", "warn") if match.undone_at else Badge("Stands", "ok")


def _leg_line(leg: MatchLeg) -> object:
    if leg.line is None:
        return ""
    return Main(
        f"{leg.line.bank_account.name}, {leg.line.booking_date:%-d %b %Y}", leg.line.public_id, mono=True
    )


def _leg_posting(leg: MatchLeg) -> object:
    if leg.posting is None:
        return ""
    transaction = leg.posting.transaction
    href = reverse("admin:ledger_ledgertransaction_change", args=[transaction.public_id])
    return Main(words(transaction.kind), transaction.source_key, mono=True, href=href)


@register(Match)
class MatchAdmin(ModelAdmin):
    """What was put together, newest first."""

    path, title, group, icon, nav_order = "ledger/matches", "Matches", "Reconciliation", "check", 78
    summary = "Bank lines and postings that belong together, each with the journal it posted"
    related = ("transaction", "reversal")
    list_order = ("-made_at", "-pk")
    search_by = ("public_id", "transaction__public_id", "legs__line__public_id")
    search_hint = "mtc_, txn_ or bln_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="people", title="By people", condition=Q(matched_by=MatchedBy.PERSON)),
        View(key="undone", title="Undone", condition=Q(undone_at__isnull=False)),
    )
    filters = (
        Choice("by", "How", tuple(MatchedBy.choices), lookup="matched_by"),
        Text("currency", "Currency"),
        DateSpan("made", "Matched", lookup="made_at"),
    )
    columns = (
        Column(title="Match", cell=lambda m: Main(m.get_matched_by_display(), m.public_id, mono=True)),
        Column(
            title="Why",
            cell=lambda m: ", ".join(REASONS.get(one, one) for one in m.reasons),
            width="xl",
            hide="m",
        ),
        Column(title="State", cell=_match_badge, width="s"),
        Column(title="Matched", cell=lambda m: When(m.made_at), width="m", hide="s"),
        Column(
            title="Amount",
            cell=lambda m: Amount(Money(m.amount_minor, m.currency), signed=True),
            width="m",
            right=True,
        ),
    )
    empty = ("No matches yet", "The first accepted bank statement makes the first ones.")

    def object_title(self, obj: Any) -> str:
        """Return how it was matched, and how much."""
        return f"{obj.get_matched_by_display()}: {Money(obj.amount_minor, obj.currency).format()}"

    def badges(self, obj: Any) -> list[object]:
        """Return whether it stands."""
        return [_match_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return both sides, and the journal."""
        facts: list[tuple[str, object]] = [
            ("Score", f"{obj.score} of 100"),
            ("Reasons", ", ".join(REASONS.get(one, one) for one in obj.reasons)),
            ("Journal", _transaction_link(obj.transaction.public_id)),
            ("By", Code(obj.made_by)),
            ("Matched", When(obj.made_at)),
            ("Undone", When(obj.undone_at)),
            ("Undone by", Code(obj.undone_by) if obj.undone_by else ""),
            ("Reversal", _transaction_link(obj.reversal.public_id) if obj.reversal else ""),
        ]
        return [
            table_panel(
                "Lines and postings",
                columns=(
                    Column(title="At the bank", cell=_leg_line),
                    Column(title="In our books", cell=_leg_posting),
                    Column(
                        title="Amount",
                        cell=lambda leg: amount_cell(leg.amount_minor, obj.currency),
                        width="m",
                        right=True,
                    ),
                ),
                rows=list(legs_of(obj)),
            ),
            timeline_panel(Subject(object_type="match", object_id=obj.public_id), person_of(request)),
            facts_panel("Match", facts, side=True),
        ]


@action(
    name="match.undo",
    model=Match,
    permission="ledger.make_match",
    label="Undo",
    title="Undo this match?",
    text="Its journal is reversed. The money of its lines waits again, with a break each.",
    reasons=(("WRONG", "They do not belong together"), ("OTHER_FOUND", "Something else fits better")),
    note="required",
    available=lambda match: match.undone_at is None and match.matched_by != MatchedBy.WRITTEN_OFF,
    danger=True,
    done="Undone: the lines wait again.",
    next_href=lambda _call, match: reverse("admin:ledger_match_change", args=[match.public_id]),
)
def _undo(call: ActionCall, match: Match) -> None:
    matching.undo_match(match_id=match.public_id, reason_code=call.reason, note=call.note, now=call.now)


for _name, _sentence in {
    "match.confirm": Sentence(text="Matched by a person", icon="check", tone="ok"),
    "match.undo": Sentence(text="Match undone", icon="history", tone="warn"),
}.items():
    FORMATTERS.register(_name)(lambda _record, sentence=_sentence: sentence)
