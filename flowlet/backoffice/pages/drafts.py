"""The page on which a person has a text drafted: sees what is handed over, reads and edits the draft, keeps it as his own."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.audit import trail
from flowlet.backoffice.cells import When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.drafting import DRAFT_SOURCES, DRAFTERS, Draft, DraftFacts, DraftMovement, DraftSource
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.errors import AppError, NotFound

TEXT_MAX = 4000


def draft_href(kind: str, object_id: str) -> str:
    """Return the address of the page that drafts this kind of text for an object."""
    return reverse("admin:draft", args=[kind, object_id])


@register_page(route="drafts/<str:kind>/<str:object_id>/", name="draft", permission="")
@require_http_methods(["GET", "HEAD", "POST"])
def draft_page(request: HttpRequest, kind: str, object_id: str) -> HttpResponse:
    """
    Show what a draft is made from, make it, or keep what the person has made of it.

    :raises Http404: if there is no such kind of draft or object
    :raises PermissionDenied: if the person may not work on it
    """
    if kind not in DRAFT_SOURCES or kind not in DRAFTERS or "\0" in object_id:
        raise Http404
    source, person = DRAFT_SOURCES.get(kind), person_of(request)
    if not person.may(source.permission):
        raise PermissionDenied
    try:
        facts = source.facts(object_id)
    except NotFound:
        raise Http404 from None
    text = request.POST.get("text", "").strip()
    if request.method == "POST" and "save" in request.POST:
        fault = _fault(text)
        if not fault:
            fault = _save(request, source, object_id, text)
        if not fault:
            messages.success(request, "Saved as your note.")
            return HttpResponseRedirect(source.href(object_id), status=303)
        return _show(request, source, object_id, facts, text=text, fault=fault)
    if request.method == "POST":
        made = DRAFTERS.get(kind)(facts)
        _note(request, kind, object_id, made)
        return _show(request, source, object_id, facts, text=made.text, made=made)
    return _show(request, source, object_id, facts)


def _fault(text: str) -> str:
    if not text:
        return "Write something, or go back."
    if len(text) > TEXT_MAX:
        return f"Keep it under {TEXT_MAX:,} characters; it has {len(text):,}."
    return "The text holds a character that cannot be stored." if "\0" in text else ""


def _save(request: HttpRequest, source: DraftSource, object_id: str, text: str) -> str:
    person = person_of(request)
    try:
        with acting_as(request, person):
            source.save(object_id, text, person, clock.now())
    except AppError as refusal:
        return refusal.detail
    return ""


def _note(request: HttpRequest, kind: str, object_id: str, made: Draft) -> None:
    with acting_as(request, person_of(request)):
        trail.record(
            action="draft.make",
            object_type=kind,
            object_id=object_id,
            changes={"source": [None, made.source]},
            reason_code=made.reason.upper(),
        )


def _show(
    request: HttpRequest,
    source: DraftSource,
    object_id: str,
    facts: DraftFacts,
    *,
    text: str = "",
    made: Draft | None = None,
    fault: str = "",
) -> HttpResponse:
    href = source.href(object_id)
    return page(
        request,
        "backoffice/draft.html",
        title=source.title,
        path=[(object_id, href)],
        summary="A draft to start from. Nothing is sent or decided by it.",
        text=text,
        made=made,
        fault=fault,
        back_href=href,
        text_max=TEXT_MAX,
        status=400 if fault else 200,
        panels=_handed_over(facts),
    )


def _handed_over(facts: DraftFacts) -> list[Panel]:
    known: list[tuple[str, object]] = [
        ("Case", facts.reference),
        ("Customer", facts.subject),
        ("Opened", When(facts.opened_at)),
        *((title, sentence) for title, sentence in facts.findings),
        ("Totals", "; ".join(facts.totals)),
    ]
    columns = (
        Column(title="When", cell=lambda m: When(m.at), width="m"),
        Column(title="What", cell=_what),
        Column(title="Other side", cell=lambda m: m.counterparty, hide="s"),
        Column(title="Amount", cell=lambda m: m.amount, width="l", right=True),
    )
    note = "Names do not leave the house"
    return [
        facts_panel("What is handed over", known, note=note),
        table_panel("Movements", columns=columns, rows=list(facts.movements)),
    ]


def _what(movement: DraftMovement) -> str:
    return f"{movement.kind.replace('_', ' ').capitalize()} {movement.side.lower()}"
