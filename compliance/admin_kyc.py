"""The queue of identity files and the page that decides one: the picture beside the data, the decision on the right."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from compliance import queries_kyc
from compliance.admin_kyc_parts import (
    checks_panel,
    decision_panel,
    evidence_panel,
    history_panel,
    risk_badge,
    risk_panel,
    state_badge,
)
from compliance.choices_kyc import WAITS_FOR_PERSON, KycState
from compliance.identity_providers.registry import CHECK_TITLES
from compliance.models.kyc import KycApplication, KycDocument
from compliance.operations import kyc_decisions
from flowlet.audit import trail
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Due, Main, When, words
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core import clock
from flowlet.core.countries import country_name
from flowlet.core.errors import NotFound
from flowlet.identity.choices import RiskLevel

_VIEW_DOCUMENT, _DOWNLOAD = "compliance.view_document", "compliance.download_document"
_SAME_LOOK = timedelta(minutes=15)
_WAITING = Q(state__in=WAITS_FOR_PERSON)
_DUE_FIRST = ("due_at", "pk")
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def kyc_href(application: KycApplication) -> str:
    """Return the address of an application's page."""
    return reverse("admin:compliance_kycapplication_change", args=[application.public_id])


def queue_href() -> str:
    """Return the address of the queue."""
    return reverse("admin:compliance_kycapplication_changelist")


def due_cell(application: KycApplication, now: datetime) -> object:
    """Return the time left of a file that waits, the day on which others were closed or opened."""
    if application.state in WAITS_FOR_PERSON and application.due_at is not None:
        return Due(application.due_at, now)
    return When(application.closed_at or application.submitted_at or application.created_at)


def why(application: KycApplication) -> str:
    """Return in words why a person must look."""
    if application.state == KycState.INFORMATION_NEEDED:
        return "Waiting for the customer"
    titles = [CHECK_TITLES.get(code, words(code)) for code in application.findings]
    if application.risk_level not in ("", RiskLevel.LOW):
        titles.append(f"{application.get_risk_level_display()} risk")
    return ", ".join(titles)


@register(KycApplication)
class KycAdmin(ModelAdmin):
    """Who customers are: applications with their documents, first due first."""

    path, title, group, icon, nav_order = "identities", "Identity files", "Compliance", "contact", 12
    summary = "Customers who showed who they are; what the machine may not approve waits for you"
    related = ("customer__partner",)
    list_order = ("-created_at", "-pk")
    search_by = ("public_id", "customer__public_id", "customer__name__icontains")
    search_hint = "Customer or kya_ id"
    detail_template = "compliance/kyc.html"
    views = (
        View(key="open", title="To decide", condition=_WAITING, order=_DUE_FIRST),
        View(key="overdue", title="Overdue", condition=_WAITING & Q(due_at__lt=Now()), order=_DUE_FIRST),
        View(key="high", title="High risk", condition=_WAITING & Q(risk_level="HIGH"), order=_DUE_FIRST),
        View(key="asked", title="Asked for more", condition=Q(state=KycState.INFORMATION_NEEDED)),
        View(key="policy", title="By policy", condition=Q(state=KycState.AUTO_APPROVED), counted=False),
        View(key="approved", title="Approved", condition=Q(state=KycState.APPROVED), counted=False),
        View(key="rejected", title="Rejected", condition=Q(state=KycState.REJECTED), counted=False),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("state", "State", tuple(KycState.choices)),
        Choice("risk", "Risk", tuple(RiskLevel.choices), lookup="risk_level"),
        DateSpan("opened", "Opened", lookup="created_at"),
    )
    columns = (
        Column(title="Due", cell=lambda row: due_cell(row, clock.now()), width="m", order="due_at"),
        Column(
            title="Customer",
            cell=lambda row: Main(row.customer.name, f"{row.customer.partner.name} · {row.public_id}"),
            order="customer__name",
        ),
        Column(
            title="Document",
            cell=lambda row: f"{row.get_document_type_display()}, {country_name(row.document_country)}",
            width="l",
            hide="m",
        ),
        Column(title="Look at", cell=why, width="xl", hide="m"),
        Column(title="Risk", cell=risk_badge, width="m", order="risk_points", hide="s"),
        Column(title="State", cell=state_badge, width="m"),
    )
    empty = ("No identity files", "Partners send them by POST /customers/{id}/kyc.")

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return what waits, for the number in the side bar."""
        del person
        return queries_kyc.list_waiting()

    def get_urls(self) -> list[URLPattern]:
        """Return list, page, the pages of documents, and their originals."""
        wrap = self.admin_site.admin_view
        return [
            *super().get_urls(),
            path(
                "<str:object_id>/documents/<str:document_id>/<int:number>/",
                wrap(require_safe(self.page_view)),
                name="compliance_kycdocument_page",
            ),
            path(
                "<str:object_id>/documents/<str:document_id>/original/",
                wrap(require_safe(self.original_view)),
                name="compliance_kycdocument_original",
            ),
        ]

    def object_title(self, obj: Any) -> str:
        """Return the customer's name."""
        return str(obj.customer.name)

    def object_summary(self, obj: Any) -> str:
        """Return what is applied for, with what, and the id."""
        document = f"{obj.get_document_type_display()}, {country_name(obj.document_country)}"
        return f"{obj.get_wanted_tier_display()} tier · {document} · {obj.customer.partner.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return state, risk and how urgent it is."""
        shown: list[object] = [state_badge(obj), risk_badge(obj)]
        return [*shown, due_cell(obj, clock.now())] if obj.state in WAITS_FOR_PERSON else shown

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the customer."""
        href = reverse("admin:identity_customer_change", args=[obj.customer.public_id])
        may = person_of(request).may("identity.view_customer")
        return [Button(label="Customer", href=href, icon="user")] if may else []

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return pictures beside data, checks, risk, history; the decision on the right."""
        person, documents = person_of(request), list(queries_kyc.list_documents(obj.pk))
        _note_look(request, person, obj)
        checks, rating = queries_kyc.checks_of(obj), queries_kyc.assessment_of(obj)
        decisions = list(obj.decisions.order_by("-id"))
        subject = Subject(object_type="kyc", object_id=obj.public_id)
        return [
            evidence_panel(
                obj, documents, chosen=request.GET.get("document", ""), may_see=person.may(_VIEW_DOCUMENT)
            ),
            checks_panel(obj, checks),
            risk_panel(rating),
            timeline_panel(subject, person),
            decision_panel(person, obj, back=kyc_href(obj)),
            history_panel(decisions, documents, obj),
        ]

    def more_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return the place in the queue."""
        del request
        waiting = list(queries_kyc.list_waiting().values_list("public_id", flat=True)[:200])
        if obj.public_id not in waiting:
            return {}
        at = waiting.index(obj.public_id)
        neighbours = (waiting[at - 1] if at else "", waiting[at + 1] if at + 1 < len(waiting) else "")
        earlier, later = (
            reverse("admin:compliance_kycapplication_change", args=[name]) if name else ""
            for name in neighbours
        )
        return {"place": f"{at + 1} of {len(waiting)}", "earlier_href": earlier, "later_href": later}

    # --- documents ----------------------------------------------------------------------------------------------------
    def page_view(self, request: HttpRequest, object_id: str, document_id: str, number: int) -> HttpResponse:
        """
        Answer one re-encoded page, noted in the trail before it is shown.

        :raises PermissionDenied: if the person may not see documents
        :raises Http404: if there is no such page
        """
        application, document = self._document(request, object_id, document_id, _VIEW_DOCUMENT)
        try:
            jpeg = queries_kyc.open_page(document, number)
        except NotFound:
            raise Http404 from None
        with acting_as(request, person_of(request)):
            kyc_decisions.note_view(application=application, document_id=document.public_id, page=number)
        return _file(jpeg, "image/jpeg", "inline")

    def original_view(self, request: HttpRequest, object_id: str, document_id: str) -> HttpResponse:
        """
        Answer the file as it came, as a download only.

        :raises PermissionDenied: if the person may not take originals
        :raises Http404: if there is no such document
        """
        application, document = self._document(request, object_id, document_id, _DOWNLOAD)
        original = queries_kyc.open_original(document)
        with acting_as(request, person_of(request)):
            kyc_decisions.note_view(
                application=application, document_id=document.public_id, page=0, original=True
            )
        name = f"{document.public_id}.{_ENDINGS[document.media_type]}"
        return _file(original, "application/octet-stream", f'attachment; filename="{name}"')

    def _document(
        self, request: HttpRequest, object_id: str, document_id: str, permission: str
    ) -> tuple[KycApplication, KycDocument]:
        if not (self.has_view_permission(request) and person_of(request).may(permission)):
            raise PermissionDenied
        application = self.find(request, object_id)
        found = queries_kyc.list_documents(application.pk).filter(public_id=document_id).first()
        if found is None:
            raise Http404
        return application, found


def _file(body: bytes, media_type: str, disposition: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=media_type)
    answer["Content-Disposition"] = disposition
    answer["Cache-Control"] = "no-store, private"
    answer["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return answer


def _note_look(request: HttpRequest, person: Person, application: KycApplication) -> None:
    """Write down who saw the data of a file; looking again within a quarter of an hour is the same look."""
    seen = AuditRecord.objects.filter(
        customer=application.customer.public_id,
        action="kyc.viewed",
        object_id=application.public_id,
        actor=person.actor.ref,
        recorded_at__gt=clock.now() - _SAME_LOOK,
    )
    if seen.exists():
        return
    with acting_as(request, person):
        trail.record(
            action="kyc.viewed",
            object_type="kyc",
            object_id=application.public_id,
            customer=application.customer.public_id,
            partner_id=application.customer.partner_id,
        )
