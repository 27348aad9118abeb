"""The reconciliation workbench: bank lines on the left, our postings on the right, suggestions between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from flowlet.backoffice.cells import Amount, Badge, words
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.navigation import Item as NavigationItem
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.currencies import exponent
from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.admin_parts import amount_cell
from ledger.models.matching import MatchLeg
from ledger.models.reconciliation import BankLine
from ledger.operations.matching import WINDOW, confirm_match
from ledger.queries.matching import (
    OpenItem,
    lines_for_passes,
    list_open_items,
    list_unmatched_lines,
    with_facts,
)
from ledger.reconciliation.suggesting import REASONS, suggest

ROUTE, NAME, VIEW, MAKE = (
    "ledger/workbench/",
    "ledger_workbench",
    "ledger.view_workbench",
    "ledger.make_match",
)
_LINES_SHOWN, _ITEMS_SHOWN = 20, 25
# Of how many items of the window suggestions are made: those nearest in amount, and all that the line names.
_LOOKED_AT = 400


def workbench_href(**params: str) -> str:
    """Return the address of the workbench, with a line chosen or a currency."""
    query = urlencode({key: value for key, value in params.items() if value})
    return f"{reverse(f'admin:{NAME}')}{'?' if query else ''}{query}"


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line as the left side shows it."""

    id: str
    title: str
    meta: str
    amount: object
    minor: int
    href: str
    current: bool
    badge: object


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A posting as the right side and the suggestions show it."""

    id: int
    title: str
    meta: str
    href: str
    amount: object
    minor: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may belong to the chosen line."""

    key: str
    score: int
    reasons: str
    items: Sequence[ItemRow]
    gap: object


@register_page(
    route=ROUTE,
    name=NAME,
    permission=VIEW,
    navigation=NavigationItem(
        title="Reconciliation",
        url_name=f"admin:{NAME}",
        group="Reconciliation",
        icon="arrow-left-right",
        permission=VIEW,
        order=76,
        count_text="waiting",
    ),
)
def workbench(request: HttpRequest) -> HttpResponse:
    """
    Answer the workbench; a POST matches what was chosen.

    :raises PermissionDenied: if the person may look but not match
    """
    person = person_of(request)
    if request.method == "POST":
        return _confirm(request, person)
    lines = _waiting(request.GET.get("currency", ""))
    paper = Paginator(lines, _LINES_SHOWN).get_page(request.GET.get("page"))
    rows = list(paper.object_list)
    chosen = _chosen(request.GET.get("line", ""), rows)
    term = request.GET.get("q", "").strip()[:80]
    items, suggestions = _other_side(chosen, term) if chosen else ([], [])
    currency = request.GET.get("currency", "")
    return page(
        request,
        "ledger/workbench.html",
        title="Reconciliation",
        path=[("Reconciliation", "")],
        summary="Lines of banks that nothing explains yet, and what may belong to them",
        buttons=[
            Button(label="Breaks", href=reverse("admin:ledger_break_changelist"), icon="circle-alert"),
            Button(label="Matches", href=reverse("admin:ledger_match_changelist"), icon="check"),
        ],
        lines=[_line_row(line, chosen, currency) for line in rows],
        paper=paper,
        total=paper.paginator.count,
        chosen=chosen,
        chosen_row=_line_row(chosen, None, currency) if chosen else None,
        next_line=_next_href(rows, chosen, currency),
        earlier_href=workbench_href(currency=currency, page=str(paper.previous_page_number()))
        if paper.has_previous()
        else "",
        later_href=workbench_href(currency=currency, page=str(paper.next_page_number()))
        if paper.has_next()
        else "",
        suggestions=suggestions,
        items=items,
        items_shown=_ITEMS_SHOWN,
        term=term,
        currency=currency,
        may=person.may(MAKE),
        exponent=exponent(chosen.currency) if chosen else 2,
    )


def _waiting(currency: str) -> QuerySet[BankLine]:
    used = (
        MatchLeg.objects.filter(line=OuterRef("pk"), match__undone_at__isnull=True)
        .order_by()
        .values("line")
        .annotate(sum=Sum("amount_minor"))
        .values("sum")
    )
    lines = list_unmatched_lines(currency if len(currency) == 3 else None)  # noqa: PLR2004 - ISO 4217
    return lines.annotate(rest_minor=F("amount_minor") - Coalesce(Subquery(used), 0))


def _chosen(public_id: str, rows: Sequence[BankLine]) -> BankLine | None:
    for line in rows:
        if line.public_id == public_id:
            return line
    if public_id:
        return _waiting("").filter(public_id=public_id).first() or (rows[0] if rows else None)
    return rows[0] if rows else None


def _rest(line: BankLine) -> int:
    return int(line.__dict__["rest_minor"])


def _line_row(line: BankLine, chosen: BankLine | None, currency: str) -> LineRow:
    name = line.counterparty_name or line.text or words(line.kind) or "No name"
    return LineRow(
        id=line.public_id,
        title=str(name)[:80],
        meta=f"{line.booking_date:%-d %b %Y} · {line.bank_account.name}"
        + (
            f" · {line.end_to_end_id or line.bank_reference}"
            if line.end_to_end_id or line.bank_reference
            else ""
        ),
        amount=Amount(Money(_rest(line), line.currency), signed=True),
        minor=_rest(line),
        href=workbench_href(line=line.public_id, currency=currency),
        current=chosen is not None and line.pk == chosen.pk,
        badge=Badge("Partly matched", "info") if _rest(line) != line.amount_minor else "",
    )


def _next_href(rows: Sequence[BankLine], chosen: BankLine | None, currency: str) -> str:
    """Return the address of the line after the chosen one on this page."""
    ids = [line.public_id for line in rows]
    if chosen is None or chosen.public_id not in ids or chosen.public_id == ids[-1]:
        return ""
    return workbench_href(line=ids[ids.index(chosen.public_id) + 1], currency=currency)


def _other_side(line: BankLine, term: str) -> tuple[list[ItemRow], list[Suggestion]]:
    """Return the items to choose from, and the suggestions for the line."""
    (asked,) = lines_for_passes([line], {line.pk: line.amount_minor - _rest(line)}, named=True)
    first, latest = WINDOW.days(asked)
    items = list_open_items(line.currency, first=first, latest=latest)
    named = {item.posting_id for item in items if item.item().references & asked.references}
    near = sorted(items, key=lambda item: (item.posting_id not in named, abs(item.rest - asked.amount)))
    known = {item.posting_id: item for item in with_facts(near[:_LOOKED_AT])}
    found = suggest(asked, [item.item() for item in known.values()], WINDOW)
    suggestions = [
        Suggestion(
            key=str(number),
            score=one.score,
            reasons=", ".join(REASONS[reason] for reason in one.reasons),
            items=[_item_row(known[key]) for key in one.items],
            gap=_gap(asked.amount, [known[key] for key in one.items]),
        )
        for number, one in enumerate(found, 1)
    ]
    wanted = [item for item in known.values() if not term or _fits(item, term)]
    return [_item_row(item) for item in wanted[:_ITEMS_SHOWN]], suggestions


def _gap(amount: int, items: Sequence[OpenItem]) -> object:
    gap = amount - sum(item.rest for item in items)
    return Amount(Money(gap, items[0].currency), signed=True) if gap else ""


def _fits(item: OpenItem, term: str) -> bool:
    texts = (item.source_key, item.transaction, item.facts.name if item.facts else "")
    if any(term.casefold() in text.casefold() for text in texts):
        return True
    try:
        minor = Decimal(term.replace(",", "")).scaleb(exponent(item.currency))
    except (InvalidOperation, ValueError):
        return False
    return abs(minor) == abs(item.rest)


def _item_row(item: OpenItem) -> ItemRow:
    facts = item.facts
    return ItemRow(
        id=item.posting_id,
        title=(facts.title if facts else "") or words(item.kind),
        meta=f"{item.day:%-d %b %Y} · {item.source_key}",
        href=(facts.href if facts else "")
        or reverse("admin:ledger_ledgertransaction_change", args=[item.transaction]),
        amount=amount_cell(item.rest, item.currency),
        minor=item.rest,
    )


def _confirm(request: HttpRequest, person: Person) -> HttpResponse:
    if not person.may(MAKE):
        raise PermissionDenied
    lines, postings = request.POST.getlist("line"), request.POST.getlist("posting")
    back = workbench_href(line=lines[0] if lines else "", currency=request.POST.get("currency", "")[:3])
    score = request.POST.get("score", "")
    try:
        with acting_as(request, person):
            match = confirm_match(
                line_ids=lines,
                posting_ids=[int(key) for key in postings if key.isascii() and key.isdigit()],
                score=min(int(score), 100) if score.isascii() and score.isdigit() else 100,
                now=clock.now(),
            )
    except AppError as refusal:
        messages.error(request, f"{refusal.title}. {refusal.detail}")
        return HttpResponseRedirect(back, status=303)
    messages.success(
        request, f"Matched {Money(match.amount_minor, match.currency).format()}: {match.public_id}."
    )
    following = request.POST.get("next", "")
    return HttpResponseRedirect(following if following.startswith(workbench_href()) else back, status=303)
